"""What is chance: how far trainings that differ by the seed alone are apart.

A table of runs has one row a run and test set: scale, seed, set, method, psnr (the mean over the
set's images, in dB). Intervals are Student's, at 95 %.
"""

import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from srstudy.common.errors import InputError

TABLE = Path("docs/seeds.csv")  # of the default recipe, by `make seeds`
DEGRADATION = "matlab"  # of the default recipe: other scores are not of that size
COLUMNS = ("scale", "seed", "set", "method", "psnr")
UNTRAINED = "bicubic"  # has no seed, so that it says nothing of chance
LEVEL = 0.95
A_LITTLE = 0.1  # dB: a difference below it is called little


def read_runs(text: str, name: str) -> pd.DataFrame:
    """A table of runs from CSV; name: of the file, for the `InputError` that says what it lacks."""
    try:
        runs = pd.read_csv(io.StringIO(text))
        if set(COLUMNS) <= set(runs.columns):
            runs = runs.astype({"scale": int, "psnr": float})[list(COLUMNS)]
            if np.isfinite(runs["psnr"]).all():
                return runs
            found = "a psnr that is no finite number"
        else:
            found = ", ".join(runs.columns)
    except pd.errors.EmptyDataError:
        found = "nothing"
    except ValueError as error:  # a word for a number, or rows of more columns than the first
        found = str(error).partition("\n")[0]
    raise InputError(f"{name}: found {found}; expected the columns {', '.join(COLUMNS)}")


def limits(runs: pd.DataFrame) -> dict[int, tuple[float, int]]:
    """For each scale the difference in dB that is chance, and how many seeds say so.

    Two more trainings, whose seeds differ and nothing else, are less than that apart on a test set
    in 95 % of cases: t * sqrt(2) * s, where s is the standard deviation over seeds, pooled over
    methods and test sets. A seed's methods and test sets share its pretraining, and so they count
    as one: t has seeds - 1 degrees of freedom. A scale with one seed is left out.
    """
    found = {}
    for scale, mine in runs[runs["method"] != UNTRAINED].groupby("scale"):
        groups = mine.groupby(["method", "set"])["psnr"]
        freedom, seeds = groups.count() - 1, mine["seed"].nunique()
        if freedom.sum() > 0:
            # One seed alone of a group has no variance, and weighs nothing.
            variance = (groups.var().fillna(0) * freedom).sum() / freedom.sum()
            found[int(scale)] = (_quantile(seeds) * math.sqrt(2 * variance), seeds)
    return found


def sentence(runs: pd.DataFrame) -> str:
    """Below which differences a table says nothing, in hundredths of a dB, rounded up.

    "" where no scale has two seeds.
    """
    found = limits(runs)
    if not found:
        return ""
    # 0.0300000001 is 0.03.
    values = ", ".join(
        f"{math.ceil(round(limit * 100, 6)) / 100:.2f} dB (x{scale})"
        for scale, (limit, _) in found.items()
    )
    counts = [seeds for _, seeds in found.values()]
    seeds = " to ".join(map(str, sorted({min(counts), max(counts)})))
    return (
        f"Differences below {values} are chance: in 95 % of cases, two trainings that differ by "
        f"the seed alone are no further apart ({seeds} seeds of the default "
        f"recipe: {TABLE})."
    )


def measured() -> pd.DataFrame:
    """The runs of TABLE; none where there is no such file."""
    if not TABLE.is_file():
        return pd.DataFrame(columns=[*COLUMNS])
    return read_runs(TABLE.read_text("utf-8"), str(TABLE))


def notes(degradation: str) -> list[str]:
    """The sentence of TABLE, as the lines that stand under a table: one, or none.

    degradation: that of the table's scores; of another than TABLE's nothing is known.
    """
    return list(filter(None, [sentence(measured())])) if degradation == DEGRADATION else []


def gains(
    runs: pd.DataFrame, method: str = "regularized", reference: str = "plain"
) -> pd.DataFrame:
    """A method's gain over another of the same seed: by scale, mean, low, high, seeds.

    In dB, each seed's a mean over the test sets that both have; low and high are the ends of the
    interval, NaN where there is one seed.
    """
    table = runs.pivot_table(index=["scale", "seed", "set"], columns="method", values="psnr")
    table = table.reindex(columns=[method, reference])
    both = (table[method] - table[reference]).dropna().groupby(["scale", "seed"]).mean()
    rows = {}
    for scale, values in both.groupby("scale"):
        seeds, mean = len(values), float(values.mean())
        half = _quantile(seeds) * float(values.sem()) if seeds > 1 else math.nan
        rows[int(scale)] = {"mean": mean, "low": mean - half, "high": mean + half, "seeds": seeds}
    return pd.DataFrame.from_dict(rows, orient="index")


def verdict(runs: pd.DataFrame, method: str = "regularized", reference: str = "plain") -> str:
    """Whether a method helps, in one sentence: the finding first, then the figures.

    "" where no seed has both.
    """
    found = gains(runs, method, reference)
    if found.empty:
        return ""
    findings: dict[str, list[str]] = {}
    for row in found.itertuples():
        findings.setdefault(_finding(row), []).append(f"x{row.Index}")
    said = [
        finding if len(findings) == 1 else f"at {_listed(scales)} it {finding}"
        for finding, scales in findings.items()
    ]
    figures = ", ".join(
        f"{_signed(row.mean)} dB at x{row.Index} "
        + (
            f"(95 % interval {_signed(row.low)} to {_signed(row.high)}, {row.seeds:.0f} seeds)"
            if row.seeds > 1
            else "(one seed, so there is no interval)"
        )
        for row in found.itertuples()
    )
    subject = "Regularization" if method == "regularized" else f"`{method}`"
    start = f"{subject} " if len(findings) == 1 else f"{subject}: "
    return f"{start}{'; '.join(said)}: {figures}."


def _finding(row) -> str:  # type: ignore[no-untyped-def]  # a row of `gains`
    if row.seeds == 1:
        return "makes a difference that one seed cannot tell from chance"
    if row.low <= 0 <= row.high:
        return "makes no difference that can be told from chance"
    little = " a little" if abs(row.mean) < A_LITTLE else ""
    return f"helps{little}" if row.mean > 0 else f"costs{little}"


def _signed(value: float) -> str:
    return f"{round(value, 3) + 0.0:+.3f}"  # 0.0 makes +0.000 of -0.000


def _quantile(seeds: int) -> float:
    return float(stats.t.ppf((1 + LEVEL) / 2, seeds - 1))


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
