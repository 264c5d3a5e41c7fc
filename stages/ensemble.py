"""Stage `ensemble`: the self-ensemble of a trained network, scored on one test set.

    python -m stages.ensemble --scale 2 --setting plain --test-set set5

The methods are named plain+ and regularized+. An equivariant network gains nothing from it.
"""

import srstudy.backend.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

from functools import partial as bind
from pathlib import Path

from srstudy.common.command_line import parse
from srstudy.common.running import run
from srstudy.degradations.shared.degradation import degradation
from srstudy.networks.shared.inference import restore_luma
from srstudy.networks.shared.weights import load
from srstudy.scoring.evaluation import ENSEMBLE, evaluate
from srstudy.scoring.restoring import restore, self_ensemble


def main() -> None:
    """Restore every LR image in eight orientations; write the mean images and the scores."""
    arguments = parse(__doc__, "scale", "setting", "test_set")
    scale, setting, test_set = arguments.scale, arguments.setting, arguments.test_set
    model, architecture = load(Path(f"models/x{scale}-{setting}.weights.h5"), scale)
    made_by = degradation(architecture.degradation)
    network = self_ensemble(bind(restore_luma, model))
    method = f"{setting}{ENSEMBLE}"
    evaluate(test_set, scale, method, made_by, lambda lr: restore(network, lr, scale, made_by))


if __name__ == "__main__":
    run(main)
