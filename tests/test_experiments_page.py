"""docs/guide/experiments.md, followed word by word in a tiny study: it works and is true."""

import os
import re
import signal
from pathlib import Path

import pytest

from tests.documented import script_with
from tests.tiny import TARGETS, Run, Study, read_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PAGE = "docs/guide/experiments.md"
TRAIN = "train-regularized@2"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """One scale, run once and committed, on the branch `my-branch`. Tests change copies only."""
    study = Study.finished(tmp_path_factory, scales=[2], cascade_scales=[])
    study("git", "branch", "-M", "my-branch")
    return study


@pytest.fixture
def work(study: Study, tmp_path: Path) -> Study:
    return study.copy(tmp_path / "work")


def _follow(work: Study, part: str) -> Run:
    return work("bash", "-euc", script_with(PAGE, part))


def _branch(work: Study) -> str:
    return work("git", "branch", "--show-current").text.strip()


# --- Killed ---------------------------------------------------------------------------------------

COMMAND = ("dvc", "exp", "run", "-S", "lambda=0.5", *TARGETS)


def _killed_in_training(work: Study, alone: bool = False) -> None:
    """SIGTERM for DVC, or for all of its processes as well; returns when all have ended."""
    run = work.start(*COMMAND, start_new_session=True)
    try:
        read_until(run, b"train x2-regularized: begins")
        (os.kill if alone else os.killpg)(run.pid, signal.SIGTERM)
        # Until the last process that speaks has gone.
        run.communicate(timeout=120)
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
    assert run.returncode == -signal.SIGTERM


def test_what_a_killed_experiment_staged_is_taken_back(work: Study) -> None:
    before = work.params()
    _killed_in_training(work)
    assert "params.yaml" in work("git", "diff", "--cached", "--name-only").text
    work("git", "restore", ".")
    assert work.params()["lambda"] == 0.5  # as the page says
    _follow(work, "git restore -SW .")
    assert work.params() == before
    assert work("git", "status", "--porcelain").text == ""


@pytest.mark.parametrize("alone", [False, True], ids=["everything-killed", "dvc-killed"])
def test_a_killed_experiment_is_left_for_the_branch_as_it_was_committed(
    work: Study, alone: bool
) -> None:
    before, models = work.params(), work.files("models")
    _killed_in_training(work, alone)
    assert "HEAD detached" in work("git", "status").text
    # DVC had removed the model. The training ended with DVC, so it wrote no new one.
    assert work.files("models").keys() == models.keys() - {"models/x2-regularized.weights.h5"}
    _follow(work, "git switch --discard-changes my-branch")
    assert _branch(work) == "my-branch"
    assert work("git", "status", "--porcelain").text == ""
    assert work.params() == before and work.files("models") == models
    assert work.repro().stages == set()


def test_a_killed_experiment_given_again_ends_well_and_goes_onto_the_branch(work: Study) -> None:
    _killed_in_training(work)
    assert "train-plain@2" not in work(*COMMAND).stages
    work("git", "switch", "my-branch")
    assert _branch(work) == "my-branch"
    assert work.params()["lambda"] == 0.5
    assert work.repro().stages == set()
    assert "metrics/summary.json" in work("git", "status", "--porcelain").text


# --- Merged ---------------------------------------------------------------------------------------


OTHERS = "metrics/curves/x3-plain.csv"


def _ran(run: Run) -> set[str]:
    """The stages that ran, and were not brought back from DVC's cache."""
    return set(re.findall(r"Running stage '([^']+)'", run.text))


def _choose(work: Study, ours: bool) -> None:
    """params.yaml with one side's lines, as by hand."""
    path = work.root / "params.yaml"
    marks = r"<<<<<<< .*?\n(.*?)=======\n(.*?)>>>>>>> .*?\n"
    text, conflicts = re.subn(
        marks, lambda m: m[1] if ours else m[2], path.read_text("utf-8"), flags=re.DOTALL
    )
    assert conflicts == 1
    path.write_text(text, "utf-8")


@pytest.fixture(scope="module")
def branches(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Both branches changed lambda, `my-branch` the epochs as well; each has its results."""
    work = study.copy(tmp_path_factory.mktemp("branches") / "work")
    work("git", "branch", "main")
    epochs = ("-S", "epochs.x2=2")
    for branch, changes in (("my-branch", ("-S", "lambda=0.1", *epochs)), ("main", ())):
        work("git", "switch", branch)
        work.experiment(*(changes or ("-S", "lambda=0.01")), *TARGETS)
        if changes:  # a result that the other branch has not
            (work.root / OTHERS).write_text("step,validation_psnr\n")
        work.commit(branch)
    return work


@pytest.mark.parametrize("ours", [True, False], ids=["main-s-lambda", "my-branch-s-lambda"])
def test_two_branches_are_merged_by_parameters_and_made_again(
    branches: Study, tmp_path: Path, ours: bool
) -> None:
    work = branches.copy(tmp_path / "work")
    theirs = work("git", "show", "my-branch:metrics/summary.json").text
    merge = work.try_("bash", "-euc", script_with(PAGE, "git merge"))
    assert merge.status == 1
    for name in ("dvc.lock", "metrics/summary.json", "params.yaml"):
        assert f"CONFLICT (content): Merge conflict in {name}" in merge.text
    _choose(work, ours)
    made = _ran(_follow(work, "git reset -q"))
    # main's lambda with the other's epochs is new; the other's with its own is not.
    assert {stage for stage in made if stage.startswith("train")} == ({TRAIN} if ours else set())
    assert work.params()["lambda"] == (0.01 if ours else 0.1)
    assert work.params()["epochs"]["x2"] == 2
    assert ((work.root / "metrics/summary.json").read_text() == theirs) == (not ours)
    assert work("git", "status", "--porcelain").text == ""
    assert len(work("git", "log", "-1", "--format=%P").text.split()) == 2
    assert not (work.root / OTHERS).exists()  # no stage of the merged study makes it
    assert work.repro().stages == set()
