"""The tables of the study: mean scores by test set, scale and method."""

from collections.abc import Sequence

import pandas as pd

# A frame of scores has one row an image and method: test_set, scale, image, method, psnr, ssim.


def means(scores: pd.DataFrame, score: str) -> pd.DataFrame:
    """The mean of a score: rows (test set, scale), a column for each method, in order of arrival.

    One missing score (equal images have no finite PSNR) leaves the mean out too.
    """
    grouped = scores.groupby(["test_set", "scale", "method"], sort=False)[score]
    mean = grouped.apply(lambda values: values.mean(skipna=False)).unstack("method")
    return mean[list(dict.fromkeys(scores["method"]))]


def nested(table: pd.DataFrame, digits: int) -> dict[str, dict[str, dict[str, float | None]]]:
    """A table of means as {test set: {x2: {method: value}}}, for metrics files."""
    result: dict[str, dict[str, dict[str, float | None]]] = {}
    for (test_set, scale), row in table.iterrows():
        entry = {m: None if pd.isna(v) else round(float(v), digits) for m, v in row.items()}
        result.setdefault(test_set, {})[f"x{scale}"] = entry
    return result


def for_people(scores: pd.DataFrame) -> str:
    """PSNR and SSIM of every method, as text of at most 100 columns for three methods."""
    psnr, ssim = means(scores, "psnr"), means(scores, "ssim")
    text = psnr.map("{:.2f}".format) + " / " + ssim.map("{:.4f}".format)
    text.index.names = ["", ""]
    text.index = text.index.set_levels([f"x{s}" for s in text.index.levels[1]], level=1)
    text.columns.name = "PSNR in dB / SSIM"
    return text.to_string()


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
