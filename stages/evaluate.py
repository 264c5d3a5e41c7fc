"""Stage `evaluate`: one trained network, scored on one test set.

    python -m stages.evaluate --scale 2 --setting plain --test-set set5

Where params.yaml asks for `self_ensemble`, the network is scored a second time as the method
plain+ or regularized+; where it does not, the outputs of that are empty.
"""

import srstudy.backend.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

from functools import partial as bind
from pathlib import Path

from srstudy.common.command_line import parse
from srstudy.common.params import read
from srstudy.common.running import run
from srstudy.degradations.shared.degradation import degradation
from srstudy.networks.shared.inference import restore_luma
from srstudy.networks.shared.weights import load
from srstudy.scoring.restoring import RestoreLuma, restore, self_ensemble
from srstudy.scoring.evaluation import ENSEMBLE, evaluate, write_nothing
from srstudy.scoring.settings import EnsembleSettings


def main() -> None:
    """Score the network, and its self-ensemble where params.yaml asks for it."""
    arguments = parse(__doc__, "scale", "setting", "test_set")
    scale, setting, test_set = arguments.scale, arguments.setting, arguments.test_set
    model, architecture = load(Path(f"models/x{scale}-{setting}.weights.h5"), scale)
    made_by = degradation(architecture.degradation)

    def score(method: str, network: RestoreLuma) -> None:
        evaluate(test_set, scale, method, made_by, lambda lr: restore(network, lr, scale, made_by))

    single_pass = bind(restore_luma, model)
    score(setting, single_pass)
    if read(EnsembleSettings).self_ensemble:
        score(f"{setting}{ENSEMBLE}", self_ensemble(single_pass))
    else:
        write_nothing(test_set, scale, f"{setting}{ENSEMBLE}")


if __name__ == "__main__":
    run(main)
