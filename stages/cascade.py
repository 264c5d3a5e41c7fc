"""Stage `cascade`: a larger scale by applying the x2 network again to its own output.

    python -m stages.cascade --scale 4 --setting plain --test-set set5

Each step's output is an image, clipped and rounded to 8 bits, and the next step's input. For a
scale that has no cascade the outputs are empty, so that each picture and table can depend on them.
"""

import argparse
from functools import partial as bind
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.core.evaluation import evaluate, line, write_nothing
from stages.core.protocol import Protocol
from stages.core.running import run
from stages.core.scales import SCALES
from stages.core.settings.cascade import CascadeSettings, cascade_steps
from stages.core.settings.reader import read


def main() -> None:
    """Restore every LR image step by step; write images and scores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=int, choices=SCALES, required=True)
    parser.add_argument("--setting", choices=("plain", "regularized"), required=True)
    parser.add_argument("--test-set", required=True)
    arguments = parser.parse_args()
    scale, test_set = arguments.scale, arguments.test_set
    method = f"{arguments.setting}-cascade"
    settings = read(CascadeSettings)
    base, steps = settings.cascade_from, cascade_steps(settings, scale)

    if not steps:
        write_nothing(test_set, scale, method)
        print(f"{test_set} x{scale} {method}: none at this scale")
        return

    # TensorFlow starts only where there is work.
    from stages.core import quiet  # noqa: F401
    from stages.core.inference import restore_luma
    from stages.core.restoring import restore
    from stages.core.weights import load

    model, architecture = load(Path(f"models/x{base}-{arguments.setting}.weights.h5"), base)
    protocol, by_network = Protocol(architecture.degradation), bind(restore_luma, model)

    def restore_steps(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        for _ in range(steps):
            image = restore(by_network, image, base, protocol)
        return image

    print(line(test_set, scale, method, evaluate(test_set, scale, method, protocol, restore_steps)))


if __name__ == "__main__":
    run(main)
