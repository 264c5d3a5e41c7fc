import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pytest

from srstudy.common.errors import InputError
from srstudy.training.settings import FRESH
from tests.imports import ROOT
from tools import long_page, long_recipe
from tools.long_recipe import Part
from tools.repeats import TEST_SETS

CURVE = (
    "step,epoch,learning_rate,loss,validation_psnr\n5,0.1,0.002,0.01,33.0\n9,0.2,0.002,0.01,33.5\n"
)
PARTS = {
    "pretrained-1": Part(2, None, 9),
    "pretrained-2": Part(2, "pretrained-1", 9, seed=2),
    "x4": Part(4, "pretrained-2", 7, rate=0.0007),
}


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, list[str]]]:
    """The experiments that were run: name, what they start from, and targets."""
    found: list[tuple[str, str, list[str]]] = []

    def run(
        name: str, settings: Mapping[str, object], targets: Sequence[str], copied: Sequence[Path]
    ) -> None:
        start = str(settings["start_from"])
        assert [str(path) for path in copied] == ([] if start == FRESH else [start])
        assert all(path.is_file() for path in copied)
        if name == "long-x4" and len(found) < 7:
            raise InputError("stopped")
        found.append((name, start, list(targets)))

    scores = {"a": {"psnr": 30.0, "ssim": 0.9}, "b": {"psnr": 33.0, "ssim": 0.8}}
    monkeypatch.setattr(long_recipe, "PARTS", PARTS)
    monkeypatch.setattr(long_recipe, "run_experiment", run)
    monkeypatch.setattr(long_recipe, "read_from", lambda name, path: CURVE)
    monkeypatch.setattr(long_recipe, "read_bytes", lambda name, path: f"{name} {path}".encode())
    monkeypatch.setattr(long_recipe, "read_output", lambda name, path: json.dumps(scores))
    monkeypatch.setattr(long_recipe, "export", lambda weights, scale: None)
    monkeypatch.setattr(long_page, "FOUR_SETS", ROOT / long_page.FOUR_SETS)
    monkeypatch.chdir(tmp_path)
    return found


def test_each_part_starts_from_the_weights_of_another_and_is_not_run_twice(
    ran: list[tuple[str, str, list[str]]],
) -> None:
    with pytest.raises(InputError, match="stopped"):
        long_recipe.main()
    assert list(pd.read_csv("docs/long-recipe.csv")["run"]) == ["pretrained-1", "pretrained-2"]
    assert Path("docs/long/pretrained-2.csv").read_text() == CURVE
    before = "weights/long/pretrained-1.weights.h5"
    assert Path(before).read_text() == "long-pretrained-1 models/pretrained.weights.h5"
    assert [start for name, start, _ in ran if name == "long-pretrained-2"] == [before]

    done = len(ran)
    ran.extend([("", "", [])] * 2)
    long_recipe.main()
    assert {name for name, *_ in ran[done + 2 :]} == {"long-x4-data", "long-x4", "long-x4-scores"}
    assert ran[-1][2] == [f"evaluate@4-plain-{test_set}" for test_set in TEST_SETS]
    rows = pd.read_csv("docs/long-recipe.csv")
    assert {"test_set", "scale", "method", "psnr", "ssim", "steps", "minutes", "machine"} < set(
        rows
    )
    x4 = rows[rows["run"] == "x4"].set_index("test_set")
    assert x4.loc["held-out", "psnr"] == 33.5 and x4.loc["set5", "psnr"] == 31.5
    assert x4.loc["urban100", "ssim"] == pytest.approx(0.85) and (x4["steps"] == 7).all()


def test_page_has_the_default_and_the_published_figures_beside_ours(
    ran: list[tuple[str, str, list[str]]],
) -> None:
    ran.extend([("", "", [])] * 7)
    long_recipe.main()
    lines = Path("docs/long-recipe.md").read_text("utf-8").splitlines()
    heading, _, *rest = [line for line in lines if line.startswith("| ") or line.startswith("---")]
    assert heading.startswith("| PSNR in dB | **bicubic** | **default** | **long** | SRCNN")
    row = [cell.strip(" *") for cell in rest[0].strip("|").split("|")]
    default = json.loads((ROOT / long_page.FOUR_SETS).read_text("utf-8"))["psnr"]["set5"]["x4"]
    assert row[:4] == ["set5 x4", "28.43", f"{default['plain']:.2f}", "31.50"]
    assert "31.35" in row  # VDSR's
    assert any(line.startswith("| pretrained-2 | x2 | 9 | 0 | 33.500 |") for line in lines)


def test_parts_before_count_as_a_part_of_the_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_recipe, "PARTS", PARTS)
    before = {name: long_recipe.recipe_of(name) for name in PARTS}
    changed = {**PARTS, "pretrained-2": Part(2, "pretrained-1", 10, seed=2)}
    monkeypatch.setattr(long_recipe, "PARTS", changed)
    after = {name: long_recipe.recipe_of(name) for name in PARTS}
    assert [name for name in PARTS if before[name] != after[name]] == ["pretrained-2", "x4"]
