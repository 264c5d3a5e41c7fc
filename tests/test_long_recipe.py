import re
from itertools import pairwise

import pandas as pd
import pytest

from srstudy.upscale.models import SCALES_OF
from tests.imports import ROOT
from tools import long_recipe
from tools.long_recipe import STUDY
from tools.parts import HELD_OUT
from tools.published import figures


def test_upscale_has_a_network_of_each_scale_that_the_long_recipe_trains() -> None:
    trained = {part.scale for name, part in long_recipe.PARTS.items() if f"x{part.scale}" == name}
    assert trained == set(SCALES_OF["clean"]) == set(long_recipe.SCALES)


def test_recipe_page_has_the_rows_of_the_search() -> None:
    rows = pd.read_csv(ROOT / "docs/long-search.csv")
    best = rows["all"].max()
    lines = []
    for r in rows.itertuples():
        told = [f"{r.channels} x {r.blocks}", f"{r.steps:,}", f"{r.minutes:.1f}"]
        told += [f"{r.t91:.3f}", f"{r.bsd200:.3f}"]
        told.append(f"**{r.all:.3f}**" if r.all == best else f"{r.all:.3f}")
        lines.append(f"| {' | '.join(told)} |")
    assert "\n".join(lines) in (ROOT / "docs/guide/recipe.md").read_text("utf-8")


def test_recipe_page_has_the_trials_at_x3_and_x4() -> None:
    rows = pd.read_csv(ROOT / "docs/long-tried.csv").fillna({"tried": ""})
    best = rows.groupby("scale")["psnr"].transform("max")
    lines = []
    for r, top in zip(rows.itertuples(), best, strict=True):
        rates = f"{r.rate:g}" if r.rate == r.last else f"{r.rate:g} to {r.last:g}"
        psnr = f"**{r.psnr:.3f}**" if r.psnr == top else f"{r.psnr:.3f}"
        lines.append(f"| x{r.scale} | {r.tried} | {r.steps:,} | {rates} | {r.loss} | {psnr} |")
    assert "\n".join(lines) in (ROOT / "docs/guide/recipe.md").read_text("utf-8")
    # The best of them is committed.
    committed = pd.read_csv(ROOT / STUDY.table)
    by = committed[committed["test_set"] == HELD_OUT].set_index("run")["psnr"]
    assert [by["x3"], by["x4"]] == rows.groupby("scale")["psnr"].max().tolist()


def test_recipe_page_has_the_trials_of_starts() -> None:
    lines = []
    for r in pd.read_csv(ROOT / "docs/starts.csv").itertuples():
        rates = f"{r.rate:g}" if r.rate == r.last else f"{r.rate:g} to {r.last:g}"
        lines.append(f"| {r.network} | {r.start} | {r.steps:,} | {rates} | {r.psnr:.3f} |")
    assert "\n".join(lines) in (ROOT / "docs/guide/recipe.md").read_text("utf-8")


def test_committed_page_and_card_equal_those_made_from_the_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    rows = pd.read_csv(STUDY.table, dtype={"recipe": str})
    assert STUDY.page.read_text("utf-8") == long_recipe.page_of(rows)
    assert STUDY.card.read_text("utf-8") == long_recipe.card_of(rows)
    # Nothing more to run.
    assert list(dict.fromkeys(rows["run"])) == list(long_recipe.PARTS)
    for run, recipe in zip(rows["run"], rows["recipe"], strict=True):
        assert recipe == STUDY.recipe_of(run)
    curves = {path.stem for path in STUDY.curves.glob("*.csv")}
    assert curves == set(long_recipe.PARTS)


def _beside(method: str) -> list[tuple[float, str]]:
    """Our PSNR and the published one, rounded to the printed digits, if both exist."""
    rows = pd.read_csv(ROOT / STUDY.table).set_index(["test_set", "scale"])["psnr"]
    published = [f for f in figures("psnr") if f.method == method]
    keys = [(f.test_set, int(f.scale[1:])) for f in published]
    return [
        (float(rows[key]), f.text) for key, f in zip(keys, published, strict=True) if key in rows
    ]


def test_networks_of_the_long_recipe_are_better_than_vdsr_everywhere() -> None:
    compared = _beside("VDSR")
    assert len(compared) >= 12
    assert [pair for pair in compared if not pair[0] > float(pair[1])] == []


def test_networks_of_the_long_recipe_are_at_least_as_good_as_lapsrn() -> None:
    compared = _beside("LapSRN")
    assert len(compared) >= 11
    # With two digits: at x4 on Set14, both have 28.19 dB.
    assert [pair for pair in compared if round(pair[0], 2) < float(pair[1])] == []


def test_recipe_page_names_what_lapsrn_has_more_and_what_was_tried() -> None:
    rows = pd.read_csv(ROOT / STUDY.table).set_index(["test_set", "scale"])["psnr"]
    tried = pd.read_csv(ROOT / "docs/long-tried.csv").groupby("scale")["psnr"].apply(list)
    lower = [tried[3][3] - tried[3][4], *(tried[4][0] - psnr for psnr in tried[4][1:3])]
    told = [f"{rows['set14', scale]:.3f}" for scale in (3, 4)] + [f"{psnr:.3f}" for psnr in lower]
    page = (ROOT / "docs/guide/recipe.md").read_text("utf-8")
    text = page.partition("Of VDSR's and LapSRN's figures, two are not passed")[2]
    assert re.findall(r"\d+\.\d{3}", text)[:5] == told


def test_recipe_page_has_the_gain_of_each_part() -> None:
    rows = pd.read_csv(ROOT / STUDY.table)
    by = rows[rows["test_set"] == HELD_OUT].set_index("run")["psnr"]
    names = ["pretrained-1", "pretrained-2", "pretrained-3", "x2"]
    gains = [f"{by[after] - by[before]:.3f} dB" for before, after in pairwise(names)]
    text = (
        (ROOT / "docs/guide/recipe.md")
        .read_text("utf-8")
        .partition("So 64 x 12, in three parts")[2]
    )
    assert re.findall(r"\d\.\d{3} dB", text)[:3] == gains
