"""Stage `mnist`: the student project's warm-up, a digit classifier by plain gradient descent.

python -m stages.mnist
"""

import srstudy.backend.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

from pathlib import Path

import numpy as np
import pandas as pd

from srstudy.backend.checkpoints import Checkpoints, fingerprint
from srstudy.backend.precision import precision_here
from srstudy.common.errors import InputError
from srstudy.common.files import whole_file, write_json
from srstudy.common.params import read
from srstudy.common.running import run
from srstudy.mnist.digits import read_digits
from srstudy.mnist.settings import MnistSettings
from srstudy.mnist.warm_up import Digits, cross_entropy, train


def main() -> None:
    """Train on 60,000 digits, test on 10,000; write metrics, curve and confusion matrix."""
    settings, folder = read(MnistSettings).mnist, Path("data/raw/mnist")
    precision = precision_here(settings.precision)
    digits, test = (Digits(*read_digits(folder, part)) for part in ("train", "t10k"))
    key = fingerprint([settings.model_dump(), precision], *sorted(folder.iterdir()))

    checkpoints = Checkpoints(key)
    with checkpoints.alone():
        logits, curve = train(settings, precision, digits, test, checkpoints)
        if not np.isfinite(logits).all():
            raise InputError(
                f"mnist.learning_rate: found {settings.learning_rate}, and the network's answers "
                "are no numbers; allowed: a smaller one"
            )
        scores = {
            "accuracy": round(float(np.mean(logits.argmax(1) == test.labels)), 4),
            "loss": round(cross_entropy(logits, test.labels), 5),
            "steps": settings.steps,
        }
        write_json(Path("metrics/mnist.json"), {"mnist": scores})
        with whole_file(Path("metrics/mnist-curve.csv")) as partial:
            rows = pd.DataFrame(curve, columns=["step", "loss", "test_accuracy"])
            rows.astype({"step": int}).to_csv(partial, index=False, float_format="%.6g")
        with whole_file(Path("metrics/mnist-confusion.csv")) as partial:
            answers = {"actual": test.labels, "predicted": logits.argmax(1)}
            pd.DataFrame(answers).to_csv(partial, index=False)
        checkpoints.clear()
    print(
        f"mnist: accuracy {scores['accuracy']:.2%}, loss {scores['loss']:.4f}, "
        f"{settings.steps} steps"
    )


if __name__ == "__main__":
    run(main)
