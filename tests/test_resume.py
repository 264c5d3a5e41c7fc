"""A killed training resumes from its checkpoint: real DVC runs of a tiny study."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from srstudy.backend.checkpoints import SECONDS_BETWEEN
from tests.tiny import Study, every_scale, read_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

# Some seconds of training.
LONG = 150


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study before a longer training."""
    folder = tmp_path_factory.mktemp("tiny")
    study = Study.of_working_tree(folder / "start", folder / "shared")
    study.set(scales=[2], cascade_scales=[], epochs=every_scale(LONG))
    study.repro("pretrain")
    study.commit("pretrained")
    return study


@pytest.fixture(scope="module")
def undisturbed(start: Study, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The training without an interruption."""
    work = start.copy(tmp_path_factory.mktemp("tiny") / "undisturbed")
    work.repro("train-plain@2")
    return work


@pytest.fixture
def work(start: Study, undisturbed: Study, tmp_path: Path) -> Study:
    """The training to do, without DVC's run-cache: it has what the undisturbed run made."""
    work = start.copy(tmp_path / "work")
    cache = tmp_path / "cache"
    shutil.copytree(work.shared / "cache", cache, ignore=shutil.ignore_patterns("runs"))
    work("dvc", "config", "--local", "cache.dir", str(cache))
    return work


@pytest.mark.parametrize("where", ["workspace", "temporary experiment"])
def test_killed_training_resumes_and_ends_with_the_same_bytes(
    undisturbed: Study, work: Study, where: str
) -> None:
    command = ["dvc", "repro", "train-plain@2"]
    if where != "workspace":
        command = ["dvc", "exp", "run", "--temp", "--name", "killed", "train-plain@2"]
    checkpoints = work.root / ".dvc/tmp/checkpoints"
    _kill_after_checkpoint(work, command, checkpoints)
    if where == "workspace":
        assert not (work.root / "models/x2-plain.weights.h5").exists()

    again = work(*command)
    steps = re.search(r"train x2-plain: resumes after step (\d+) of (\d+) steps", again.text)
    assert steps is not None, again.text
    assert 0 < int(steps[1]) < int(steps[2])
    assert not list(checkpoints.iterdir())
    lock = (undisturbed.root / "dvc.lock").read_text()
    curve = (undisturbed.root / "metrics/curves/x2-plain.csv").read_text()
    if where == "workspace":
        assert (work.root / "dvc.lock").read_text() == lock
        assert (work.root / "metrics/curves/x2-plain.csv").read_text() == curve
    else:
        work("dvc", "exp", "branch", "killed", "killed-branch")
        assert work("git", "show", "killed-branch:dvc.lock").text == lock
        assert work("git", "show", "killed-branch:metrics/curves/x2-plain.csv").text == curve


def test_training_killed_for_lack_of_memory_is_reported_and_resumes(
    undisturbed: Study, work: Study
) -> None:
    # The system kills the process that has the memory, and DVC lives on.
    checkpoints = work.root / ".dvc/tmp/checkpoints"
    said = _kill_after_checkpoint(work, ["dvc", "repro", "train-plain@2"], checkpoints, alone=True)
    assert "failed to reproduce 'train-plain@2'" in said and "-9" in said, said
    assert "Traceback" not in said
    assert not (work.root / "models/x2-plain.weights.h5").exists()
    work("dvc", "repro", "train-plain@2")
    assert (
        work.files("models")["models/x2-plain.weights.h5"]
        == (undisturbed.files("models")["models/x2-plain.weights.h5"])
    )


def test_learning_curve_grows_on_disk_and_is_the_same_after_a_kill(
    undisturbed: Study, work: Study
) -> None:
    # What an editor's DVC extension draws while the training runs.
    path, command = "metrics/curves/x2-plain.csv", ["dvc", "repro", "train-plain@2"]
    curve, whole = work.root / path, (undisturbed.root / path).read_bytes()
    seen: set[bytes] = set()

    def some_rows() -> bool:
        if curve.is_file():
            seen.add(curve.read_bytes())
        return any(_rows(content) >= 3 for content in seen)

    _kill_after_checkpoint(work, command, work.root / ".dvc/tmp/checkpoints", until=some_rows)
    seen.add(curve.read_bytes())
    assert all(whole.startswith(content) and content.endswith(b"\n") for content in seen)
    assert len(seen) > 1 and max(map(_rows, seen)) < _rows(whole)
    assert "resumes after step" in work(*command).text
    assert curve.read_bytes() == whole


def _rows(curve: bytes) -> int:
    return curve.count(b"\n") - 1


def _kill_after_checkpoint(
    work: Study,
    command: list[str],
    checkpoints: Path,
    alone: bool = False,
    until: Callable[[], bool] = lambda: True,
) -> str:
    """Start a training, and kill all its processes at once when a checkpoint is there.

    alone: kill the training's process only; until: and when this is so as well. Returns what was
    said until the end.
    """
    run = work.start(*command, start_new_session=True)
    try:
        said = read_until(run, b"train x2-plain: begins")
        # A checkpoint comes with time: it passes while the training stands still.
        os.killpg(run.pid, signal.SIGSTOP)
        time.sleep(SECONDS_BETWEEN)
        os.killpg(run.pid, signal.SIGCONT)
        end = time.monotonic() + 60
        while not (until() and any(checkpoints.glob("*/*.npz"))):
            assert run.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < end
            time.sleep(0.02)
        if alone:
            training = ["pkill", "-KILL", "--session", str(run.pid), "-f", "stages.train"]
            subprocess.run(training, check=True)
            said += run.communicate(timeout=60)[0]
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
    return said.decode()
