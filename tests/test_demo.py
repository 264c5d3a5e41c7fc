"""`make demo` prints a line for each stage; the run itself is a part of .ci/run."""

import sys
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides

from srstudy.common.errors import InputError
from srstudy.study.settings import read_study
from tests.imports import ROOT
from tools import demo

# The output of DVC, with other lines between the stages.
SAID = """
print("Running stage 'validate':")
print("> python -m stages.validate")
print("params.yaml: every value is allowed")
print("Running stage 'train-plain@4':")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dvc.yaml").write_text((ROOT / "dvc.yaml").read_text("utf-8"))
    return tmp_path


def test_each_stage_has_one_line_with_its_purpose(folder: Path) -> None:
    lines = [*demo.stages([sys.executable, "-c", SAID], folder)]
    assert len(lines) == 2
    assert lines[0].startswith("validate  ") and "Check every value of params.yaml" in lines[0]
    assert lines[1].startswith("train-plain@4  ") and "Train the network" in lines[1]
    assert all(line.endswith(" s") for line in lines)


def test_run_that_fails_shows_the_output_of_dvc(folder: Path) -> None:
    failing = f"{SAID}\nraise SystemExit(3)"
    with pytest.raises(InputError, match=r"the study failed:\n(.|\n)*every value is allowed"):
        [*demo.stages([sys.executable, "-c", failing], folder)]


def test_every_stage_states_its_purpose() -> None:
    assert all(demo.purposes(ROOT / "dvc.yaml").values())


def test_its_settings_are_allowed(tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    params.write_text((ROOT / "params.yaml").read_text("utf-8"))
    apply_overrides(params, [f"{key}={value}" for key, value in demo.SETTINGS.items()])
    study = read_study(params)
    assert study.scales == [2, 4, 8] and study.cascade_scales == [4, 8]


def test_folder_that_git_cannot_clone_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(InputError, match=r"^\.demo: git could not clone this folder"):
        demo.clone(Path(".demo"))
    assert not Path(".demo").exists()
