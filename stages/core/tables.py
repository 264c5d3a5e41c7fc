"""The tables of the study: mean scores by test set, scale and method."""

from collections.abc import Sequence

import pandas as pd

# A frame of scores has one row an image and method: test_set, scale, image, method, psnr, ssim.


def means(scores: pd.DataFrame, score: str) -> pd.Series:
    """The mean of a score, by (test set, scale, method), in order of arrival.

    One missing score (equal images have no finite PSNR) leaves the mean out too.
    """
    grouped = scores.groupby(["test_set", "scale", "method"], sort=False)[score]
    return grouped.agg(lambda values: values.mean(skipna=False))


def nested(mean: pd.Series, digits: int) -> dict[str, dict[str, dict[str, float | None]]]:
    """Means as {test set: {x2: {method: value}}}, for metrics files; null for a missing one."""
    result: dict[str, dict[str, dict[str, float | None]]] = {}
    for (test_set, scale, method), value in mean.items():
        entry = result.setdefault(test_set, {}).setdefault(f"x{scale}", {})
        entry[method] = None if pd.isna(value) else round(float(value), digits)
    return result


def for_people(scores: pd.DataFrame) -> str:
    """Mean PSNR and SSIM as text: a row for each test set and scale, a column for each method."""
    texts = []
    for score, title, form in (("psnr", "PSNR in dB", "{:.2f}"), ("ssim", "SSIM", "{:.4f}")):
        table = means(scores, score).unstack("method", sort=False)
        rows = [(f"{test_set} x{scale}") for test_set, scale in table.index]
        cells = table.map(lambda value, form=form: "" if pd.isna(value) else form.format(value))
        cells.insert(0, title, rows)
        texts.append(cells.to_string(index=False))
    return "\n\n".join(texts)


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
