"""Enlarging by interpolation: the two bicubic methods of the literature and of OpenCV.

A degradation names the one that its baseline, its networks and the chroma of its restored images
are enlarged by.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from srstudy.images.resize import KEYS_A, imenlarge, imresize

OPENCV_A = -0.75
# Pixels on a side that any network needs: bicubic interpolation inside it mirrors two at each edge.
LEAST_SIDE = 2


@dataclass(frozen=True)
class Interpolation:
    """A way to enlarge an image by a whole scale, that moves no pixel's centre.

    a: the parameter of its cubic convolution kernel, by which a network enlarges inside itself;
    image: uint8 (h, w[, 3]) and a scale, to uint8 (h * scale, w * scale[, 3]);
    planes: the same for float32 (h, w[, C]), C at most 4, neither rounded nor clipped.
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
