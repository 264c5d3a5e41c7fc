"""Scoring one method on one test set: restored images as PNG files, and a score for each."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.core.files import whole_folder, write_json
from stages.core.images import write_png
from stages.core.lr_folders import FULL, names, read_pair
from stages.core.progress import progress
from stages.core.protocol import Protocol
from stages.core.scores import psnr, ssim

SCORES = Path("data/scores")
# In the order of tables and pictures; a method may be missing at a scale.
ENSEMBLE = "+"  # as in the literature, where EDSR+ is EDSR with self-ensemble
METHODS = (
    "bicubic",
    "plain",
    f"plain{ENSEMBLE}",
    "plain-cascade",
    "regularized",
    f"regularized{ENSEMBLE}",
    "regularized-cascade",
)


def evaluate(
    test_set: str,
    scale: int,
    method: str,
    protocol: Protocol,
    restore: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
) -> dict[str, float]:
    """Restore every LR image of a synthesized test set, write the images and their scores.

    restore: LR image uint8 (h, w[, 3]) to HR image uint8 (h * scale, w * scale[, 3]). What is
    scored is the luma of the very image that is written. Returns the mean scores.
    """
    source = Path(f"data/lr/x{scale}/test") / test_set
    images, scores = names(source), dict[str, dict[str, float]]()
    with whole_folder(images_folder(scale, method, test_set)) as partial:
        for name in progress(images, f"{method} {test_set} x{scale}", len(images), "image"):
            hr, lr = read_pair(source, FULL, name)
            restored = restore(lr)
            write_png(partial / f"{name}.png", restored)
            true, found = (protocol.crop(protocol.luma(image), scale) for image in (hr, restored))
            scores[name] = {"psnr": psnr(true, found), "ssim": ssim(true, found)}
    # JSON has no infinity (equal images) and no NaN (too small for SSIM): null stands for both.
    rounded = {
        name: {key: round(v, 6) if math.isfinite(v) else None for key, v in entry.items()}
        for name, entry in scores.items()
    }
    write_json(scores_file(scale, method, test_set), rounded)
    return {
        key: float(np.mean([entry[key] for entry in scores.values()])) for key in ("psnr", "ssim")
    }


def write_nothing(test_set: str, scale: int, method: str) -> None:
    """Empty outputs, for a method that is not wanted: pictures and table can depend on them."""
    with whole_folder(images_folder(scale, method, test_set)):
        write_json(scores_file(scale, method, test_set), {})


def images_folder(scale: int, method: str, test_set: str) -> Path:
    """Where a method's restored images lie."""
    return Path(f"data/restored/x{scale}") / method / test_set


def scores_file(scale: int, method: str, test_set: str) -> Path:
    """Where a method's scores lie: {image: {psnr, ssim}}."""
    return SCORES / f"x{scale}-{method}-{test_set}.json"


def line(test_set: str, scale: int, method: str, means: dict[str, Any]) -> str:
    """One line for the terminal."""
    return f"{test_set} x{scale} {method}: {means['psnr']:.2f} dB, SSIM {means['ssim']:.4f} (means)"
