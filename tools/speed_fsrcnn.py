"""FSRCNN in OpenCV's dnn_superres, for `make speed`: run with the Python of .bench, which has it.

    python -m tools.speed_fsrcnn alone GRAPH SIDE             prints the seconds of one call
    python -m tools.speed_fsrcnn photo GRAPH SCALE IN OUT     reads, enlarges, writes PNG

It imports nothing of this project, because the project is not installed there.
"""

import sys
import time
from typing import Any

import cv2
import numpy as np

module: Any = cv2  # type checkers see this project's own OpenCV, which has no dnn_superres


def alone(graph: str, side: int) -> float:
    """The time in seconds on a square LR luma plane, after a warm-up; side: its pixels."""
    network = module.dnn.readNetFromTensorflow(graph)
    luma = np.random.default_rng(0).integers(0, 256, (side, side), np.uint8)
    for _ in range(2):
        start = time.perf_counter()
        network.setInput(module.dnn.blobFromImage(luma, 1 / 255))
        network.forward()
    return time.perf_counter() - start


def photo(graph: str, scale: int, source: str, target: str) -> None:
    """Enlarge a file in colour: luma with the network, chroma by interpolation."""
    network = module.dnn_superres.DnnSuperResImpl_create()
    network.readModel(graph)
    network.setModel("fsrcnn", scale)
    if not cv2.imwrite(target, network.upsample(cv2.imread(source))):
        sys.exit(f"error: {target}: cannot be written")


if __name__ == "__main__":
    what, *words = sys.argv[1:]
    if what == "alone":
        print(alone(words[0], int(words[1])))
    else:
        photo(words[0], int(words[1]), *words[2:])
