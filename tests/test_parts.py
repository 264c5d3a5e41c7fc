import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from srstudy.common.errors import InputError
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.sizes import sizes
from srstudy.networks.shared.weights import load, save, trained_steps
from srstudy.training.settings import FRESH
from tests.imports import ROOT
from tools import long_recipe, parts, parts_page, repeats
from tools.kept_weights import halved
from tools.parts import HELD_OUT, Part
from tools.repeats import TEST_SETS

CURVE = (
    "step,epoch,learning_rate,loss,validation_psnr\n5,0.1,0.002,0.01,33.0\n9,0.2,0.002,0.01,33.5\n"
)
PARTS = {
    "pretrained-1": Part(2, None, 9),
    "pretrained-2": Part(2, "pretrained-1", 9, seed=2),
    "x4": Part(4, "pretrained-2", 7, rate=0.0007),
}
STUDY = replace(long_recipe.STUDY, parts=PARTS)


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, list[str]]]:
    """The experiments that were run: name, initial weights, and targets."""
    found: list[tuple[str, str, list[str]]] = []

    def run(
        name: str, settings: Mapping[str, object], targets: Sequence[str], copied: Sequence[Path]
    ) -> None:
        start = str(settings["start_from"])
        assert [str(path) for path in copied] == ([] if start == FRESH else [start])
        assert all(path.is_file() for path in copied)
        if targets == ["train-plain@4"] and len(found) < 7:
            raise InputError("stopped")
        found.append((name, start, list(targets)))

    def export(weights: bytes, scale: int, target: Path) -> None:
        assert weights.endswith(f"models/x{scale}-plain.weights.h5".encode())
        target.write_bytes(bytes(2000))

    scores = {"a": {"psnr": 30.0, "ssim": 0.9}, "b": {"psnr": 33.0, "ssim": 0.8}}
    monkeypatch.setattr(parts, "run_experiment", run)
    monkeypatch.setattr(parts, "experiments", lambda: [name for name, *_ in found])
    monkeypatch.setattr(parts, "results_kept", lambda: len(found))
    monkeypatch.setattr(parts, "read_from", lambda name, path: CURVE)
    monkeypatch.setattr(parts, "read_bytes", lambda name, path: f"{name} {path}".encode())
    monkeypatch.setattr(repeats, "read_output", lambda name, path: json.dumps(scores))
    monkeypatch.setattr(parts, "export", export)
    monkeypatch.setattr(parts, "halved", lambda weights: weights)
    monkeypatch.setattr(long_recipe, "STUDY", STUDY)
    monkeypatch.setattr(parts_page, "FOUR_SETS", ROOT / parts_page.FOUR_SETS)
    monkeypatch.chdir(tmp_path)
    return found


def _experiment(part: str) -> str:
    return f"long-{part}-{STUDY.recipe_of(part)}"


def test_each_part_starts_from_the_weights_of_another_and_is_not_run_twice(
    ran: list[tuple[str, str, list[str]]],
) -> None:
    with pytest.raises(InputError, match="stopped"):
        long_recipe.main()
    assert list(pd.read_csv("docs/long-recipe.csv")["run"]) == ["pretrained-1", "pretrained-2"]
    assert Path("docs/long/pretrained-2.csv").read_text() == CURVE
    # The page has the finished parts.
    assert "| pretrained-2 | pretrained-1 | x2 | 9 |" in Path("docs/long-recipe.md").read_text(
        "utf-8"
    )
    before = "weights/long/pretrained-1.weights.h5"
    first, second, x4 = map(_experiment, PARTS)
    assert Path(before).read_text() == f"{first} models/pretrained.weights.h5"
    assert [start for name, start, _ in ran if name == second] == [before]

    done = len(ran)
    ran.extend([("", "", [])] * 2)
    long_recipe.main()
    assert {name for name, *_ in ran[done + 2 :]} == {f"{x4}-data", x4, f"{x4}-scores"}
    assert ran[-1][2] == [f"evaluate@4-plain-{test_set}" for test_set in TEST_SETS]
    rows = pd.read_csv("docs/long-recipe.csv")
    assert {"test_set", "scale", "method", "psnr", "ssim", "steps", "minutes", "machine"} < set(
        rows
    )
    found = rows[rows["run"] == "x4"].set_index("test_set")
    assert found.loc["held-out", "psnr"] == 33.5 and found.loc["set5", "psnr"] == 31.5
    assert found.loc["urban100", "ssim"] == pytest.approx(0.85) and (found["steps"] == 7).all()
    # It was stopped during its training: so its time is not known.
    assert found["minutes"].isna().all()
    text = Path("docs/long-recipe.md").read_text("utf-8")
    assert "| x4 | pretrained-2 | x4 | 7 |  | 33.500 |" in text
    assert " minutes in all, without x4, which was not timed." in text
    card = Path("weights/clean.md").read_text("utf-8")
    assert "| x4-clean.onnx | 2 kB | 31.5000 | 31.5000 | 31.5000 | 31.5000 |" in card


def test_minutes_of_a_training_are_kept_if_the_study_is_killed_before_its_rows(
    ran: list[tuple[str, str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([0.0, 180.0])
    monkeypatch.setattr(parts.time, "monotonic", lambda: next(times))
    monkeypatch.setattr(parts, "read_bytes", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        parts.rows_of(STUDY, "pretrained-1")
    monkeypatch.setattr(parts, "read_bytes", lambda *_: b"")
    (row,) = parts.rows_of(STUDY, "pretrained-1")
    assert row["minutes"] == 3.0


@pytest.mark.parametrize("clock", ["21.5", "", None])
def test_minutes_of_a_training_from_the_cache_are_those_of_its_clock_file_or_none(
    clock: str | None, ran: list[tuple[str, str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Like after a commit: this is another experiment, but DVC already has its result.
    monkeypatch.setattr(parts, "results_kept", lambda: 7)
    file = Path(".dvc/tmp/long") / _experiment("pretrained-1")
    if clock is not None:
        file.parent.mkdir(parents=True)
        file.write_text(clock)
    (row,) = parts.rows_of(STUDY, "pretrained-1")
    assert row["minutes"] == (21.5 if clock else None)
    assert file.is_file() == bool(clock)


def test_network_with_rows_but_no_file_is_named(
    ran: list[tuple[str, str, list[str]]],
) -> None:
    ran.extend([("", "", [])] * 7)
    long_recipe.main()
    Path("weights/x4-clean.onnx").unlink()
    said = r"^weights/x4-clean\.onnx: found no file; allowed: the one from git, or made anew by"
    with pytest.raises(InputError, match=said):
        long_recipe.main()


def test_missing_weights_of_the_part_before_are_named(
    ran: list[tuple[str, str, list[str]]],
) -> None:
    said = r"^weights/long/pretrained-1\.weights\.h5: found no file; allowed: that of"
    with pytest.raises(InputError, match=said):
        parts.rows_of(STUDY, "pretrained-2")
    assert not ran


def test_other_initial_weights_make_another_experiment(
    ran: list[tuple[str, str, list[str]]],
) -> None:
    def began(steps: int) -> set[str]:
        study = replace(STUDY, parts={**PARTS, "pretrained-1": Part(2, None, steps)})
        ran.clear()
        for name in ("pretrained-1", "pretrained-2"):
            parts.rows_of(study, name)
        return {name for name, *_ in ran}

    # The params of the second part are the same both times.
    assert not began(9) & began(10)


def test_page_has_the_default_the_published_figures_and_ours(
    ran: list[tuple[str, str, list[str]]],
) -> None:
    ran.extend([("", "", [])] * 7)
    long_recipe.main()
    lines = Path("docs/long-recipe.md").read_text("utf-8").splitlines()
    heading, _, *rest = [line for line in lines if line.startswith("| ") or line.startswith("---")]
    assert heading.startswith("| PSNR in dB | **bicubic** | **default** | **long** | SRCNN")
    row = [cell.strip(" *") for cell in rest[0].strip("|").split("|")]
    default = json.loads((ROOT / parts_page.FOUR_SETS).read_text("utf-8"))["psnr"]["set5"]["x4"]
    assert row[:4] == ["set5 x4", "28.43", f"{default['plain']:.2f}", "31.50"]
    assert "31.35" in row  # VDSR's
    assert any(
        line.startswith("| pretrained-2 | pretrained-1 | x2 | 9 | 0 | 33.500 |") for line in lines
    )


def test_recipe_of_a_part_includes_the_parts_before() -> None:
    changed = {**PARTS, "pretrained-2": Part(2, "pretrained-1", 10, seed=2)}
    other = replace(STUDY, parts=changed)
    differ = [name for name in PARTS if STUDY.recipe_of(name) != other.recipe_of(name)]
    assert differ == ["pretrained-2", "x4"]


def test_recipe_of_a_part_includes_the_content_of_its_start_file(
    tmp_path: Path,
) -> None:
    file = tmp_path / "before.weights.h5"
    study = replace(STUDY, parts={"pretrained-1": Part(2, file, 9)})
    with pytest.raises(InputError, match=r"before\.weights\.h5: found no file; allowed: "):
        study.recipe_of("pretrained-1")
    file.write_bytes(b"one")
    one = study.recipe_of("pretrained-1")
    assert study.settings("pretrained-1")["start_from"] == file.as_posix()
    file.write_bytes(b"other")
    assert study.recipe_of("pretrained-1") != one


def test_other_scored_methods_have_their_own_rows(
    ran: list[tuple[str, str, list[str]]],
) -> None:
    ran.extend([("", "", [])] * 7)
    for name in ("pretrained-1", "pretrained-2"):
        parts.rows_of(STUDY, name)
    rows = parts.rows_of(replace(STUDY, beside=("bicubic",)), "x4")
    assert [f"bicubic@4-{test_set}" for test_set in TEST_SETS] == ran[-1][2][len(TEST_SETS) :]
    found = [(row["test_set"], row["method"]) for row in rows]
    sets = [(test_set, method) for method in ("plain", "bicubic") for test_set in TEST_SETS]
    assert found == [("held-out", "plain"), *sets]


def test_halved_weights_are_a_network_with_weights_of_16_bits(tmp_path: Path) -> None:
    size = sizes("progressive", {"channels": 8, "blocks": 2, "equivariant": True})
    architecture = Architecture("progressive", 2, size, "matlab")
    whole, half = tmp_path / "whole.weights.h5", tmp_path / "half.weights.h5"
    save(whole, model := architecture.build(), architecture, steps=7)
    half.write_bytes(halved(whole.read_bytes()))
    again, said = load(half)
    assert said == architecture and trained_steps(half) == 7
    for before, after in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(after, before.astype(np.float16).astype(np.float32))
    assert half.read_bytes() == halved(whole.read_bytes())


def test_only_numbers_of_32_bits_are_halved() -> None:
    whole = io.BytesIO()
    with h5py.File(whole, "w") as file:
        file["layer/state"] = np.array([70_000, 1], np.uint32)
    with h5py.File(io.BytesIO(halved(whole.getvalue()))) as file:
        np.testing.assert_array_equal(file["layer/state"], np.array([70_000, 1], np.uint32))


@pytest.mark.parametrize("name", ["long", "photo", "fast"])
def test_time_in_the_readme_is_that_of_all_trainings(name: str) -> None:
    rows = pd.read_csv(ROOT / f"docs/{name}-recipe.csv")
    minutes = rows[rows["test_set"] == HELD_OUT]["minutes"]
    told = pd.read_csv(ROOT / "docs/times.csv").set_index("command").loc[f"make {name}"]
    assert told["minutes"] == round(minutes.sum())
    assert minutes.isna().sum() == ("was not timed" in told["what"])
