"""Stage `bicubic`: the baseline for all networks, scored on one test set.

python -m stages.bicubic --scale 2 --test-set set5
"""

from srstudy.common.command_line import parse
from srstudy.common.params import read
from srstudy.common.running import run
from srstudy.degradations.shared.degradation import degradation
from srstudy.degradations.shared.settings import SynthesisSettings
from srstudy.scoring.evaluation import evaluate


def main() -> None:
    """Enlarge every LR image with the interpolation of the degradation; write images and scores."""
    arguments = parse(__doc__, "scale", "test_set")
    scale, made_by = arguments.scale, degradation(read(SynthesisSettings).degradation)
    evaluate(arguments.test_set, scale, "bicubic", made_by, lambda lr: made_by.enlarge(lr, scale))


if __name__ == "__main__":
    run(main)
