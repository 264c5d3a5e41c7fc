"""Which differences are chance: the differences between trainings that differ only by the seed.

A table of runs has one row per run and test set: scale, seed, set, method, psnr (the mean over the
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
DEGRADATION = "matlab"  # of the default recipe: scores of others cannot be compared with it
COLUMNS = ("scale", "seed", "set", "method", "psnr")
UNTRAINED = "bicubic"  # has no seed, so it tells nothing about chance
LEVEL = 0.95
A_LITTLE = 0.1  # dB: a smaller difference is called "a little"


def read_runs(text: str, name: str) -> pd.DataFrame:
    """A table of runs from CSV; name: the file's name, for the `InputError` about a fault."""
    try:
        runs = pd.read_csv(io.StringIO(text))
        if set(COLUMNS) <= set(runs.columns):
            runs = runs.astype({"scale": int, "psnr": float})[list(COLUMNS)]
            if not np.isfinite(runs["psnr"]).all():
                found = "a psnr that is not a finite number"
            elif runs.duplicated([*COLUMNS[:-1]]).any():
                found = "a run twice"
            else:
                return runs
        else:
            found = ", ".join(runs.columns)
    except pd.errors.EmptyDataError:
        found = "nothing"
    except ValueError as error:  # text for a number, or a row with more columns than the first
        found = str(error).partition("\n")[0]
    raise InputError(f"{name}: found {found}; expected the columns {', '.join(COLUMNS)}")


def limits(runs: pd.DataFrame) -> dict[int, tuple[float, int]]:
    """For each scale, the largest difference in dB that is chance, and the number of seeds.

    Two new trainings that differ only by the seed differ by less than this on a test set in 95 % of
    cases: t * sqrt(2) * s, where s is the standard deviation over seeds, pooled over methods and
    test sets. Methods and test sets of one seed share its pretraining, so they count as one sample:
    t has seeds - 1 degrees of freedom. A scale with one seed is left out.
    """
    found = {}
    for scale, mine in runs[runs["method"] != UNTRAINED].groupby("scale"):
        groups = mine.groupby(["method", "set"])["psnr"]
        freedom, seeds = groups.count() - 1, mine["seed"].nunique()
        if freedom.sum() > 0:
            # A group with only one seed has no variance and the weight 0.
            variance = (groups.var().fillna(0) * freedom).sum() / freedom.sum()
            found[int(scale)] = (_quantile(seeds) * math.sqrt(2 * variance), seeds)
    return found


def sentence(runs: pd.DataFrame) -> str:
    """The sentence on differences that are chance, in hundredths of a dB, rounded up.

    "" if no scale has two seeds.
    """
    found = limits(runs)
    if not found:
        return ""
    # The inner rounding keeps 0.0300000001 from becoming 0.04.
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
    """The runs of TABLE; an empty table if there is no such file."""
    if not TABLE.is_file():
        return pd.DataFrame(columns=[*COLUMNS])
    return read_runs(TABLE.read_text("utf-8"), str(TABLE))


def notes(degradation: str, scales: Sequence[int]) -> list[str]:
    """The lines on chance under a table of scores: one line or none.

    degradation, scales: those of the table's scores. TABLE tells nothing about others.
    """
    runs = measured()
    said = sentence(runs[runs["scale"].isin(scales)])
    return [said] if said and degradation == DEGRADATION else []


def gains(
    runs: pd.DataFrame, method: str = "regularized", reference: str = "plain"
) -> pd.DataFrame:
    """A method's gain over a reference with the same seed: by scale, mean, low, high, seeds.

    In dB. The gain of a seed is the mean over the test sets that both have. low and high are the
    ends of the interval, NaN if there is only one seed.
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
    """Whether a method helps, in one sentence: first the finding, then the figures.

    "" if no seed has both methods.
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
    return f"{round(value, 3) + 0.0:+.3f}"  # adding 0.0 turns -0.000 into +0.000


def _quantile(seeds: int) -> float:
    return float(stats.t.ppf((1 + LEVEL) / 2, seeds - 1))


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
