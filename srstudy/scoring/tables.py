"""The tables of the study: the scores by test set, scale and method, a table for each metric."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from srstudy.common.errors import InputError
from srstudy.scoring.metrics import METRICS, Metric
from srstudy.scoring.missing import left_out

PROTOCOL = "protocol"  # the key of a metrics file that says how its scores were made
LEAST_DIGITS = 4  # of what metrics files hold, however few of them tables show

# A frame of scores has one row an image and method: test_set, scale, image, method, and a column
# for each of METRICS, NaN where there is no score.


def of_metric(scores: Mapping[str, Any], key: str, path: Path) -> Any:
    """What a file's mapping by metric has for one of METRICS.

    Raises InputError where it has nothing: the file was made before that metric was there.
    """
    if key not in scores:
        found = ", ".join(scores) or "nothing"
        raise InputError(f"{path}: found {found}; expected {key} too: run `dvc repro` again")
    return scores[key]


def frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A frame of scores; None stands for a missing one."""
    return pd.DataFrame(rows).astype(dict.fromkeys(METRICS, float))


def means(scores: pd.DataFrame, score: str) -> pd.Series:
    """The mean of a score, by (test set, scale, method), in order of arrival.

    Over the images that have one: see `left_out`. NaN where none has.
    """
    known = scores.assign(**{score: scores[score].mask(left_out(scores, score))})
    grouped = known.groupby(["test_set", "scale", "method"], sort=False)[score]
    return grouped.agg(lambda values: values.mean())


def nested(mean: pd.Series, digits: int) -> dict[str, dict[str, dict[str, float | None]]]:
    """Means as {test set: {x2: {method: value}}}, for metrics files; null for a missing one."""
    result: dict[str, dict[str, dict[str, float | None]]] = {}
    for (test_set, scale, method), value in mean.items():
        entry = result.setdefault(test_set, {}).setdefault(f"x{scale}", {})
        entry[method] = None if pd.isna(value) else round(float(value), digits)
    return result


def summary(scores: pd.DataFrame) -> dict[str, dict[str, dict[str, dict[str, float | None]]]]:
    """The means of each metric, nested, one digit finer than tables show them."""
    return {
        key: nested(means(scores, key), max(LEAST_DIGITS, metric.digits + 1))
        for key, metric in METRICS.items()
    }


def by_image(scores: pd.DataFrame, test_set: str) -> dict[str, Any]:
    """A test set's scores as {x2: {image: {metric: {method: value}}}}; null for a missing one."""
    content: dict[str, Any] = {}
    for row in scores[scores["test_set"] == test_set].to_dict("records"):
        entry = content.setdefault(f"x{row['scale']}", {}).setdefault(row["image"], {})
        for key, metric in METRICS.items():
            value, digits = row[key], max(LEAST_DIGITS, metric.digits)
            found = None if pd.isna(value) else round(value, digits)
            entry.setdefault(key, {})[row["method"]] = found
    return content


def scales_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """Of a file metrics/images/<test set>.json what it has for each scale, by x2, x4, ..."""
    return {scale: images for scale, images in content.items() if scale != PROTOCOL}


def of_images(contents: Mapping[str, Any]) -> pd.DataFrame:
    """The frame of scores of the files metrics/images/<test set>.json, by test set.

    The other way round than `by_image`; what a file lacks of METRICS is missing.
    """
    return frame(
        [
            {
                **{"test_set": test_set, "scale": int(scale[1:]), "image": image, "method": method},
                **{key: entry.get(key, {}).get(method) for key in METRICS},
            }
            for test_set, content in contents.items()
            for scale, images in scales_of(content).items()
            for image, entry in images.items()
            for method in next(iter(entry.values()))
        ]
    )


def shown(metric: Metric, value: float | None) -> str:
    """A score as tables show it; nothing for a missing one."""
    return "" if value is None or pd.isna(value) else f"{value:.{metric.digits}f}"


def for_people(scores: pd.DataFrame) -> str:
    """Mean scores as text: for each metric a row a test set and scale, a column a method."""
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
