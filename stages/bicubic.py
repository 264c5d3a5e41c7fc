"""Stage `bicubic`: the baseline that every network has to beat, scored on one test set.

python -m stages.bicubic --scale 2 --test-set set5
"""

import argparse

from stages.core.degradation import upscale
from stages.core.evaluation import evaluate, line
from stages.core.protocol import Protocol
from stages.core.running import run
from stages.core.scales import SCALES
from stages.core.settings.data import SynthesisSettings
from stages.core.settings.reader import read


def main() -> None:
    """Enlarge every LR image by the degradation's own interpolation; write images and scores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=int, choices=SCALES, required=True)
    parser.add_argument("--test-set", required=True)
    arguments = parser.parse_args()
    scale, test_set = arguments.scale, arguments.test_set
    protocol = Protocol(read(SynthesisSettings).degradation)

    means = evaluate(
        test_set, scale, "bicubic", protocol, lambda lr: upscale(lr, scale, protocol.degradation)
    )
    print(line(test_set, scale, "bicubic", means))


if __name__ == "__main__":
    run(main)
