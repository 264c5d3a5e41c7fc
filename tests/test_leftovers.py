"""Results of an earlier study are removed from the folders of results."""

import subprocess
from pathlib import Path

import pytest

from srstudy.scoring.leftovers import keep_only, remove_other_results, results_of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _write(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_only_wanted_files_stay_in_a_folder(folder: Path) -> None:
    kept = {"top/x2/set/plain/a.png", "top/x2/set/bicubic.json"}
    _write(*kept, "top/x2/set/plain+/a.png", "top/x4/set/plain/a.png", "top/x2/set/plain.json")
    (folder / "elsewhere").mkdir()
    _write("elsewhere/a")
    (folder / "top/link").symlink_to(folder / "elsewhere")
    keep_only(Path("top"), {Path("top/x2/set/plain"), Path("top/x2/set/bicubic.json")})
    assert _files(folder) == {*kept, "elsewhere/a"}
    assert sorted(path.name for path in (folder / "top").iterdir()) == ["x2"]


def test_folder_that_does_not_exist_has_nothing_to_remove(folder: Path) -> None:
    keep_only(Path("top"), {Path("top/x2/set/plain")})
    assert not list(folder.iterdir())


def test_results_that_no_stage_makes_are_removed_if_git_tracks_them(folder: Path) -> None:
    mine = {
        *("metrics/curves/x2-plain.csv", "metrics/curves/x2-regularized.csv"),
        *("metrics/validation/x2-plain.json", "metrics/validation/x2-regularized.json"),
        *(f"metrics/mnist/seed-3{kind}" for kind in (".json", "-curve.csv", "-confusion.csv")),
    }
    other = {"metrics/curves/x4-plain.csv", "metrics/mnist/seed-1-curve.csv"}
    # Not named by the pipeline: a stage of the reader's own.
    own = {"metrics/curves/pretrained.csv", "metrics/curves/mine.csv", "metrics/mnist/mine.json"}
    _write(*mine, *other, *own)
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "add", "-A"], check=True)
    _write("metrics/validation/x8-plain.json")  # git does not track it
    wanted = results_of([2], [3])
    assert wanted == {Path(name) for name in mine}
    assert {str(path) for path in remove_other_results(wanted)} == other
    assert remove_other_results(wanted) == []
    kept = {name for name in _files(folder) if not name.startswith(".git")}
    assert kept == {*mine, *own, "metrics/validation/x8-plain.json"}


def test_without_git_nothing_is_removed(folder: Path) -> None:
    _write("metrics/curves/x4-plain.csv")
    assert remove_other_results(set()) == []
    assert _files(folder) == {"metrics/curves/x4-plain.csv"}
