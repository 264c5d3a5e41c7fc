"""Stage `evaluate`: one trained network, scored on one test set.

python -m stages.evaluate --scale 2 --setting plain --test-set set5
"""

import srstudy.backend.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

from functools import partial as bind
from pathlib import Path

from srstudy.common.command_line import parse
from srstudy.common.running import run
from srstudy.degradations.shared.degradation import degradation
from srstudy.networks.shared.inference import restore_luma
from srstudy.networks.shared.weights import load
from srstudy.scoring.evaluation import evaluate
from srstudy.scoring.restoring import restore


def main() -> None:
    """Restore every LR image with the network; write images and scores."""
    arguments = parse(__doc__, "scale", "setting", "test_set")
    scale, setting, test_set = arguments.scale, arguments.setting, arguments.test_set
    model, architecture = load(Path(f"models/x{scale}-{setting}.weights.h5"), scale)
    made_by, network = degradation(architecture.degradation), bind(restore_luma, model)
    evaluate(test_set, scale, setting, made_by, lambda lr: restore(network, lr, scale, made_by))


if __name__ == "__main__":
    run(main)
