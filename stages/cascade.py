"""Stage `cascade`: a larger scale with the x2 network, applied repeatedly to its own output.

    python -m stages.cascade --scale 4 --setting plain --test-set set5

The output of each step is an image, clipped and rounded to 8 bits. It is the input of the next
step.
"""

import srstudy.backend.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

from functools import partial as bind
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srstudy.common.command_line import parse
from srstudy.common.params import read
from srstudy.common.running import run
from srstudy.degradations.shared.degradation import degradation
from srstudy.networks.shared.inference import restore_luma
from srstudy.networks.shared.weights import load
from srstudy.scoring.evaluation import CASCADE, evaluate
from srstudy.scoring.restoring import restore
from srstudy.scoring.settings import CascadeSettings, cascade_steps


def main() -> None:
    """Restore every LR image step by step; write images and scores."""
    arguments = parse(__doc__, "scale", "setting", "test_set")
    scale, setting, test_set = arguments.scale, arguments.setting, arguments.test_set
    base = read(CascadeSettings).cascade_from
    model, architecture = load(Path(f"models/x{base}-{setting}.weights.h5"), base)
    made_by, network = degradation(architecture.degradation), bind(restore_luma, model)

    def restore_steps(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        for _ in range(cascade_steps(base, scale)):
            image = restore(network, image, base, made_by)
        return image

    evaluate(test_set, scale, f"{setting}{CASCADE}", made_by, restore_steps)


if __name__ == "__main__":
    run(main)
