"""Luma of ITU-R BT.601: studio swing as MATLAB's rgb2ycbcr has it, full range as OpenCV's.

Images are (H, W, 3) RGB or (H, W) grey, uint8. A grey image is taken as luma as it is, without
the studio swing: that is how the literature scores the grey image of Set14.
"""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Swing = Literal["studio", "full"]

_KR, _KB = 0.299, 0.114  # BT.601; green is the rest


def _of_rgb(swing: Swing) -> tuple[NDArray[np.float64], float]:
    """Luma on the 0..255 scale: its weights of red, green and blue, and its offset."""
    weights = np.array([_KR, 1 - _KR - _KB, _KB])
    return (weights * 219 / 255, 16.0) if swing == "studio" else (weights, 0.0)


def luma(image: NDArray[np.uint8], swing: Swing) -> NDArray[np.float64]:
    """The luma of an image on the 0..255 scale (studio swing: 16..235), not rounded."""
    if image.ndim == 2:
        return image.astype(np.float64)
    weights, offset = _of_rgb(swing)
    return image @ weights + offset


def with_luma(
    image: NDArray[np.float32], luma_plane: NDArray[np.float32], swing: Swing
) -> NDArray[np.float32]:
    """An RGB image (H, W, 3) with another luma (H, W), its chroma as it was: not clipped.

    Chroma is unchanged where red, green and blue change by the same amount.
    """
    weights, offset = _of_rgb(swing)
    own = cv2.transform(image, np.append(weights, offset)[None])
    return image + ((luma_plane - own) / np.float32(weights.sum()))[..., None]


def to_uint8(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Round half up and clip to 0..255, as MATLAB's uint8() does."""
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)
