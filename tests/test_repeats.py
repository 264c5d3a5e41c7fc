import math
import shutil
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from dvc.utils.hydra import apply_overrides

from srstudy.common.errors import InputError
from tests.imports import ROOT
from tools import repeats, seeds, training_data
from tools.repeats import ASIDE, COLUMNS, Rows, gather, read_rows, recipe
from tools.repeats import TEST_SETS as SETS


@pytest.fixture(autouse=True)
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The committed params.yaml in a separate folder."""
    shutil.copy("params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "params.yaml"


def _run(name: str) -> Rows:
    return [{"seed": int(name[-1]), "psnr": 30.0 + i} for i in range(2)]


def test_rows_are_added_run_by_run_and_existing_rows_are_not_made_again() -> None:
    table, made = Path("docs/table.csv"), []

    def run(name: str) -> Rows:
        made.append(name)
        if name == "run-2" and len(made) == 2:
            raise InputError("stopped")
        return _run(name)

    runs = {"run-1": 2, "run-2": 2}
    with pytest.raises(InputError, match="stopped"):
        gather(table, runs, run)
    assert list(pd.read_csv(table)["run"]) == ["run-1", "run-1"]
    rows = gather(table, runs, run)
    assert made == ["run-1", "run-2", "run-2"]
    assert list(rows["run"]) == list(pd.read_csv(table)["run"]) == 2 * ["run-1"] + 2 * ["run-2"]


def test_run_with_too_few_rows_is_repeated() -> None:
    table = Path("docs/table.csv")
    gather(table, {"run-1": 2}, _run)
    pd.read_csv(table).iloc[:1].to_csv(table, index=False)
    assert len(gather(table, {"run-1": 2}, _run)) == 2


def test_rows_are_in_the_order_of_the_runs_also_if_an_early_run_is_repeated() -> None:
    table, runs = Path("docs/table.csv"), {f"run-{number}": 2 for number in (1, 2, 3)}
    before = gather(table, runs, _run)
    rows = pd.read_csv(table)
    rows[rows["run"] != "run-1"].to_csv(table, index=False)
    assert list(gather(table, runs, _run)["run"]) == list(before["run"])
    assert list(pd.read_csv(table)["run"]) == list(before["run"])


def test_rows_of_another_recipe_are_refused(params: Path) -> None:
    table = Path("docs/table.csv")
    gather(table, {"run-1": 2}, _run)
    before = table.read_bytes()
    apply_overrides(params, ["lambda=0.5"])
    with pytest.raises(InputError, match=r"docs/table\.csv: run-1: recipe: found \w+; allow"):
        gather(table, {"run-1": 2, "run-2": 2}, _run)
    assert table.read_bytes() == before


def test_study_ends_if_its_recipe_changes_during_the_run(params: Path) -> None:
    table = Path("docs/table.csv")

    def run(name: str) -> Rows:
        apply_overrides(params, ["lambda=0.5"])  # by hand, after DVC has read the file
        return _run(name)

    with pytest.raises(InputError, match=r"docs/table\.csv: run-1: recipe: found \w+; allow"):
        gather(table, {"run-1": 2, "run-2": 2}, run)
    assert list(pd.read_csv(table)["run"]) == ["run-1", "run-1"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "No columns"),
        ("seed,psnr\n1,30\n", "seed, psnr"),
        ("run,recipe\na,b\na,b,c\n", "Error token"),
        ("run,recipe\nrun-1,\n", "run, recipe; expected also: psnr"),
        ("run,recipe,psnr\nrun-1,,30\n", "run-1: recipe: found none"),
    ],
)
def test_file_that_is_not_a_table_of_runs_is_refused_in_one_line(text: str, found: str) -> None:
    table = Path("table.csv")
    table.write_text(text)
    with pytest.raises(InputError, match=rf"^table\.csv: (found )?{found}[^\n]*$"):
        gather(table, {"run-1": 2}, _run, columns=["psnr"])
    assert table.read_text() == text


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ("seed=2", True),
        ("test_sets=[set5]", True),
        ("validation_share=0.2", True),
        ("network_size.espcn.first=8", True),
        ("network_size.progressive.blocks=2", False),
        ("pretrain_steps=9", False),
        ("lambda=1", False),
    ],
)
def test_recipe_includes_all_params_of_a_training_except_the_seed(
    params: Path, change: str, same: bool
) -> None:
    before = recipe()
    apply_overrides(params, [change])
    assert (recipe() == before) == same


@pytest.mark.parametrize("settings", [seeds.settings(5), training_data.settings("t291", 3)])
def test_params_outside_the_recipe_that_change_a_training_are_set_for_each_run(
    settings: dict[str, object],
) -> None:
    unconcerned = {"cascade_from", "own_images", "self_ensemble", "network_size", "mnist"}
    assert set(ASIDE) - unconcerned <= set(settings)


def _rows(values: dict[tuple[int, int, str], float], sets: tuple[str, ...] = SETS) -> pd.DataFrame:
    """Rows of {(seed, scale, method): PSNR}, the same for each set."""
    return pd.DataFrame(
        {"seed": seed, "scale": scale, "set": test_set, "method": method, "psnr": psnr}
        for (seed, scale, method), psnr in values.items()
        for test_set in sets
    )


def test_page_of_seeds_has_means_deviations_and_paired_differences() -> None:
    values = {(s, 2, "plain"): 30.0 + 0.1 * s for s in (1, 2, 3)}
    values |= {(s, 2, "regularized"): 30.05 + 0.1 * s for s in (1, 2, 3)}
    text = seeds.page(_rows(values))
    assert "| set5 x2 | 3 | 30.200 ± 0.100 | 30.250 ± 0.100 |" in text
    assert "| urban100 x2 | 3 | +0.0500 | +0.0500 to +0.0500 |" in text
    assert "Regularization helps a little: +0.050 dB at x2" in text


def test_page_of_training_data_answers_both_questions() -> None:
    values = {
        (seed, 2, train_set): 30.0 + 0.01 * seed + gain
        for seed in (1, 2)
        for train_set, gain in (("t91", 0.0), ("t290", 0.2), ("t291", 0.25))
    }
    text = training_data.page(_rows(values, (*SETS, "set5: woman")))
    assert "| set14 | 30.015 ± 0.007 | 30.215 ± 0.007 | 30.265 ± 0.007 |" in text
    assert "| 199 more images (t290 - t91) | bsd100 | +0.200 | +0.200 to +0.200 |" in text
    assert "| the leak (t291 - t290) | set5: woman | +0.050 | +0.050 to +0.050 |" in text


@pytest.mark.parametrize("study", [seeds, training_data], ids=["seeds", "training-data"])
def test_page_of_means_over_seeds_equals_the_one_made_from_its_rows(
    study: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert study.page(read_rows(study.TABLE, {*COLUMNS})) == study.PAGE.read_text("utf-8")


@pytest.mark.parametrize("study", [seeds, training_data], ids=["seeds", "training-data"])
@pytest.mark.parametrize(("run_now", "machine"), [(True, "two cores"), (False, "")])
def test_row_names_the_machine_only_if_its_experiment_was_run_now(
    study: ModuleType, run_now: bool, machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"woman_GT": 30.0, "baby_GT": 31.0}
    monkeypatch.setattr(study, "run_experiment", lambda *_: run_now)
    monkeypatch.setattr(study, "scores", lambda *_: found)
    monkeypatch.setattr(repeats, "machine", lambda: "two cores")
    name = "seed-4" if study is seeds else "data-t91-seed-1"
    assert {row["machine"] for row in study.rows_of(name)} == {machine}


@pytest.mark.parametrize(
    ("machines", "words"),
    [
        (["two cores"] * 4, "` on two cores."),
        (["two cores", "two cores", "a GPU", "a GPU"], "` on two cores; a GPU."),
        (["two cores", "two cores", "two cores", ""], "`."),
        (["two cores", "two cores", "two cores", math.nan], "`."),
        (None, "`."),
    ],
)
def test_page_names_the_machines_of_its_rows_or_none_if_a_row_does_not_have_it(
    machines: list[str] | None, words: str
) -> None:
    methods = ("plain", "regularized")
    rows = _rows({(s, 2, m): 30.0 + 0.1 * s for s in (1, 2) for m in methods}, ("set5",))
    page = seeds.page(rows if machines is None else rows.assign(machine=machines))
    assert f"Written by `make seeds{words}\n" in page
