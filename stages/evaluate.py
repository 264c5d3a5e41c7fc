"""Stage `evaluate`: one trained network, scored on one test set.

    python -m stages.evaluate --scale 2 --method plain --test-set set5

Where params.yaml asks for `self_ensemble`, the network is scored a second time as the method
plain+ or regularized+; where it does not, the outputs of that are empty.
"""

import stages.core.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

import argparse
from functools import partial as bind
from pathlib import Path

from stages.core.running import run
from stages.core.evaluation import ENSEMBLE, evaluate, line, write_nothing
from stages.core.inference import restore_luma
from stages.core.protocol import Protocol
from stages.core.restoring import RestoreLuma, in_all_orientations, restore
from stages.core.scales import SCALES
from stages.core.settings.data import EnsembleSettings
from stages.core.settings.reader import read
from stages.core.weights import load


def main() -> None:
    """Restore every LR image with the network, and once more in eight ways; write the scores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=int, choices=SCALES, required=True)
    parser.add_argument("--method", choices=("plain", "regularized"), required=True)
    parser.add_argument("--test-set", required=True)
    arguments = parser.parse_args()
    scale, method, test_set = arguments.scale, arguments.method, arguments.test_set

    model, architecture = load(Path(f"models/x{scale}-{method}.weights.h5"), scale)
    protocol = Protocol(architecture.degradation)

    def score(name: str, by_network: RestoreLuma) -> None:
        means = evaluate(
            test_set, scale, name, protocol, lambda lr: restore(by_network, lr, scale, protocol)
        )
        print(line(test_set, scale, name, means))

    once = bind(restore_luma, model)
    score(method, once)
    if read(EnsembleSettings).self_ensemble:
        score(f"{method}{ENSEMBLE}", in_all_orientations(once))
    else:
        write_nothing(test_set, scale, f"{method}{ENSEMBLE}")


if __name__ == "__main__":
    run(main)
