"""Luma of ITU-R BT.601, in studio swing (as MATLAB's rgb2ycbcr) or full range (as OpenCV).

Images are (H, W, 3) RGB or (H, W) grey, uint8. The values of a grey image are its luma, without
the studio swing. The literature scores the grey image of Set14 in this way.
"""

from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Swing = Literal["studio", "full"]

_KR, _KB = 0.299, 0.114  # BT.601; green is the rest


def _of_rgb(swing: Swing) -> tuple[NDArray[np.float64], float]:
    """The weights of red, green and blue in luma on the 0..255 scale, and the offset of luma."""
    weights = np.array([_KR, 1 - _KR - _KB, _KB])
    return (weights * 219 / 255, 16.0) if swing == "studio" else (weights, 0.0)


def luma(image: NDArray[np.uint8], swing: Swing) -> NDArray[np.float64]:
    """The luma of an image on the 0..255 scale (studio swing: 16..235), not rounded."""
    if image.ndim == 2:
        return image.astype(np.float64)
    weights, offset = _of_rgb(swing)
    return image @ weights + offset


def colour_differences(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Red, green and blue of an image (H, W, 3), 0..255, minus the pixel's full-range luma.

    All three are 0 for a grey pixel.
    """
    weights, _ = _of_rgb("full")
    return cv2.transform(image, np.eye(3) - weights).astype(np.float32, copy=False)


def with_luma(
    differences: NDArray[np.float32],
    luma_plane: NDArray[np.float32],
    swing: Swing,
    into: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """The RGB image (H, W, 3) with these colour differences and this luma (H, W), 0..255.

    float32, not rounded and not clipped; or written into a uint8 image, rounded and clipped.
    """
    weights, offset = _of_rgb(swing)
    unit = 1 / weights.sum()
    grey = cv2.cvtColor(luma_plane, cv2.COLOR_GRAY2RGB)
    depth = cv2.CV_32F if into is None else cv2.CV_8U
    return cv2.addWeighted(differences, 1, grey, unit, -offset * unit, into, depth)


def to_uint8(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Round half up and clip to 0..255, as MATLAB's uint8() does."""
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)
