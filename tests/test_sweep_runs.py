"""A sweep in two clones, and on two Dask workers; one of them is killed, but all points are made.

The study has only its first stages and one that replaces a training: this records its start and
continues when the test allows it.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.test_sharing import _free_port as free_port
from tests.tiny import Study

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

METRIC = "psnr.sample.x2.regularized"
TRAINING = """
import json, os, time
from pathlib import Path

from srstudy.common.errors import InputError
from srstudy.common.running import run
from srstudy.common.yaml_file import load_yaml


def main():
    value = load_yaml(Path("params.yaml"))["lambda"]
    begun = Path(os.environ["SWEEP_TEST"])
    (begun / f"{value} {os.getpid()}").touch()
    end = time.monotonic() + 400
    while (begun / "hold").exists() and time.monotonic() < end:
        time.sleep(0.1)
    if value == 0.5:
        raise InputError("lambda: 0.5 is too much")
    for folder in ("models", "metrics"):
        Path(folder).mkdir(exist_ok=True)
    Path("models/weights.txt").write_text(f"{value}")
    scores = {"psnr": {"sample": {"x2": {"regularized": 30 + value}}}}
    Path("metrics/summary.json").write_text(json.dumps(scores))


run(main)
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study, committed and pushed to a bare git remote; the DVC remote is a folder."""
    folder = tmp_path_factory.mktemp("sweep")
    study = Study.of_working_tree(folder / "study", folder / "shared")
    study.set(scales=[2], cascade_scales=[], datasets=["sample"], test_sets=["sample"])
    (study.root / "training.py").write_text(TRAINING)
    graph = yaml.safe_load((study.root / "dvc.yaml").read_text())
    graph["stages"] = {name: graph["stages"][name] for name in ("validate", "download")}
    graph["stages"]["summarize"] = {
        "cmd": "python -m training",
        "deps": ["data/raw/sample", "training.py"],
        "params": ["lambda"],
        "outs": ["models/weights.txt"],
        "metrics": [{"metrics/summary.json": {"cache": False}}],
    }
    (study.root / "dvc.yaml").write_text(yaml.safe_dump(graph, sort_keys=False))
    study("dvc", "remote", "modify", "home", "url", str(folder / "store"))
    study.commit("a study of three stages")
    study("git", "init", "--quiet", "--bare", str(folder / "origin.git"))
    study("git", "remote", "set-url", "origin", str(folder / "origin.git"))
    study("git", "push", "--quiet", "origin", "HEAD:main")
    return study


@pytest.fixture
def clones(study: Study, tmp_path: Path) -> Iterator[Callable[[str], Study]]:
    """Makes clones of the git remote, each with its own home folder and cache."""
    made = []

    def clone(name: str) -> Study:
        clone = Study(tmp_path / name, tmp_path / f"{name}-shared")
        (clone.shared / "home").mkdir(parents=True)
        origin = study("git", "remote", "get-url", "origin").text.strip()
        study("git", "clone", "--quiet", "--branch", "main", origin, str(clone.root))
        made.append(clone)
        return clone

    yield clone
    for one in made:
        one.end_queue()


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which trainings record their start; while it has a file `hold`, they wait."""
    folder = tmp_path / "begun"
    folder.mkdir()
    monkeypatch.setenv("SWEEP_TEST", str(folder))
    return folder


def _begun(folder: Path) -> list[str]:
    """The lambda of each started training, sorted."""
    return sorted(path.name.split()[0] for path in folder.iterdir() if path.name != "hold")


def _until(what: Callable[[], bool], process: "subprocess.Popen[Any]") -> None:
    end = time.monotonic() + 400
    while not what():
        assert time.monotonic() < end and process.poll() is None, process.communicate()
        time.sleep(0.1)


def _grid(folder: Path, *values: float) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / "sweep.yaml"
    path.write_text(yaml.safe_dump({"grid": {"lambda": [*values]}, "metric": METRIC}))
    return str(path)


def _sweep(*arguments: str) -> tuple[str, ...]:
    return ("python", "-m", "tools.sweep", *arguments)


def _done(path: Path) -> dict[float, bool]:
    """Which lambda has a score in a table; checks that each score is the correct one."""
    rows = pd.read_csv(path)
    done = rows[METRIC].notna()
    assert rows[METRIC][done].tolist() == pytest.approx((30 + rows["lambda"])[done].tolist())
    return dict(zip(rows["lambda"], done, strict=True))


def _works_in(root: Path) -> list[int]:
    """The processes whose current folder is inside a clone."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink().is_relative_to(root):
                found.append(int(entry.name))
        except OSError:
            continue  # it has ended, or belongs to another user
    return found


def test_two_clones_share_a_sweep_and_the_points_of_a_killed_one_are_made(
    clones: Callable[[str], Study], begun: Path, tmp_path: Path
) -> None:
    values, (one, two) = (0.1, 0.2, 0.3, 0.4), (clones("one"), clones("two"))
    first, other = (_grid(tmp_path / name, *values) for name in ("first", "other"))
    (begun / "hold").touch()
    killed = one.start(*_sweep(first, "--part", "1/2", "--share"), text=True)
    running = two.start(*_sweep(other, "--part", "2/2", "--share"), text=True)
    _until(lambda: _begun(begun) == ["0.1", "0.2"], running)
    second = one.try_(*_sweep(first))
    assert second.status == 1
    assert re.fullmatch(
        r"error: a sweep in this clone: is already running as process \d+; .*\n", second.text
    )
    killed.kill()
    _until(lambda: not _works_in(one.root), running)  # no process is left over
    (begun / "hold").unlink()
    said, _ = running.communicate(timeout=300)
    assert running.returncode == 0, said
    assert _done(tmp_path / "other/sweep.csv") == {0.1: False, 0.2: True, 0.3: False, 0.4: True}

    two(*_sweep(other, "--share"))
    assert all(_done(tmp_path / "other/sweep.csv").values())
    assert "<svg" in (tmp_path / "other/sweep.svg").read_text()
    assert _begun(begun) == ["0.1", "0.1", "0.2", "0.3", "0.4"]

    # The killed clone finds all points done, with their results.
    again = one(*_sweep(first, "--part", "1/2", "--share"))
    assert "exists already" in again.text
    assert all(_done(tmp_path / "first/sweep.csv").values())
    assert len(_begun(begun)) == 5
    name = pd.read_csv(tmp_path / "first/sweep.csv")["experiment"][2]
    one("dvc", "exp", "pull", "origin", name)
    one("dvc", "exp", "apply", name)
    assert (one.root / "models/weights.txt").read_text() == "0.3"


def test_point_that_fails_is_named_and_the_others_continue(
    clones: Callable[[str], Study], begun: Path, tmp_path: Path
) -> None:
    grid, work = _grid(tmp_path, 0.5, 0.6), clones("work")
    run = work.try_(*_sweep(grid))
    assert run.status == 1 and "Traceback" not in run.text, run.text
    assert "error: lambda: 0.5 is too much" in run.text
    assert run.text.splitlines()[-1].startswith("error: 1 of 2 points failed: lambda-0.5-")
    assert _done(tmp_path / "sweep.csv") == {0.5: False, 0.6: True}
    assert work("git", "status", "--porcelain").text == ""
    assert work.try_(*_sweep(grid)).status == 1
    assert _begun(begun) == ["0.5", "0.5", "0.6"]

    work.set(seed=7)
    refused = work.try_(*_sweep(grid))
    assert refused.status == 1
    line = "error: params.yaml: changed after the commit of the experiments; commit it first\n"
    assert refused.text == line
    assert len(_begun(begun)) == 3


@pytest.fixture
def scheduler(clones: Callable[[str], Study], tmp_path: Path) -> Iterator[tuple[Study, str]]:
    """A clone, and the address of a Dask scheduler on this machine."""
    pytest.importorskip("distributed", reason="make cluster installs it")
    work, port = clones("work"), free_port()
    address = f"tcp://127.0.0.1:{port}"
    command = ("-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port))
    with (tmp_path / "scheduler.log").open("w") as log:
        # With a time limit, in case nothing stops it.
        bounded = ("--no-dashboard", "--idle-timeout", "400s")
        process = work.start(sys.executable, *command, *bounded, stdout=log, cwd=tmp_path)
        yield work, address
        process.kill()
        process.wait()


@pytest.fixture
def workers(
    scheduler: tuple[Study, str], begun: Path, tmp_path: Path
) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Two workers of one thread, outside any clone; their trainings record starts in `begun`."""
    work, address = scheduler
    folder = tmp_path / "workers"
    folder.mkdir()
    command = ("-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny")
    bounded = ("--no-dashboard", "--death-timeout", "60")
    with (folder / "log").open("w") as log:
        started = [
            work.start(sys.executable, *command, *bounded, stdout=log, cwd=folder) for _ in "12"
        ]
        yield started
        for worker in started:
            worker.kill()
            worker.wait()


def test_point_of_a_killed_dask_worker_is_made_by_another(
    scheduler: tuple[Study, str],
    workers: list["subprocess.Popen[bytes]"],
    begun: Path,
    tmp_path: Path,
) -> None:
    work, address = scheduler
    command = _sweep(_grid(tmp_path, 0.11, 0.12, 0.13), "--cluster", address)
    (begun / "hold").touch()
    sweep = work.start(*command, text=True)
    _until(lambda: len(_begun(begun)) == 2, sweep)
    first = {int(path.name.split()[1]) for path in begun.iterdir() if path.name != "hold"}
    os.kill(workers[0].pid, signal.SIGKILL)
    workers[0].wait()
    # Its training ends with it; the training of the other worker continues.
    _until(lambda: sum(Path(f"/proc/{pid}").exists() for pid in first) == 1, sweep)
    (begun / "hold").unlink()
    said, _ = sweep.communicate(timeout=400)
    assert sweep.returncode == 0, said
    assert all(_done(tmp_path / "sweep.csv").values())
    ran = _begun(begun)
    assert len(ran) == 4 and len(set(ran)) == 3, ran
    clones = (work.shared / "home/.cache/sr-study/clones").glob("*/*/[0-9]")
    assert {path.name for path in clones} == {"1", "2"}

    # Already done: the workers get no task.
    assert "0 points" in work(*command).text
    assert len(_begun(begun)) == 4


def test_point_that_fails_on_a_worker_is_named_with_its_messages(
    scheduler: tuple[Study, str], workers: list["subprocess.Popen[bytes]"], tmp_path: Path
) -> None:
    work, address = scheduler
    run = work.try_(*_sweep(_grid(tmp_path, 0.5), "--cluster", address))
    assert run.status == 1 and "Traceback" not in run.text, run.text
    assert "error: lambda: 0.5 is too much" in run.text
    assert run.text.splitlines()[-1].startswith("error: 1 of 1 points failed: lambda-0.5-")


def test_cluster_that_does_not_answer_is_refused_in_one_line(
    clones: Callable[[str], Study], tmp_path: Path
) -> None:
    pytest.importorskip("distributed", reason="make cluster installs it")
    work = clones("work")
    address = f"tcp://127.0.0.1:{free_port()}"
    refused = work.try_(*_sweep(_grid(tmp_path, 0.21), "--cluster", address))
    assert refused.status == 1
    assert refused.text.startswith(f"error: --cluster: found {address}: ")
    assert refused.text.count("\n") == 1, refused.text


def test_commit_that_only_another_remote_has_is_refused(
    clones: Callable[[str], Study], tmp_path: Path
) -> None:
    work = clones("work")
    work("git", "init", "--quiet", "--bare", str(tmp_path / "other.git"))
    work("git", "remote", "add", "other", str(tmp_path / "other.git"))
    work("git", "commit", "--quiet", "--allow-empty", "-m", "not on origin")
    work("git", "push", "--quiet", "other", "HEAD:refs/heads/new")
    refused = work.try_(*_sweep(_grid(tmp_path, 0.21), "--cluster", "tcp://127.0.0.1:1"))
    assert refused.status == 1
    expected = "error: --cluster: the git remote origin lacks this commit; run: git push\n"
    assert refused.text == expected


@pytest.mark.parametrize("how", [["--share"], ["--cluster", "tcp://127.0.0.1:1"]])
def test_remote_that_is_not_there_is_refused_before_any_point(
    clones: Callable[[str], Study], tmp_path: Path, how: list[str]
) -> None:
    work = clones("work")
    work("git", "remote", "remove", "origin")
    refused = work.try_(*_sweep(_grid(tmp_path, 0.21, 0.22), *how))
    assert refused.status == 1 and refused.text.count("\n") == 1, refused.text
    assert refused.text.startswith("error: git ls-remote origin ")
