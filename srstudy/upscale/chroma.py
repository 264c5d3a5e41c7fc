"""Chroma without colour noise: variations of chroma that luma does not have are smoothed.

JPEG stores chroma at half the size, so colours bleed over edges. Noise is as strong in chroma as
in luma, but the network removes it only in luma. Here the colour differences of the LR image are
fitted around each pixel by a linear function of luma: the guided filter of He, Sun and Tang,
"Guided image filtering" (2013). Its guide is the restored luma, shrunk to the size of the LR image.
The residual of the fit is kept as far as it is stronger than noise, as in Wiener's filter: so
colour edges without an edge in luma remain. Chosen on held-out images: docs/chroma.csv
(`python -m tools.chroma`).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from srstudy.images.colour import colour_differences

# Degradations whose LR images have noise and JPEG: networks trained on them need this filter.
CLEANED = ("photo",)
RADIUS = 2  # of the fit, in LR pixels
REACH = 3 * RADIUS  # how far, in LR pixels, the result depends on its surroundings
FLAT = 4.0  # variance of luma below which a fit is not useful
LEAST_NOISE = 4.0  # variance that always counts as noise: the errors of JPEG are smooth
# The noise is measured in bands of rows at equal distances in the image.
BANDS, ROWS = 32, 16
LAPLACIAN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
MAD = 0.6745  # median of the absolute value / standard deviation, for a normal distribution


def chroma_noise(image: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.float32]:
    """The variance of the noise in the colour differences of an image (H, W, 3): (3,), values on
    the 0..255 scale.

    From the median of a difference of second derivatives: J. Immerkaer, "Fast noise variance
    estimation" (1996).
    """
    unit = np.float32(np.iinfo(image.dtype).max / 255)
    found = []
    for top in np.unique(np.linspace(0, max(0, len(image) - ROWS), BANDS).astype(int)):
        band = colour_differences(image[top : top + ROWS].astype(np.float32) / unit)
        found.append(np.abs(cv2.filter2D(band, -1, LAPLACIAN)).reshape(-1, 3))
    deviation = np.median(np.concatenate(found), axis=0) / (MAD * np.linalg.norm(LAPLACIAN))
    return (deviation**2).astype(np.float32)


def with_clean_chroma(
    lr: NDArray[np.float32], restored: NDArray[np.float32], noise: NDArray[np.float32]
) -> NDArray[np.float32]:
    """An LR image (h, w, 3) with its own luma and filtered colour differences, float32, 0..255.

    restored: its restored luma, (h * scale, w * scale); noise: as from `chroma_noise`.
    """
    guide = np.empty(lr.shape[:2], np.float32)
    cv2.resize(restored, guide.shape[::-1], guide, interpolation=cv2.INTER_AREA)
    differences = colour_differences(lr)
    return lr - differences + filtered(differences, guide, noise + np.float32(LEAST_NOISE))


def filtered(
    planes: NDArray[np.float32],
    guide: NDArray[np.float32],
    noise: NDArray[np.float32],
    radius: int = RADIUS,
) -> NDArray[np.float32]:
    """Planes (h, w, c), filtered with a guide (h, w); noise: the variance in each plane, (c,)."""
    luma = guide[..., None] - np.float32(128)  # squares of smaller numbers are more exact
    mean, mean_luma = _mean(planes, radius), _mean(luma, radius)
    variance = _mean(luma * luma, radius) - mean_luma**2
    slope = (_mean(luma * planes, radius) - mean_luma * mean) / (variance + np.float32(FLAT))
    fit = _mean(slope, radius) * luma + _mean(mean - slope * mean_luma, radius)
    rest = planes - fit
    power = np.maximum(_mean(rest * rest, radius), np.float32(1e-6))
    return fit + rest * np.maximum(0, 1 - noise / power)


def _mean(planes: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    side, means = 2 * radius + 1, np.empty_like(planes)
    cv2.blur(planes, (side, side), means, borderType=cv2.BORDER_REFLECT)
    return means
