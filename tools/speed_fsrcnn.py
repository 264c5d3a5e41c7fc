"""FSRCNN in OpenCV's dnn_superres, for `make speed`: run with the Python of .bench, which has it.

    python -m tools.speed_fsrcnn alone GRAPH SCALE SIDE       prints HR megapixels per second
    python -m tools.speed_fsrcnn photo GRAPH SCALE IN OUT     reads, enlarges, writes PNG

It imports nothing of this project, because the project is not installed there.
"""

import statistics
import sys
import time
from typing import Any

import cv2
import numpy as np

REPEATS = 5
module: Any = cv2  # type checkers see this project's own OpenCV, which has no dnn_superres


def alone(graph: str, scale: int, side: int) -> float:
    """HR megapixels per second on an LR luma plane, the median of some runs after a warm-up."""
    network = module.dnn.readNetFromTensorflow(graph)
    luma = np.random.default_rng(0).integers(0, 256, (side, side), np.uint8)
    taken = []
    for _ in range(1 + REPEATS):
        start = time.perf_counter()
        network.setInput(module.dnn.blobFromImage(luma, 1 / 255))
        restored = network.forward()
        taken.append(time.perf_counter() - start)
    return restored.size / 1e6 / statistics.median(taken[1:])


def photo(graph: str, scale: int, source: str, target: str) -> None:
    """Enlarge a file in colour: luma with the network, chroma by interpolation."""
    network = module.dnn_superres.DnnSuperResImpl_create()
    network.readModel(graph)
    network.setModel("fsrcnn", scale)
    if not cv2.imwrite(target, network.upsample(cv2.imread(source))):
        sys.exit(f"error: {target}: cannot be written")


if __name__ == "__main__":
    what, graph, scale, *others = sys.argv[1:]
    if what == "alone":
        print(alone(graph, int(scale), int(others[0])))
    else:
        photo(graph, int(scale), *others)
