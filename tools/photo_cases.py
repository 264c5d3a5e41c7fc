"""LR images like photographs: compressed or noisy. The cases of `make robustness`.

LR is made by the degradation `matlab`; then it is compressed as JPEG by OpenCV (libjpeg-turbo,
chroma at half the size: 4:2:0), or gets Gaussian noise. The bytes are always the same: the noise of
an image depends only on its name and the case.
"""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from srstudy.common.errors import InputError
from srstudy.datasets.download import fetch
from srstudy.imagefiles.listing import list_images
from tools.repeats import TEST_SETS

Image = NDArray[np.uint8]
CLEAN, HELD_OUT = "clean", "held-out"
QUALITIES, SIGMAS = (95, 85, 75, 50, 30), (2, 5, 10)


def compressed(lr: Image, _: np.random.Generator, quality: int) -> Image:
    """An image, uint8 (h, w) grey or (h, w, 3) RGB, after JPEG compression."""
    how = [cv2.IMWRITE_JPEG_QUALITY, quality]
    how += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    _written, content = cv2.imencode(".jpg", _channels_turned(lr), how)
    decoded: Any = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    return _channels_turned(decoded)


def noisy(lr: Image, generator: np.random.Generator, sigma: float) -> Image:
    """An image, uint8 (h, w[, 3]), with Gaussian noise on each value, rounded.

    sigma: its standard deviation, in grey levels.
    """
    return np.clip(np.rint(lr + generator.normal(0, sigma, lr.shape)), 0, 255).astype(np.uint8)


CASES: dict[str, Callable[[Image, np.random.Generator], Image]] = {
    CLEAN: lambda lr, _: lr,
    **{f"jpeg{quality}": partial(compressed, quality=quality) for quality in QUALITIES},
    **{f"noise{sigma}": partial(noisy, sigma=sigma) for sigma in SIGMAS},
}


def spoiled(lr: Image, case: str, name: str) -> Image:
    """An LR image, uint8 (h, w[, 3]), in one of CASES; name: of the image."""
    digest = hashlib.sha256(f"{name} {case}".encode()).digest()
    return CASES[case](lr, np.random.default_rng(int.from_bytes(digest[:8], "big")))


def images(sets: str) -> list[Path]:
    """The files of test sets, joined by "+", or those of data/held-out.txt.

    They are fetched if data/ does not have them. `InputError` names a set that is not allowed.
    """
    names = sets.split("+")
    if sets == HELD_OUT:
        from tools import held_out  # starts TensorFlow

        return held_out.images()
    if unknown := [name for name in names if name not in TEST_SETS]:
        raise InputError(
            f"--sets: found {unknown[0]!r}; allowed: {HELD_OUT}, {', '.join(TEST_SETS)}, or "
            "several of these joined by +"
        )
    return [path for name in names for path in list_images(_folder(name))]


def _folder(name: str) -> Path:
    folder = Path("data/raw") / name
    if not folder.is_dir():
        folder = Path("data/robustness") / name  # not in DVC: a study may not use this set
    if not folder.is_dir():
        fetch(name, folder)
    return folder


def _channels_turned(image: Image) -> Image:
    """From RGB to OpenCV's order of channels, and back; grey images are not changed."""
    return image if image.ndim == 2 else np.ascontiguousarray(image[..., ::-1])
