"""Committed pages of measurements that are repeated rarely: each is made from its CSV file."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.imports import ROOT
from tools import below_bicubic, bench
from tools.memory import Measured
from tools.published import student


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_page_of_the_benchmarks_equals_the_one_made_from_its_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = bench.PAGE.read_text("utf-8")
    # `make speed` may have been run after the page was written.
    linked = bench.SPEED if bench.SPEED.name in text else Path("not-run.md")
    monkeypatch.setattr(bench, "SPEED", linked)
    assert bench.page(bench.read_rows()) == text


def test_page_of_the_benchmarks_links_the_speed_of_upscale_only_if_that_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = pd.DataFrame([dict.fromkeys((*bench.COLUMNS, "machine", "day", "seconds_in_all"), "1")])
    monkeypatch.setattr(bench, "SPEED", tmp_path / "speed.md")
    assert "speed.md" not in bench.page(rows)
    bench.SPEED.write_text("measured")
    assert bench.page(rows).endswith("by `make speed`: [speed.md](speed.md).\n")


def test_benchmarks_are_written_as_rows_and_as_the_page_made_from_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bench, "PARTS", ())
    for name in ("make_study", "growth"):
        monkeypatch.setattr(bench, name, lambda _: [])
    monkeypatch.setattr(bench, "start_ups", lambda: [("start, in all", "1.50", "3 over 2 s")])
    monkeypatch.setattr(bench, "dvc_with_nothing_to_do", lambda: [("dvc", "-", "")])
    monkeypatch.setattr(bench, "python", lambda *_: Measured(0.0, 0.0, ""))
    bench.main()
    rows = bench.read_rows()
    assert rows[[*bench.COLUMNS]].values.tolist() == [
        ["start, in all", "1.50", "3 over 2 s"],
        ["dvc", "-", ""],
    ]
    assert set(rows["machine"]) == {bench.machine()}
    page = bench.PAGE.read_text("utf-8")
    assert page == bench.page(rows) and "| start, in all | 1.50 | 3 over 2 s |" in page


def test_page_of_what_brings_srcnn_below_bicubic_equals_the_one_made_from_its_rows() -> None:
    rows = pd.read_csv(below_bicubic.TABLE)
    assert below_bicubic.page(rows) == below_bicubic.PAGE.read_text("utf-8")


def test_row_of_the_student_project_has_its_printed_figures_and_their_mean() -> None:
    rows = pd.read_csv(below_bicubic.TABLE, index_col="trained")
    printed = student()["plain"]
    expected = {**printed, below_bicubic.MEAN: round(float(np.mean([*printed.values()])), 2)}
    assert rows.loc[below_bicubic.THEIRS].to_dict() == expected


def test_nearest_row_is_the_one_with_the_least_mean_distance_over_the_images() -> None:
    rows = pd.DataFrame(
        [
            ["bicubic", 30.0, 40.0, 35.0],
            ["100 steps", 31.0, 37.5, 34.25],
            [below_bicubic.THEIRS, 31.5, 37.0, 34.25],
        ],
        columns=["trained", "baby", "bird", below_bicubic.MEAN],
    )
    assert below_bicubic.nearest(rows) == (
        "Most like the student project: 100 steps (0.50 dB apart in the mean over the images, "
        "0.50 at most)."
    )
