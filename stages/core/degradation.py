"""How a low-resolution (LR) image is made from a high-resolution (HR) one, and enlarged again.

    from stages.core.degradation import degrade
    lr = degrade(hr, scale=4, kind="matlab")

`matlab`: MATLAB's antialiased bicubic imresize, what the literature uses.
`opencv`: cv2.resize with INTER_CUBIC and no antialiasing.
"""

from typing import Literal, cast, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.core.resize import Image, imenlarge, imresize

Kind = Literal["matlab", "opencv"]
KINDS: tuple[Kind, ...] = get_args(Kind)


def crop_to_multiple(image: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """Cut rows and columns at the lower right so that both sides are multiples of scale."""
    height, width = image.shape[0] // scale * scale, image.shape[1] // scale * scale
    if not height or not width:
        raise ValueError(f"an image of {image.shape[1]} x {image.shape[0]} pixels is below {scale}")
    return image[:height, :width]


def degrade(image: NDArray[np.uint8], scale: int, kind: Kind = "matlab") -> NDArray[np.uint8]:
    """The LR image of an HR image: crop to a multiple of scale, shrink by scale.

    image: uint8, (H, W) or (H, W, 3). Returns uint8, (H // scale, W // scale[, 3]).
    Raises ValueError for another dtype, an unknown kind, a scale below 1, or an image smaller
    than the scale.
    """
    _check(image, scale, kind)
    image = crop_to_multiple(image, scale)
    height, width = image.shape[0] // scale, image.shape[1] // scale
    return _resize(image, height, width, kind)


def upscale(image: NDArray[np.uint8], scale: int, kind: Kind = "matlab") -> NDArray[np.uint8]:
    """The bicubic enlargement of an LR image by the degradation's own interpolation.

    image: uint8, (H, W) or (H, W, 3). Returns uint8, (H * scale, W * scale[, 3]).
    """
    _check(image, scale, kind)
    return _resize(image, image.shape[0] * scale, image.shape[1] * scale, kind)


def upscale_float(
    planes: NDArray[np.float32], scale: int, kind: Kind = "matlab"
) -> NDArray[np.float32]:
    """As `upscale`, for float32 planes (H, W) or (H, W, C), C <= 4: not rounded, not clipped."""
    if kind == "matlab":
        return imenlarge(planes, scale)
    return _resize(planes, planes.shape[0] * scale, planes.shape[1] * scale, kind)


def _check(image: NDArray[np.uint8], scale: int, kind: str) -> None:
    if image.dtype != np.uint8:
        raise ValueError(f"an image must be uint8, not {image.dtype}")
    if scale < 1:
        raise ValueError(f"scale must be a whole number of at least 1, not {scale}")
    if kind not in KINDS:
        raise ValueError(f"unknown degradation {kind!r}: allowed are {', '.join(KINDS)}")


def _resize(image: Image, height: int, width: int, kind: Kind) -> Image:
    if kind == "matlab":
        return imresize(image, size=(height, width))
    return cast(Image, cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC))
