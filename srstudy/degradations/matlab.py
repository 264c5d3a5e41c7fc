"""MATLAB's antialiased bicubic `imresize`: the degradation of the literature."""

import numpy as np
from numpy.typing import NDArray

from srstudy.images.interpolation import MATLAB_BICUBIC
from srstudy.images.protocols import LITERATURE
from srstudy.images.resize import imresize

DESCRIPTION = "MATLAB's bicubic imresize"
INTERPOLATION = MATLAB_BICUBIC
PROTOCOL = LITERATURE


def degrade(hr: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """Shrink (H, W[, 3]), sides multiples of scale, rounded to 8 bits after each axis."""
    return imresize(hr, size=(hr.shape[0] // scale, hr.shape[1] // scale))
