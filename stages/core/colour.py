"""Luma and chroma of ITU-R BT.601: studio swing as MATLAB's rgb2ycbcr, full range as OpenCV's.

Images are (H, W, 3) RGB or (H, W) grey, uint8. A grey image is taken as luma as it is, without
the studio swing: that is how the literature scores the grey image of Set14.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Swing = Literal["studio", "full"]

_KR, _KB = 0.299, 0.114  # BT.601; green is the rest


def _matrix(swing: Swing) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """RGB to YCbCr on the 0..255 scale: matrix and offset."""
    luma = np.array([_KR, 1 - _KR - _KB, _KB])
    blue = (np.array([0, 0, 1]) - luma) / (2 * (1 - _KB))
    red = (np.array([1, 0, 0]) - luma) / (2 * (1 - _KR))
    if swing == "studio":
        gains, offset = np.array([219.0, 224.0, 224.0]) / 255, np.array([16.0, 128.0, 128.0])
    else:
        gains, offset = np.ones(3), np.array([0.0, 128.0, 128.0])
    return np.stack([luma, blue, red]) * gains[:, None], offset


def luma(image: NDArray[np.uint8], swing: Swing) -> NDArray[np.float64]:
    """The luma of an image on the 0..255 scale (studio swing: 16..235), not rounded."""
    if image.ndim == 2:
        return image.astype(np.float64)
    matrix, offset = _matrix(swing)
    return image @ matrix[0] + offset[0]


def chroma(image: NDArray[np.uint8], swing: Swing) -> NDArray[np.float64]:
    """Cb and Cr of an RGB image, (H, W, 2), centred at 128, not rounded."""
    matrix, offset = _matrix(swing)
    return image @ matrix[1:].T + offset[1:]


def to_rgb(
    luma_plane: NDArray[np.floating], chroma_planes: NDArray[np.floating], swing: Swing
) -> NDArray[np.float64]:
    """RGB (H, W, 3) of a luma (H, W) and chroma planes (H, W, 2): not rounded, not clipped."""
    matrix, offset = _matrix(swing)
    ycbcr = np.concatenate([luma_plane[..., None], chroma_planes], axis=-1).astype(np.float64)
    return (ycbcr - offset) @ np.linalg.inv(matrix).T


def to_uint8(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Round half up and clip to 0..255, as MATLAB's uint8() does."""
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)
