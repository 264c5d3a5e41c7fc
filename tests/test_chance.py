"""Which differences are chance, and the sentences about them."""

import itertools
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from srstudy.common.errors import InputError
from srstudy.scoring import chance
from tests.imports import ROOT

PSNR = {2: 37.5, 4: 31.4}


def _runs(values: dict[tuple[int, str, str], list[float]]) -> pd.DataFrame:
    """A table of runs from the PSNR of seeds 1, 2, ... by (scale, set, method)."""
    rows = [
        (scale, seed, name, method, value)
        for (scale, name, method), psnr in values.items()
        for seed, value in enumerate(psnr, 1)
    ]
    return pd.DataFrame(rows, columns=list(chance.COLUMNS))


def _gaining(*gains: float, scale: int = 2) -> dict[tuple[int, str, str], list[float]]:
    """Runs with very different seeds, in which the regularized network has these gains."""
    plain = [PSNR[scale] + seed for seed in range(len(gains))]
    both = {"plain": plain, "regularized": [p + g for p, g in zip(plain, gains, strict=True)]}
    return {(scale, "set5", method): values for method, values in both.items()}


def test_limit_is_the_quantile_of_the_difference_of_two_runs() -> None:
    # Two seeds 0.02 dB apart: s = 0.02 / sqrt(2), and t at 97.5 % and 1 degree of freedom 12.706.
    runs = _runs({(4, "set5", "plain"): [31.40, 31.42]})
    ((scale, (limit, seeds)),) = chance.limits(runs).items()
    assert (scale, seeds) == (4, 2)
    assert limit == pytest.approx(12.7062 * 0.02, rel=1e-4)


def test_variance_is_pooled_over_methods_and_sets_without_more_seeds() -> None:
    near, far = [0.0, 0.01, 0.02], [0.0, 0.03, 0.06]
    runs = _runs({(2, "set5", "plain"): near, (2, "set14", "regularized"): far})
    pooled = (np.var(near, ddof=1) + np.var(far, ddof=1)) / 2
    expected = stats.t.ppf(0.975, 2) * math.sqrt(2 * pooled)
    assert chance.limits(runs)[2] == (pytest.approx(expected), 3)
    one = _runs({(2, "set5", "plain"): near})
    again = _runs({(2, name, "plain"): near for name in ("set5", "set14")})
    assert chance.limits(again)[2] == (pytest.approx(chance.limits(one)[2][0]), 3)


def test_two_more_runs_differ_by_less_than_the_limit_in_95_percent_of_cases() -> None:
    random, inside = np.random.default_rng(1), []
    for _ in range(1000):
        *seeds, one, other = random.normal(31.4, 0.02, 5)
        limit, _ = chance.limits(_runs({(4, "set5", "plain"): seeds}))[4]
        inside.append(abs(one - other) < limit)
    # 950 of 1,000, with a standard deviation of 7.
    assert 920 <= sum(inside) <= 980


def test_bicubic_interpolation_does_not_count_for_chance() -> None:
    values = {(2, "set5", "plain"): [37.5, 37.6]}
    with_bicubic = values | {(2, "set5", "bicubic"): [33.67, 33.67]}
    assert chance.limits(_runs(with_bicubic)) == chance.limits(_runs(values))


def test_sentence_names_each_scale_rounded_up_and_the_seeds() -> None:
    values = {(2, "set5", "plain"): [0.0, 0.0, 0.0], (4, "set5", "plain"): [0.0, 0.01, 0.02]}
    # t = 4.303, s = 0.01: 0.0609 dB.
    assert chance.sentence(_runs(values)) == (
        "Differences below 0.00 dB (x2), 0.07 dB (x4) are chance: in 95 % of cases, two trainings "
        "that differ by the seed alone are no further apart (3 seeds of the default "
        "recipe: docs/seeds.csv)."
    )


def test_sentence_tells_the_smallest_and_largest_number_of_seeds() -> None:
    psnr, seeds = [37.1, 37.2, 37.3, 37.4, 37.5], {2: 5, 4: 3, 8: 4}
    values = {(scale, "set5", "plain"): psnr[:count] for scale, count in seeds.items()}
    assert "(3 to 5 seeds of the default recipe: " in chance.sentence(_runs(values))


def test_sentence_on_chance_is_of_the_degradation_and_the_scales_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = _runs({(2, "set5", "plain"): [37.5, 37.6], (4, "set5", "plain"): [31.1, 31.2]})
    monkeypatch.setattr(chance, "TABLE", tmp_path / "seeds.csv")
    assert chance.notes("matlab", [2, 4]) == []  # there is no such file
    runs.to_csv(chance.TABLE, index=False)
    assert chance.notes("matlab", [2, 4, 8]) == [chance.sentence(runs)]
    (said,) = chance.notes("matlab", [2])
    assert "(x2)" in said and "x4" not in said
    assert chance.notes("matlab", [8]) == chance.notes("opencv", [2]) == []


def test_one_seed_is_not_enough_for_chance() -> None:
    assert chance.sentence(_runs({(2, "set5", "plain"): [37.5]})) == ""
    mixed = {(2, "set5", "plain"): [37.5], (4, "set5", "plain"): [31.4, 31.5]}
    assert list(chance.limits(_runs(mixed))) == [4]


def test_gain_compares_equal_seeds_with_students_interval() -> None:
    runs = _runs(_gaining(0.01, 0.02, 0.03))
    row = chance.gains(runs).loc[2]
    half = 4.302653 * 0.01 / math.sqrt(3)
    expected = [0.02, 0.02 - half, 0.02 + half, 3]
    assert row[["mean", "low", "high", "seeds"]].tolist() == pytest.approx(expected, rel=1e-5)


def test_gain_of_a_seed_is_its_mean_over_the_sets_that_have_both() -> None:
    gaining = _gaining(0.01, 0.03)
    other = {(2, "set14", method): psnr for (_, _, method), psnr in _gaining(0.03, 0.05).items()}
    alone = {(2, "bsd100", "plain"): [31.0, 31.0]}
    assert chance.gains(_runs(gaining | other | alone)).loc[2, "mean"] == pytest.approx(0.03)


@pytest.mark.parametrize(
    ("gains", "said"),
    [
        ((0.01, -0.01, 0.003), "Regularization makes no difference that can be told from chance: "),
        ((0.010, 0.011, 0.012), "Regularization helps a little: +0.011 dB at x2 (95 % interval "),
        ((0.20, 0.21, 0.22), "Regularization helps: +0.210 dB at x2 (95 % interval +0.185 to "),
        ((-0.010, -0.011, -0.012), "Regularization costs a little: -0.011 dB at x2 (95 % "),
        ((-1.5, -1.6, -1.7), "Regularization costs: -1.600 dB at x2 (95 % interval -1.848 to "),
    ],
)
def test_verdict_begins_with_the_finding(gains: tuple[float, ...], said: str) -> None:
    verdict = chance.verdict(_runs(_gaining(*gains)))
    assert verdict.startswith(said) and verdict.endswith(", 3 seeds).")
    # One sentence: points stand in numbers, and at the end.
    assert re.findall(r"\.(?!\d)", verdict) == ["."]


def test_verdict_from_one_seed_says_that_there_is_no_interval() -> None:
    assert chance.verdict(_runs(_gaining(0.5))) == (
        "Regularization makes a difference that one seed cannot tell from chance: +0.500 dB at x2 "
        "(one seed, so there is no interval)."
    )


def test_verdict_names_the_scales_where_they_differ() -> None:
    runs = _runs(_gaining(0.01, -0.01, 0.003) | _gaining(0.02, 0.021, 0.022, scale=4))
    assert chance.verdict(runs).startswith(
        "Regularization: at x2 it makes no difference that can be told from chance; at x4 it helps "
        "a little: +0.001 dB at x2 (95 % interval "
    )


def test_verdict_without_pairs_is_empty() -> None:
    assert chance.verdict(_runs({(2, "set5", "plain"): [37.5, 37.6]})) == ""
    assert chance.verdict(_runs({})) == ""


def test_no_figure_is_minus_zero() -> None:
    assert "-0.000" not in chance.verdict(_runs(_gaining(-0.0001, 0.0, -0.0001)))


def test_runs_are_read_back_from_a_file_unchanged() -> None:
    runs = _runs(_gaining(0.1, 0.2))
    again = chance.read_runs(runs.assign(note="x").to_csv(index=False), "docs/seeds.csv")
    pd.testing.assert_frame_equal(again, runs)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "nothing"),
        ("scale,seed\n2,1\n", "scale, seed"),
        ("scale,seed,set,method,psnr\nx2,1,set5,plain,37.5\n", "invalid literal"),
        ("scale,seed,set,method,psnr\n2,1,set5,plain,many\n", "could not convert"),
        ("scale,seed,set,method,psnr\n2,1,set5,plain,\n", "a psnr that is not a finite number"),
        ("scale,seed,set,method,psnr\n" + 2 * "2,1,set5,plain,37.5\n", "a run twice"),
        # As a merge leaves it.
        ("<<<<<<< HEAD\n2,1,set5,plain,37.5\n", "<<<<<<< HEAD"),
        ("scale,seed\n2,1\n2,1,set5,plain,37.5\n", "Error tokenizing data"),
    ],
)
def test_file_without_a_table_of_runs_is_refused_in_one_line(text: str, found: Any) -> None:
    with pytest.raises(InputError) as caught:
        chance.read_runs(text, "docs/seeds.csv")
    said = str(caught.value)
    assert said.startswith(f"docs/seeds.csv: found {found}") and "\n" not in said
    assert said.endswith("; expected the columns scale, seed, set, method, psnr")


def test_order_of_rows_does_not_matter() -> None:
    runs = _runs(_gaining(0.01, 0.02, 0.04))
    said = {chance.verdict(runs.iloc[list(order)]) for order in itertools.permutations(range(6))}
    assert len(said) == 1


def test_committed_tables_have_the_sentence_of_the_committed_seeds() -> None:
    said = chance.sentence(chance.measured())
    for page in (
        "docs/guide/tutorial.md",
        "docs/seeds.md",
        "docs/four-sets.md",
        "metrics/table.txt",
    ):
        assert said in (ROOT / page).read_text("utf-8"), page
