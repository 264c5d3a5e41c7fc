"""LR images like photographs: shrunk by MATLAB's bicubic `imresize`, noisy, compressed as JPEG.

The strengths of each training image are drawn at random from the ranges in params.yaml under
`strengths.photo`. Test images always have the same: JPEG of quality 75, no noise.
"""

import numpy as np
from numpy.typing import NDArray

from srstudy.images.colour import to_uint8
from srstudy.images.interpolation import MATLAB_BICUBIC
from srstudy.images.jpeg import decoded_jpeg
from srstudy.images.protocols import LITERATURE
from srstudy.images.resize import imresize

TEST_QUALITY = 75
DESCRIPTION = f"photo: MATLAB's bicubic imresize, then JPEG of quality {TEST_QUALITY} (4:2:0)"
INTERPOLATION = MATLAB_BICUBIC
PROTOCOL = LITERATURE
# The range of each strength in params.yaml: (least, most).
STRENGTHS = {
    "compressed": (0.0, 1.0),
    "quality": (1, 100),
    "noisy": (0.0, 1.0),
    "noise": (0.0, 100.0),
}


def degrade(hr: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """Shrink and compress (H, W[, 3]), sides multiples of scale, at the fixed test strength."""
    return decoded_jpeg(_shrink(hr, scale), TEST_QUALITY)


def degrade_at_random(
    hr: NDArray[np.uint8],
    scale: int,
    random: np.random.Generator,
    compressed: float = 0.75,
    quality: tuple[int, int] = (15, 85),
    noisy: float = 0.5,
    noise: tuple[float, float] = (0.0, 15.0),
) -> NDArray[np.uint8]:
    """Shrink (H, W[, 3]), sides multiples of scale; then random noise, rounding and JPEG.

    compressed: the share of images that get JPEG; noisy: the share that get noise; quality: of
    JPEG, 1 .. 100; noise: standard deviation in grey levels, independent for each channel.
    """
    # All values are drawn, even if unused: so a change of one range does not change the others.
    is_compressed, is_noisy = random.random() < compressed, random.random() < noisy
    drawn_quality = int(random.integers(quality[0], quality[1], endpoint=True))
    sigma = random.uniform(*noise)
    lr = _shrink(hr, scale)
    if is_noisy:
        lr = add_noise(lr, sigma, random)
    return decoded_jpeg(lr, drawn_quality) if is_compressed else lr


def add_noise(
    image: NDArray[np.uint8], sigma: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    """Gaussian noise of sigma grey levels on each channel of (H, W[, 3]), rounded and clipped."""
    return to_uint8(image + random.normal(0, sigma, image.shape))


def _shrink(hr: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    return imresize(hr, size=(hr.shape[0] // scale, hr.shape[1] // scale))
