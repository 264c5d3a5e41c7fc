from pathlib import Path

import pandas as pd
import pytest

from srstudy.upscale.models import WEIGHTS
from tests.imports import ROOT
from tools import fast_recipe, fast_tried, parts_page
from tools.fast_recipe import PARTS, STUDY
from tools.parts import HELD_OUT, METHOD, PRETRAINING
from tools.published import figures
from tools.repeats import TEST_SETS

# The PSNR in dB that the networks must reach on Set5; on all sets, more than FSRCNN's paper.
LEAST = {2: 37.35, 4: 31.05}


def _missed(rows: pd.DataFrame) -> list[tuple[str, int]]:
    """The test sets and scales whose row is missing or not good enough."""
    if rows.empty:
        return []
    mine = rows[(rows["method"] == METHOD) & (rows["test_set"] != HELD_OUT)]
    found = mine.set_index(["test_set", "scale"])["psnr"].to_dict()
    scales = {scale for _, scale in found}
    wanted = [(test_set, scale) for test_set in TEST_SETS for scale in scales]
    missed = [key for key in wanted if key not in found]
    missed += [("set5", scale) for scale in scales if found.get(("set5", scale), 0) < LEAST[scale]]
    for figure in figures("psnr"):
        key = (figure.test_set, int(figure.scale[1:]))
        if figure.method == "FSRCNN" and key[1] in scales:
            missed += [key] if not found.get(key, 0) > float(figure.text) else []
    return missed


def _rows(**psnr: float) -> pd.DataFrame:
    entries = [
        {"run": "x2", "test_set": name, "scale": 2, "method": METHOD, "psnr": value}
        for name, value in psnr.items()
    ]
    told = {"recipe": "0", "ssim": 0.9, "steps": 7, "minutes": 2.0, "machine": "two cores"}
    return pd.DataFrame([{**entry, **told} for entry in entries])


def _held_out(scale: int) -> float:
    """The PSNR of the held-out images, in the table of the fast recipe."""
    rows = pd.read_csv(ROOT / STUDY.table)
    mine = (rows["run"] == f"x{scale}") & (rows["test_set"] == HELD_OUT)
    return float(rows[mine]["psnr"].iloc[0])


def test_target_is_missed_by_a_hundredth_of_a_decibel() -> None:
    good = {"set5": 37.35, "set14": 32.7, "bsd100": 31.6, "urban100": 30.0}
    assert _missed(_rows(**good)) == []
    assert _missed(_rows(**{**good, "set5": 37.34})) == [("set5", 2)]
    assert _missed(_rows(**{**good, "set14": 32.63})) == [("set14", 2)]  # FSRCNN's paper
    assert _missed(_rows(**{k: v for k, v in good.items() if k != "bsd100"})) == [("bsd100", 2)] * 2


def test_fast_networks_with_rows_reach_their_targets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    rows = pd.DataFrame()
    if STUDY.table.is_file():
        rows = pd.read_csv(STUDY.table, dtype={"recipe": str})
    assert _missed(rows) == []
    # Page, card, curves and networks belong to these rows, and there are no others.
    runs = list(dict.fromkeys(rows["run"])) if len(rows) else []
    assert runs == list(PARTS)[: len(runs)]
    assert {f.stem for f in STUDY.curves.glob("*.csv")} == set(runs)
    networks = {file.name for file in WEIGHTS.glob("*-fast.onnx")}
    assert networks == {f"{run}-fast.onnx" for run in runs if not run.startswith("pretrained")}
    assert STUDY.page.is_file() == STUDY.card.is_file() == bool(runs)
    if runs:
        assert STUDY.page.read_text("utf-8") == fast_recipe.page_of(rows)
        assert STUDY.card.read_text("utf-8") == fast_recipe.card_of(rows)
        assert [*rows["recipe"]] == [STUDY.recipe_of(run) for run in rows["run"]]
        assert all(file.stat().st_size < 2_000_000 for file in WEIGHTS.glob("*-fast.onnx"))


def test_page_and_card_compare_the_fast_networks_with_fsrcnn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts_page, "FOUR_SETS", ROOT / parts_page.FOUR_SETS)
    monkeypatch.chdir(tmp_path)
    Path("weights").mkdir()
    Path("docs").mkdir()
    Path("weights/x2-fast.onnx").write_bytes(bytes(2000))
    before = _rows(**{HELD_OUT: 33.5}).assign(run="pretrained-x2", method=PRETRAINING)
    rows = pd.concat([before, _rows(set5=37.4, set14=32.7, bsd100=31.6, urban100=30.0)])
    lines = fast_recipe.page_of(rows).splitlines()
    (heading,) = (line for line in lines if line.startswith("| PSNR in dB |"))
    (set5,) = (line for line in lines if line.startswith("| set5 x2 | 33.67 |"))
    ours, theirs = (heading.split(" | ").index(name) for name in ("**fast**", "FSRCNN"))
    cells = [cell.strip(" *|") for cell in set5.split(" | ")]
    assert (cells[ours], cells[theirs]) == ("37.40", "37.00")
    assert "| pretrained-x2 |  | x2 | 7 | 2 | 33.500 | two cores |" in lines
    text = fast_recipe.card_of(rows)
    assert "| x2-fast.onnx | 2 kB | 37.4000 | 32.7000 | 31.6000 | 30.0000 |" in text
    assert "`sesr` (x2: {channels: 24, layers: " in text and "; x4: {channels: 24, " in text


def test_sizes_of_the_fast_networks_were_measured() -> None:
    sizes = fast_recipe.SIZES.items()
    chosen = {(scale, size["channels"], size["layers"]) for scale, size in sizes}
    tried = {(s, *size) for s in fast_recipe.SCALES for size in fast_tried.TRIED}
    assert chosen <= tried
    assert {size["ends"] for size in fast_recipe.SIZES.values()} == {fast_tried.ENDS}
    rows = pd.read_csv(ROOT / fast_tried.TABLE)
    columns = zip(rows["scale"], rows["channels"], rows["layers"], strict=True)
    assert list(columns) == [(s, *size) for s in fast_recipe.SCALES for size in fast_tried.TRIED]


def test_recipe_page_has_the_table_of_the_trained_sizes() -> None:
    page = (ROOT / "docs/guide/recipe.md").read_text("utf-8")
    rows = pd.read_csv(ROOT / "docs/fast-sizes.csv", dtype=str)
    for row in rows.values.tolist():
        assert f"| {' | '.join(row)} |" in page
    shipped = rows[rows["shipped"] == "yes"].set_index("scale")
    assert [*shipped.index] == [f"x{scale}" for scale in fast_recipe.SIZES]
    for scale, size in fast_recipe.SIZES.items():
        words = ", ".join(f"{value} {key}" for key, value in size.items() if key != "ends")
        found = shipped.loc[f"x{scale}"]
        assert (found["network"], found["size"]) == (fast_recipe.NETWORK, words)
        assert found["psnr"] == f"{_held_out(scale):.3f}"


def test_speed_of_a_size_is_that_of_its_fastest_round(monkeypatch: pytest.MonkeyPatch) -> None:
    # Two functions in alternating rounds; the first round is a warm-up.
    lasted = [[0.0, 0.0], [3.0, 5.0], [2.0, 7.0], [4.0, 6.0]]
    clock = iter([time for one in lasted for seconds in one for time in (0.0, seconds)])
    monkeypatch.setattr(fast_tried.time, "process_time", lambda: next(clock))
    assert fast_tried.best_times([lambda: None, lambda: None], 3) == [2.0, 5.0]


def test_measured_network_is_the_exported_one() -> None:
    (row,) = fast_tried.measured(2, [(8, 1)], side=20, rounds=1)
    assert (row["scale"], row["channels"], row["layers"]) == (2, 8, 1)
    # 3 x 3 layers from 1 to 8, 8 to 8 and 8 to 4 channels, with their biases.
    assert row["parameters"] == 9 * (8 + 64 + 32) + 2 * 8 + 4
    assert isinstance(row["megapixels_per_core_second"], float)
