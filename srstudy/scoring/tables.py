"""The tables of the study: scores by test set, scale and method; one table per metric."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from srstudy.common.errors import InputError
from srstudy.scoring.metrics import METRICS, Metric
from srstudy.scoring.missing import left_out

PROTOCOL = "protocol"  # the key in metrics files for the description of the protocol
LEAST_DIGITS = 4  # decimals in metrics files, also if tables show fewer

# A frame of scores has one row per image and method: test_set, scale, image, method, and a column
# for each of METRICS, NaN for a missing score.


def of_metric(scores: Mapping[str, Any], key: str, path: Path) -> Any:
    """The entry of one of METRICS in a file's mapping by metric.

    Raises InputError if there is no entry: the file was made before the metric was added.
    """
    if key not in scores:
        found = ", ".join(scores) or "nothing"
        raise InputError(f"{path}: found {found}; expected {key} too: run `dvc repro` again")
    return scores[key]


def frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A frame of scores; None is a missing score."""
    return pd.DataFrame(rows).astype(dict.fromkeys(METRICS, float))


def means(scores: pd.DataFrame, score: str) -> pd.Series:
    """The mean of a score by (test set, scale, method), in the order of the rows.

    Over the images that have a score: see `left_out`. NaN if there is none.
    """
    known = scores.assign(**{score: scores[score].mask(left_out(scores, score))})
    grouped = known.groupby(["test_set", "scale", "method"], sort=False)[score]
    return grouped.agg(lambda values: values.mean())


def nested(mean: pd.Series, digits: int) -> dict[str, dict[str, dict[str, float | None]]]:
    """Means as {test set: {x2: {method: value}}} for metrics files; None for a missing mean."""
    result: dict[str, dict[str, dict[str, float | None]]] = {}
    for (test_set, scale, method), value in mean.items():
        entry = result.setdefault(test_set, {}).setdefault(f"x{scale}", {})
        entry[method] = None if pd.isna(value) else round(float(value), digits)
    return result


def summary(scores: pd.DataFrame) -> dict[str, dict[str, dict[str, dict[str, float | None]]]]:
    """The means of each metric, nested, with more digits than tables show."""
    return {
        key: nested(means(scores, key), max(LEAST_DIGITS, metric.digits + 1))
        for key, metric in METRICS.items()
    }


def by_image(scores: pd.DataFrame, test_set: str) -> dict[str, Any]:
    """A test set's scores as {x2: {image: {metric: {method: value}}}}; None for a missing score."""
    content: dict[str, Any] = {}
    for row in scores[scores["test_set"] == test_set].to_dict("records"):
        entry = content.setdefault(f"x{row['scale']}", {}).setdefault(row["image"], {})
        for key, metric in METRICS.items():
            value, digits = row[key], max(LEAST_DIGITS, metric.digits)
            found = None if pd.isna(value) else round(value, digits)
            entry.setdefault(key, {})[row["method"]] = found
    return content


def scales_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """The scores in a file metrics/images/<test set>.json by scale: x2, x4, ..."""
    return {scale: images for scale, images in content.items() if scale != PROTOCOL}


def of_images(contents: Mapping[str, Any]) -> pd.DataFrame:
    """The frame of scores from the files metrics/images/<test set>.json, given by test set.

    The inverse of `by_image`; a metric that a file does not have is missing.
    """
    return frame(
        [
            {"test_set": test_set, "scale": int(scale[1:]), "image": image, "method": method}
            | {key: entry.get(key, {}).get(method) for key in METRICS}
            for test_set, content in contents.items()
            for scale, images in scales_of(content).items()
            for image, entry in images.items()
            for method in next(iter(entry.values()))
        ]
    )


def shown(metric: Metric, value: float | None) -> str:
    """A score as tables show it; an empty text for a missing score."""
    return "" if value is None or pd.isna(value) else f"{value:.{metric.digits}f}"


def for_people(scores: pd.DataFrame) -> str:
    """The means as text: a table per metric, a row per test set and scale, a column per method."""
    texts = []
    for key, metric in METRICS.items():
        table = means(scores, key).unstack("method", sort=False)
        rows = [f"{test_set} x{scale}" for test_set, scale in table.index]
        cells = table.map(partial(shown, metric))
        cells.insert(0, metric.title, rows)
        texts.append(cells.to_string(index=False))
    return "\n\n".join(texts)


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
