"""A pair of images: low resolution (LR) first, then its high-resolution original (HR)."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Pair(NamedTuple):
    """An LR image or plane and its HR original, uint8; or a batch of such pairs.

    lr: ([n, ]h, w[, C]); hr: ([n, ]h * scale, w * scale[, C]).
    """

    lr: NDArray[np.uint8]
    hr: NDArray[np.uint8]


def crop_to_multiple(image: NDArray[Any], scale: int) -> NDArray[Any]:
    """Remove rows at the bottom and columns at the right: both sides become multiples of scale.

    Raises ValueError if a side of the image (H, W[, C]) is smaller than scale.
    """
    height, width = image.shape[0] // scale * scale, image.shape[1] // scale * scale
    if not height or not width:
        found = f"{image.shape[1]} x {image.shape[0]} pixels"
        raise ValueError(f"an image has {found}; allowed: at least {scale} x {scale}")
    return image[:height, :width]
