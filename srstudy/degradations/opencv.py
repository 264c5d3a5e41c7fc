"""OpenCV's INTER_CUBIC without antialiasing: the degradation of the student project."""

import cv2
import numpy as np
from numpy.typing import NDArray

from srstudy.images.interpolation import OPENCV_BICUBIC
from srstudy.images.protocols import FULL_RANGE

DESCRIPTION = "OpenCV's INTER_CUBIC, no antialias"
INTERPOLATION = OPENCV_BICUBIC
PROTOCOL = FULL_RANGE


def degrade(hr: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """Shrink (H, W[, 3]), sides multiples of scale."""
    size = (hr.shape[1] // scale, hr.shape[0] // scale)
    return cv2.resize(hr, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)
