"""Stage `evaluate`: one trained network, scored on one test set.

python -m stages.evaluate --scale 2 --method plain --test-set set5
"""

import stages.core.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

import argparse
from pathlib import Path

from stages.core.running import run
from stages.core.evaluation import evaluate, line
from stages.core.inference import restore
from stages.core.protocol import Protocol
from stages.core.scales import SCALES
from stages.core.weights import load


def main() -> None:
    """Restore every LR image with the network; write images and scores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=int, choices=SCALES, required=True)
    parser.add_argument("--method", choices=("plain", "regularized"), required=True)
    parser.add_argument("--test-set", required=True)
    arguments = parser.parse_args()
    scale, method, test_set = arguments.scale, arguments.method, arguments.test_set

    model, architecture = load(Path(f"models/x{scale}-{method}.weights.h5"), scale)
    protocol = Protocol(architecture.degradation)
    means = evaluate(
        test_set, scale, method, protocol, lambda lr: restore(model, lr, scale, protocol)
    )
    print(line(test_set, scale, method, means))


if __name__ == "__main__":
    run(main)
