"""Conversion of CIE L*a*b* (D50, as in ICC profiles and Photoshop's TIFF files) to sRGB."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# From XYZ (D50) to linear sRGB, with Bradford's adaptation: the inverse of the sRGB profile's
# matrix.
SRGB = np.linalg.inv(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169],
     [0.0139322, 0.0971045, 0.7141733]]
)  # fmt: skip
D50 = np.array([0.96422, 1.0, 0.82521])
ROWS = 256  # computed at a time: intermediate values take eight bytes each


def srgb_of_lab(stored: NDArray[Any]) -> NDArray[Any]:
    """The sRGB image (H, W, 3) of L*a*b* values as TIFF stores them; uint8 or uint16, as given.

    L* (0..100) is stored as 0 to the type's maximum; a* and b* are signed, in units of 1 (uint8) or
    1/256 (uint16). Colours outside sRGB are clipped.
    """
    image = np.empty(stored.shape, stored.dtype)
    for top in range(0, len(stored), ROWS):
        image[top : top + ROWS] = _srgb(stored[top : top + ROWS])
    return image


def _srgb(stored: NDArray[Any]) -> NDArray[Any]:
    most, deep = np.iinfo(stored.dtype).max, stored.dtype == np.uint16
    lightness = stored[..., 0] * (100 / most)
    signed: NDArray[Any] = stored[..., 1:].astype(np.int16 if deep else np.int8)
    a, b = np.moveaxis(signed / (256 if deep else 1), -1, 0)
    y = (lightness + 16) / 116
    f = np.stack([y + a / 500, y, y - b / 200], axis=-1)
    xyz = np.where(f > 6 / 29, f**3, (116 * f - 16) * 27 / 24389) * D50
    linear = np.clip(xyz @ SRGB.T, 0, 1)
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(curve * most).astype(stored.dtype)
