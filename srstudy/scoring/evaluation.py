"""Scores one method on one test set: writes restored images as PNG, and the scores of each."""

import math
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srstudy.common.ahead import ahead
from srstudy.common.errors import InputError
from srstudy.common.files import whole_folder, write_json
from srstudy.common.progress import progress
from srstudy.datasets.lr_folders import FULL, names, read_pair
from srstudy.degradations.shared.degradation import Degradation
from srstudy.imagefiles.png import write_png
from srstudy.images.protocols import Protocol
from srstudy.scoring.metrics import METRICS
from srstudy.scoring.missing import mean_in_words
from srstudy.scoring.settings import MethodSettings

RESTORED, SCORES = Path("data/restored"), Path("data/scores")
SETTINGS = ("plain", "regularized")
ENSEMBLE = "+"  # as in the literature: EDSR+ is EDSR with self-ensemble
CASCADE = "-cascade"
# In the order of tables and pictures; a study may not have all of them.
METHODS = (
    "bicubic",
    *(f"{setting}{kind}" for setting in SETTINGS for kind in ("", ENSEMBLE, CASCADE)),
)


def methods_at(settings: MethodSettings, scale: int) -> list[str]:
    """The methods that the study scores at a scale, in the order of METHODS."""
    left_out = {f"{name}{ENSEMBLE}" for name in SETTINGS if name not in settings.self_ensemble}
    if scale not in settings.cascade_scales:
        left_out |= {f"{name}{CASCADE}" for name in SETTINGS}
    return [method for method in METHODS if method not in left_out]


def evaluate(
    test_set: str,
    scale: int,
    method: str,
    degradation: Degradation,
    restore: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
) -> None:
    """Restore every LR image of a synthesized test set; write images and scores, print the means.

    restore: LR image uint8 (h, w[, 3]) to HR image uint8 (h * scale, w * scale[, 3]). Every metric
    scores exactly the image that is written, by the degradation's protocol.
    """
    source = Path(f"data/lr/x{scale}/test") / test_set
    images, scores = names(source), dict[str, dict[str, float]]()
    # Three images at a time: one is read, one is restored, one is written and scored.
    with (
        whole_folder(images_folder(scale, method, test_set)) as partial,
        closing(ahead(read_pair(source, FULL, name) for name in images)) as pairs,
        closing(ahead((pair.hr, restore(pair.lr)) for pair in pairs)) as results,
    ):
        shown = progress(images, f"{method} {test_set} x{scale}", len(images), "image")
        for name, (hr, restored) in zip(shown, results, strict=True):
            if restored.dtype != np.uint8 or restored.shape != hr.shape:
                raise InputError(
                    f"{method}: made {restored.dtype} of shape {restored.shape} from {name} at "
                    f"x{scale}; allowed: uint8 of shape {hr.shape}"
                )
            write_png(partial / f"{name}.png", restored)
            scores[name] = scored(degradation.protocol, hr, restored, scale)
    # JSON has no infinity (equal images) and no NaN (image too small for SSIM): both become null.
    rounded = {
        name: {key: round(v, 6) if math.isfinite(v) else None for key, v in entry.items()}
        for name, entry in scores.items()
    }
    write_json(scores_file(scale, method, test_set), rounded)
    means = (
        mean_in_words(metric, [entry[key] for entry in scores.values()])
        for key, metric in METRICS.items()
    )
    print(f"{test_set} x{scale} {method}: {', '.join(means)} (means)")


def scored(
    protocol: Protocol, hr: NDArray[np.uint8], restored: NDArray[np.uint8], scale: int
) -> dict[str, float]:
    """The value of every metric; `InputError` names a metric that fails or returns no number.

    hr and restored: uint8 (H, W[, 3]). They are made read-only, so that a metric cannot change
    them for the next one.
    """
    hr.flags.writeable = restored.flags.writeable = False
    values = {}
    for key, metric in METRICS.items():
        try:
            values[key] = float(metric.function(protocol, hr, restored, scale))
        except Exception as error:  # the metric may be the user's own and raise anything
            words = " ".join(str(error).split())
            raise InputError(f"metric {key}: {type(error).__name__}: {words}") from error
    return values


def images_folder(scale: int, method: str, test_set: str) -> Path:
    """The folder of a method's restored images."""
    return RESTORED / f"x{scale}" / test_set / method


def scores_file(scale: int, method: str, test_set: str) -> Path:
    """The file of a method's scores: {image: {metric: value}}."""
    return SCORES / f"x{scale}" / test_set / f"{method}.json"
