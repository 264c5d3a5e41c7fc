"""Stage `cascade`: a larger scale by applying the x2 network again to its own output.

    python -m stages.cascade --scale 4 --setting plain --test-set set5

Each step's output is an image, clipped and rounded to 8 bits, and the next step's input. For a
scale that has no cascade the outputs are empty, so that each picture and table can depend on them.
"""

from functools import partial as bind
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srstudy.common.command_line import parse
from srstudy.common.params import read
from srstudy.common.running import run
from srstudy.degradations.shared.degradation import degradation
from srstudy.scoring.evaluation import evaluate, write_nothing
from srstudy.scoring.restoring import restore
from srstudy.scoring.settings import CascadeSettings, cascade_steps


def main() -> None:
    """Restore every LR image step by step; write images and scores."""
    arguments = parse(__doc__, "scale", "setting", "test_set")
    scale, setting, test_set = arguments.scale, arguments.setting, arguments.test_set
    settings, method = read(CascadeSettings), f"{setting}-cascade"
    base, steps = settings.cascade_from, cascade_steps(settings, scale)

    if not steps:
        write_nothing(test_set, scale, method)
        print(f"{test_set} x{scale} {method}: none at this scale")
        return

    # TensorFlow starts only where there is work.
    from srstudy.backend import quiet  # noqa: F401
    from srstudy.networks.shared.inference import restore_luma
    from srstudy.networks.shared.weights import load

    model, architecture = load(Path(f"models/x{base}-{setting}.weights.h5"), base)
    made_by, network = degradation(architecture.degradation), bind(restore_luma, model)

    def restore_steps(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        for _ in range(steps):
            image = restore(network, image, base, made_by)
        return image

    evaluate(test_set, scale, method, made_by, restore_steps)


if __name__ == "__main__":
    run(main)
