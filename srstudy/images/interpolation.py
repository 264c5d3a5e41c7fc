"""Enlarging by interpolation: bicubic as in the literature (MATLAB) and as in OpenCV.

Each degradation names one of them. It enlarges the bicubic baseline, the image inside a network,
and the chroma of restored images.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from srstudy.images.resize import KEYS_A, imenlarge, imresize

OPENCV_A = -0.75
# The smallest side of a network's input, in pixels: its bicubic interpolation mirrors two pixels
# at each edge.
LEAST_SIDE = 2


@dataclass(frozen=True)
class Interpolation:
    """A way to enlarge an image by a whole scale without a shift.

    a: the parameter of its cubic convolution kernel, also used for the enlargement inside networks;
    image: a function from uint8 (h, w[, 3]) and a scale to uint8 (h * scale, w * scale[, 3]);
    planes: the same for float32 (h, w[, C]), C at most 4, not rounded and not clipped.
    """

    a: float
    image: Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]
    planes: Callable[[NDArray[np.float32], int], NDArray[np.float32]]


def _by_matlab(image: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    return imresize(image, size=(image.shape[0] * scale, image.shape[1] * scale))


def _by_opencv(image: NDArray[Any], scale: int) -> NDArray[Any]:
    size = (image.shape[1] * scale, image.shape[0] * scale)
    return cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)


MATLAB_BICUBIC = Interpolation(KEYS_A, _by_matlab, imenlarge)
OPENCV_BICUBIC = Interpolation(OPENCV_A, _by_opencv, _by_opencv)
