"""The gain of the networks over bicubic interpolation on each image, in the first metric."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from srstudy.scoring.evaluation import METHODS
from srstudy.scoring.metrics import METRICS, first_metric
from srstudy.scoring.tables import scales_of

BASELINE = METHODS[0]


def gains(entry: Mapping[str, Mapping[str, float | None]]) -> dict[str, float | None]:
    """The gain of each method over the baseline on an image; None if one of both has no score.

    entry: {metric: {method: value}}. A gain above 0 is better, also if lower values are better.
    """
    scores, sign = entry[first_metric()], -1 if METRICS[first_metric()].lower_is_better else 1
    least = scores.get(BASELINE)
    return {
        method: None if value is None or least is None else sign * (value - least)
        for method, value in scores.items()
        if method != BASELINE
    }


def mean_gains(content: Mapping[str, Any]) -> dict[str, float | None]:
    """The gain of the first method with a network on each image, as the mean over the scales.

    content: that of metrics/images/<test set>.json. Scales without a gain are left out; None if no
    scale has one.
    """
    found: dict[str, list[float]] = {}
    for images in scales_of(content).values():
        for name, entry in images.items():
            first = next(iter(gains(entry).values()), None)
            found.setdefault(name, []).extend([] if first is None else [first])
    return {name: float(np.mean(values)) if values else None for name, values in found.items()}


def in_words(gain: float | None) -> str:
    """A gain with sign and unit, such as "+3.87 dB"; an empty text for a missing gain."""
    metric = METRICS[first_metric()]
    unit = metric.title.partition(" in ")[2]
    return "" if gain is None else f"{gain:+.{metric.digits}f} {unit}".rstrip()
