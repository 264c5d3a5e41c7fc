"""Stage `evaluate`: one trained network, scored on one test set.

    python -m stages.evaluate --scale 2 --method plain --test-set set5

Where params.yaml asks for `self_ensemble`, the network is scored a second time as the method
plain+ or regularized+; where it does not, the outputs of that are empty.
"""

import stages.core.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

import argparse
from pathlib import Path

from stages.core.running import run
from stages.core.evaluation import ENSEMBLE, evaluate, line, write_nothing
from stages.core.inference import restore
from stages.core.protocol import Protocol
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

    def score(name: str, ensemble: bool) -> None:
        means = evaluate(
            test_set,
            scale,
            name,
            protocol,
            lambda lr: restore(model, lr, scale, protocol, ensemble),
        )
        print(line(test_set, scale, name, means))

    score(method, ensemble=False)
    if read(EnsembleSettings).self_ensemble:
        score(f"{method}{ENSEMBLE}", ensemble=True)
    else:
        write_nothing(test_set, scale, f"{method}{ENSEMBLE}")


if __name__ == "__main__":
    run(main)
