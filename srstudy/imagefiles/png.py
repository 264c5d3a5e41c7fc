"""Writing PNG files."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


def write_png(path: Path, image: NDArray[np.uint8]) -> None:
    """Write a uint8 array, (H, W) or (H, W, 3) RGB, as PNG: the same bytes every time."""
    bgr = image if image.ndim == 2 else np.ascontiguousarray(image[..., ::-1])
    # Level 6 takes three times as long and saves 2 to 7 %.
    done, data = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise ValueError(f"{path}: OpenCV could not encode {image.shape} {image.dtype}")
    path.write_bytes(data.tobytes())
