"""Images without a finite score: the means leave them out, and a line under the tables names them.

An image that is restored exactly, such as a blank page, has an infinite PSNR. An image smaller than
SSIM's window has no SSIM.
"""

import math
from collections.abc import Collection, Sequence

import pandas as pd

from srstudy.scoring.metrics import METRICS, Metric

NAMED = 8  # image names in a line; of the others, the line gives only the number


def left_out(scores: pd.DataFrame, key: str) -> pd.Series:
    """Which rows of a frame of scores (see tables.py) the means of a metric leave out, as bools.

    If one method has no score for an image, the image is left out for all methods of that test set
    and scale, so that they are compared on the same images. A method without any score is ignored.
    """
    missing, place = scores[key].isna(), [scores["test_set"], scores["scale"]]
    never = missing.groupby([*place, scores["method"]]).transform("all")
    return (missing & ~never).groupby([*place, scores["image"]]).transform("any")


def missing_scores(scores: pd.DataFrame, keys: Collection[str] = METRICS.keys()) -> list[str]:
    """One line per test set and metric: the images that are left out of the means.

    keys: the metrics, from METRICS.
    """
    places: dict[tuple[str, str], list[str]] = {}
    for key in keys:
        out, name = left_out(scores, key), short_title(METRICS[key])
        for (test_set, scale), mine in scores.groupby(["test_set", "scale"], sort=False):
            images, found = mine["image"].unique(), mine.loc[out[mine.index], "image"].unique()
            by_method = mine.groupby("method", sort=False)[key]
            never = [method for method, values in by_method if values.isna().all()]
            if len(found):
                few = f"{len(images) - len(found)} of {len(images)} images"
                text = f"mean {name} of {few}; no finite {name}: {_listed(found)}"
                places.setdefault((test_set, text), []).append(f"x{scale}")
            if never:
                whose = "" if len(never) == len(by_method) else f" by {', '.join(never)}"
                text = f"no image has a finite {name}{whose}"
                places.setdefault((test_set, text), []).append(f"x{scale}")
    return [f"{name} {', '.join(scales)}: {text}" for (name, text), scales in places.items()]


def mean_in_words(metric: Metric, values: Sequence[float]) -> str:
    """A metric's title and the mean of its finite values; their number too, if some are missing."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return f"{metric.title}: no finite value"
    few = f" ({len(finite)} of {len(values)} images)" if len(finite) < len(values) else ""
    return f"{metric.title} {sum(finite) / len(finite):.{metric.digits}f}{few}"


def short_title(metric: Metric) -> str:
    """The name of a metric in a sentence: its title without the unit."""
    return metric.title.partition(" in ")[0]


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
