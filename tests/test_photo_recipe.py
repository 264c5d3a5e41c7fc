import hashlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from srstudy.upscale.models import WEIGHTS
from tests.imports import ROOT
from tools import photo_recipe
from tools.parts import HELD_OUT, METHOD, PRETRAINING
from tools.photo_recipe import BICUBIC, PARTS, STUDY
from tools.repeats import TEST_SETS
from tools.robustness_card import PHOTOGRAPHS

FILE = bytes(2_000)
NOW = hashlib.sha256(FILE).hexdigest()[:8]
ROBUSTNESS = (
    "model,scale,set,case,psnr,psnr_rgb,gain,gain_rgb,below,images,weights\n"
    "clean,2,bsd100,jpeg50,28.0,26.0,-0.30,-0.10,60,100,00000000\n"
    f"photo,2,bsd100,jpeg50,29.0,27.0,0.634,0.458,0,100,{NOW}\n"
)


def _row(run: str, test_set: str, method: str, psnr: float) -> dict[str, object]:
    key = {"run": run, "recipe": "0", "test_set": test_set, "scale": 2, "method": method}
    return {**key, "psnr": psnr, "ssim": 0.9, "steps": 7, "minutes": 2.0, "machine": "two cores"}


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """Rows of the pretraining and of x2, in a folder with the file of the network."""
    monkeypatch.chdir(tmp_path)
    Path("weights").mkdir()
    Path("docs").mkdir()
    Path("weights/x2-photo.onnx").write_bytes(FILE)
    scored = [
        _row("x2", test_set, method, psnr)
        for method, psnr in ((METHOD, 30.5), (BICUBIC, 29.25))
        for test_set in TEST_SETS
    ]
    before = _row("pretrained-photo", HELD_OUT, PRETRAINING, 31.0)
    return pd.DataFrame([before, _row("x2", HELD_OUT, METHOD, 31.5), *scored])


def test_page_has_the_gain_over_bicubic_of_the_same_lr_images(rows: pd.DataFrame) -> None:
    text = photo_recipe.page_of(rows)
    assert "| set5 x2 | 29.25 | 30.50 | +1.25 | 0.9000 | 0.9000 |" in text
    start = "weights/long/pretrained-3.weights.h5"
    assert f"| pretrained-photo | {start} | x2 | 7 | 2 | 31.000 | two cores |" in text
    assert "VDSR" not in text  # its figures are for clean images


def test_card_has_the_rows_of_the_robustness_table(rows: pd.DataFrame) -> None:
    PHOTOGRAPHS.write_text(ROBUSTNESS)
    text = photo_recipe.card_of(rows)
    assert "| x2-photo.onnx | 2 kB | 30.5000 | 30.5000 | 30.5000 | 30.5000 |" in text
    assert "| x2 | bsd100 | jpeg50 | +0.63 | +0.46 | 0 of 100 |" in text
    assert "-0.30" not in text  # from another model


@pytest.mark.parametrize("found", [None, "no rows of photo", "rows of networks before"])
def test_card_without_robustness_rows_names_the_command_that_makes_them(
    found: str | None, rows: pd.DataFrame
) -> None:
    if found == "no rows of photo":
        PHOTOGRAPHS.write_text("".join(ROBUSTNESS.splitlines(keepends=True)[:2]))
    elif found:
        PHOTOGRAPHS.write_text(ROBUSTNESS.replace(NOW, "deadbeef"))
    assert "`make robustness` makes them" in photo_recipe.card_of(rows)


def test_card_has_the_strengths_of_each_scale(rows: pd.DataFrame) -> None:
    text = photo_recipe.card_of(rows)
    assert "at x2: {compressed: 0.7, quality: [20, 92]" in text
    assert "at x4: {compressed: 0.75, quality: [15, 85]" in text


def test_card_of_a_study_without_a_network_has_no_line_for_one(rows: pd.DataFrame) -> None:
    text = photo_recipe.card_of(rows[rows["run"] == "pretrained-photo"])
    assert ".onnx |" not in text


def test_initial_weights_of_the_photo_recipe_are_in_git() -> None:
    assert (ROOT / photo_recipe.LONG).is_file()
    # DVC copies files that are not in git only into folders that are in git.
    assert (ROOT / STUDY.weights_of("pretrained-photo")).parent.is_dir()


def _committed() -> pd.DataFrame:
    table = ROOT / STUDY.table
    return pd.read_csv(table, dtype={"recipe": str}) if table.is_file() else pd.DataFrame()


def _files(folder: Path, pattern: str) -> Sequence[str]:
    return sorted(path.name for path in folder.glob(pattern))


def test_committed_rows_page_card_curves_and_networks_belong_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    rows = _committed()
    runs = list(dict.fromkeys(rows["run"])) if len(rows) else []
    # A stopped study has only some of the rows; then there are no files of the other parts.
    assert runs == list(PARTS)[: len(runs)]
    assert _files(STUDY.curves, "*.csv") == sorted(f"{run}.csv" for run in runs)
    scales = [run for run in runs if run.startswith("x")]
    assert _files(WEIGHTS, "*-photo.onnx") == sorted(f"{scale}-photo.onnx" for scale in scales)
    assert STUDY.page.is_file() == STUDY.card.is_file() == bool(runs)
    if runs:
        assert STUDY.page.read_text("utf-8") == photo_recipe.page_of(rows)
        assert STUDY.card.read_text("utf-8") == photo_recipe.card_of(rows)
        assert [*rows["recipe"]] == [STUDY.recipe_of(run) for run in rows["run"]]
        assert all(file.stat().st_size < 2_000_000 for file in WEIGHTS.glob("*-photo.onnx"))
        assert all(f.stat().st_size < 2_000_000 for f in Path("weights/photo").glob("*.h5"))


@pytest.mark.parametrize(("table", "words"), [("photo-tried", 3), ("photo-mixed", 1)])
def test_recipe_page_has_the_tables_of_the_trials(table: str, words: int) -> None:
    page = (ROOT / "docs/guide/recipe.md").read_text("utf-8")
    lines = (ROOT / f"docs/{table}.csv").read_text("utf-8").splitlines()[1:]
    assert len(lines) == 3
    for line in lines:
        cells = line.split(",")
        cells = [*cells[:words], *(f"+{gain}" for gain in cells[words:])]
        assert f"| {' | '.join(cells)} |" in page
