"""LR images like photographs: compressed or noisy. The cases of `make robustness`.

LR is made by the degradation `matlab`; then it is compressed as JPEG by OpenCV (libjpeg-turbo,
chroma at half the size: 4:2:0), or gets Gaussian noise. The bytes are always the same: the noise of
an image depends only on its name and the case.
"""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srstudy.common.errors import InputError
from srstudy.datasets.download import fetch
from srstudy.degradations.photo import add_noise
from srstudy.imagefiles.listing import list_images
from srstudy.images.jpeg import decoded_jpeg
from tools.repeats import TEST_SETS

Image = NDArray[np.uint8]
CLEAN, HELD_OUT = "clean", "held-out"
QUALITIES, SIGMAS = (95, 85, 75, 50, 30), (2, 5, 10)
JPEG = {f"jpeg{quality}": quality for quality in QUALITIES}
NOISE = {f"noise{sigma}": sigma for sigma in SIGMAS}
CASES = (CLEAN, *JPEG, *NOISE)


def spoiled(lr: Image, case: str, name: str) -> Image:
    """An LR image, uint8 (h, w[, 3]), in one of CASES; name: of the image."""
    if case in JPEG:
        return decoded_jpeg(lr, JPEG[case])
    if case in NOISE:
        digest = hashlib.sha256(f"{name} {case}".encode()).digest()
        random = np.random.default_rng(int.from_bytes(digest[:8], "big"))
        return add_noise(lr, NOISE[case], random)
    if case != CLEAN:
        raise ValueError(f"case: found {case!r}; allowed: {', '.join(CASES)}")
    return lr


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
            f"--sets: found {unknown[0]!r}; allowed: {HELD_OUT} alone, or "
            f"{', '.join(TEST_SETS)}, or several of them joined by +"
        )
    return [path for name in names for path in list_images(_folder(name))]


def _folder(name: str) -> Path:
    folder = Path("data/raw") / name
    if not folder.is_dir():
        folder = Path("data/robustness") / name  # not in DVC: a study may not use this set
    if not folder.is_dir():
        fetch(name, folder)
    return folder
