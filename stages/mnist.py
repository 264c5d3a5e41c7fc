"""Stage `mnist`: the student project's warm-up, a digit classifier trained by gradient descent.

python -m stages.mnist --seed 1
"""

import srstudy.backend.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

from pathlib import Path

import numpy as np
import pandas as pd

from srstudy.backend.checkpoints import Checkpoints, fingerprint
from srstudy.backend.precision import precision_here
from srstudy.common.command_line import parse
from srstudy.common.errors import InputError
from srstudy.common.files import whole_file, write_json
from srstudy.common.params import read
from srstudy.common.running import run
from srstudy.mnist.digits import read_digits
from srstudy.mnist.settings import MnistSettings
from srstudy.mnist.warm_up import Digits, cross_entropy, train


def main() -> None:
    """Train on 60,000 digits, test on 10,000; write metrics, curve and confusion matrix."""
    seed = parse(__doc__, "seed").seed
    recipe, folder = read(MnistSettings).mnist.recipe(), Path(f"data/mnist/{seed}")
    name, results = f"seed-{seed}", Path("metrics/mnist")
    precision = precision_here(recipe.precision)
    digits, test = (Digits(*read_digits(folder, part)) for part in ("train", "t10k"))
    key = fingerprint([recipe.model_dump(), seed, precision], *sorted(folder.iterdir()))

    checkpoints = Checkpoints(key)
    with checkpoints.alone():
        logits, curve = train(recipe, seed, precision, digits, test, checkpoints)
        if not np.isfinite(logits).all():
            raise InputError(
                f"mnist.learning_rate: found {recipe.learning_rate}; the outputs of the network "
                "are not finite numbers; allowed: a smaller learning rate"
            )
        scores = {
            "accuracy": round(float(np.mean(logits.argmax(1) == test.labels)), 4),
            "loss": round(cross_entropy(logits, test.labels), 5),
            "steps": recipe.steps,
        }
        write_json(results / f"{name}.json", {"mnist": {name: scores}})
        with whole_file(results / f"{name}-curve.csv") as partial:
            rows = pd.DataFrame(curve, columns=["step", "loss", "test_accuracy"])
            rows.astype({"step": int}).to_csv(partial, index=False, float_format="%.6g")
        with whole_file(results / f"{name}-confusion.csv") as partial:
            answers = {"actual": test.labels, "predicted": logits.argmax(1)}
            pd.DataFrame(answers).to_csv(partial, index=False)
        checkpoints.clear()
    print(
        f"mnist, {name}: accuracy {scores['accuracy']:.2%}, loss {scores['loss']:.4f}, "
        f"{recipe.steps} steps"
    )


if __name__ == "__main__":
    run(main)
