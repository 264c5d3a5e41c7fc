"""The map over a Dask cluster: a scheduler and workers on this machine, in real processes.

These tests need dask.distributed: `make test-all` installs it with `make cluster`.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.imports import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

DASK = (sys.executable, "-m", "dask")
# A stage of a few seconds: like the real ones, its function is of __main__.
STAGE = """
import json, os, sys, time
from pathlib import Path
from srstudy.common.errors import InputError
from srstudy.common.running import run
from srstudy.datasets import cluster
from srstudy.datasets.parallel import ordered_map

options = json.loads(sys.argv[1])

def work(item):
    Path("began").joinpath(f"{item}-{os.getpid()}").touch()
    if item == options.get("wrong"):
        raise InputError(f"images/{item}.png: is not an image")
    if item == options.get("full"):
        raise OSError(28, "No space left on device", f"{item}.png")
    if item == options.get("kills"):
        os._exit(1)
    time.sleep(options.get("seconds", 0))
    return item * item, os.getpid()

def main():
    cluster.WITHOUT_WORKERS_S = options.get("patience", cluster.WITHOUT_WORKERS_S)
    for result, process in ordered_map(work, range(40)):
        print(result, process, flush=True)

run(main)
"""


class Cluster:
    """A scheduler and its workers, each in a separate process; `workers` are the running ones."""

    def __init__(self, folder: Path, stack: ExitStack, **environment: str) -> None:
        self.folder, self._stack = folder, stack
        self.workers: list[subprocess.Popen[bytes]] = []
        self.file = folder / "scheduler.json"
        where = ("--port", "0", "--scheduler-file", str(self.file))
        environment = _environment(None, **environment)
        self.scheduler = self._start("scheduler", *where, folder=folder, environment=environment)
        _until(self.file.is_file)
        self.address = json.loads(self.file.read_text())["address"]

    def add_worker(self, folder: Path | None = None, path: Path | None = ROOT) -> None:
        """Start a worker of one thread in a folder, with the code of another; wait for it."""
        what = (self.address, "--no-nanny", "--nthreads", "1")
        environment = _environment(path)
        self.workers.append(
            self._start("worker", *what, folder=folder or self.folder, environment=environment)
        )
        log = self.folder / f"worker{len(self.workers)}.log"
        _until(lambda: "Registered to:" in log.read_text())

    def _start(
        self, kind: str, *options: str, folder: Path, environment: dict[str, str]
    ) -> "subprocess.Popen[bytes]":
        number = str(len(self.workers) + 1) if kind == "worker" else ""
        with (self.folder / f"{kind}{number}.log").open("wb") as said:
            process = subprocess.Popen(
                [*DASK, kind, "--host", "127.0.0.1", "--no-dashboard", *options],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        self._stack.callback(_end, process)
        return process


def _environment(path: Path | None, **more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    found = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    paths = [*([str(path)] if path else []), *found]
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **more}


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait(timeout=60)


def _until(holds: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    (tmp_path / "began").mkdir()
    with ExitStack() as stack:
        yield Cluster(tmp_path, stack)


def _stage(folder: Path, address: str, **options: float) -> "subprocess.Popen[str]":
    """The running stage in a folder; options: those that STAGE reads."""
    (folder / "stage.py").write_text(STAGE)
    return subprocess.Popen(
        [sys.executable, "stage.py", json.dumps(options)],
        cwd=folder,
        env=_environment(ROOT, SR_CLUSTER=address),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts its background jobs with SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def _refusal(folder: Path, address: str) -> str:
    """The one line of a run that is refused before any item is started."""
    process = _stage(folder, address)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1 and out == "", (out, err)
    (line,) = err.splitlines()
    assert line.startswith("error: SR_CLUSTER: ")
    assert not list((folder / "began").glob("*"))
    return line


def test_results_come_in_order_from_all_workers_and_leave_nothing(cluster: Cluster) -> None:
    cluster.add_worker()
    cluster.add_worker()
    process = _stage(cluster.folder, cluster.address, seconds=0.05)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, ""), err
    head, *lines = out.splitlines()
    assert head == f"on 2 workers of {cluster.address}"
    found = [tuple(map(int, line.split())) for line in lines]
    assert [result for result, _ in found] == [item * item for item in range(40)]
    assert {process for _, process in found} == {worker.pid for worker in cluster.workers}
    assert not list((cluster.folder / ".dvc/tmp/cluster").iterdir())


def test_only_the_items_of_a_killed_worker_are_repeated(cluster: Cluster) -> None:
    cluster.add_worker()
    cluster.add_worker()
    process = _stage(cluster.folder, str(cluster.file), seconds=0.2)
    assert process.stdout is not None
    head = [process.stdout.readline() for _ in range(4)]
    cluster.workers[0].kill()
    out, err = process.communicate(timeout=200)
    assert (process.returncode, err) == (0, ""), err
    found = [int(line.split()[0]) for line in [*head[1:], *out.splitlines()]]
    assert found == [item * item for item in range(40)]
    begun = [path.name.partition("-")[0] for path in (cluster.folder / "began").iterdir()]
    # Started twice: its current items, and items whose results were still on it.
    assert len(set(begun)) == 40 and 40 < len(begun) <= 40 + 12


def test_item_that_kills_its_workers_ends_the_run_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "began").mkdir()
    with ExitStack() as stack:
        # The item fails at once, not after the fourth worker.
        cluster = Cluster(tmp_path, stack, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")
        cluster.add_worker()
        cluster.add_worker()
        process = _stage(tmp_path, cluster.address, kills=2)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    (line,) = err.splitlines()
    assert "were killed repeatedly at the same item: do they have enough memory?" in line


def test_cluster_without_any_worker_left_ends_the_run_with_one_line(cluster: Cluster) -> None:
    cluster.add_worker()
    process = _stage(cluster.folder, cluster.address, seconds=0.5, patience=1)
    assert process.stdout is not None
    process.stdout.readline(), process.stdout.readline()
    cluster.workers[0].kill()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    (line,) = err.splitlines()
    assert f"{cluster.address} has lost all of its workers; start every worker in" in line


def test_worker_that_joins_later_is_used(cluster: Cluster) -> None:
    cluster.add_worker()
    process = _stage(cluster.folder, cluster.address, seconds=0.4)
    assert process.stdout is not None
    process.stdout.readline(), process.stdout.readline()
    cluster.add_worker()
    out, err = process.communicate(timeout=200)
    assert (process.returncode, err) == (0, ""), err
    assert {int(line.split()[1]) for line in out.splitlines()} == {
        worker.pid for worker in cluster.workers
    }


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ({"wrong": 3}, "error: images/3.png: is not an image\n"),
        ({"full": 3}, "No space left on device"),
    ],
)
def test_error_of_an_item_is_the_same_as_without_a_cluster(
    cluster: Cluster, fault: dict[str, int], line: str
) -> None:
    cluster.add_worker()
    process = _stage(cluster.folder, cluster.address, **fault)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    alone = _stage(cluster.folder, "", **fault)
    _, expected = alone.communicate(timeout=120)
    assert expected.endswith(line) or line in expected.splitlines()[-1]
    assert err.splitlines()[-1] == expected.splitlines()[-1]


@pytest.mark.timeout(120)  # it must not wait for ever
def test_scheduler_that_does_not_answer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "began").mkdir()
    assert "tcp://127.0.0.1:1" in (line := _refusal(tmp_path, "tcp://127.0.0.1:1"))
    assert "Timed out" in line and line.endswith("the path of a scheduler file")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("tls://127.0.0.1:1", "TLS expects"),  # without Dask's settings
        ("ucx://127.0.0.1:1", "is of another protocol"),
        ("~nobody-has-this-name/x.json", "Could not determine home directory"),
    ],
)
def test_address_of_another_kind_is_refused(tmp_path: Path, address: str, words: str) -> None:
    (tmp_path / "began").mkdir()
    line = _refusal(tmp_path, address)
    assert f"found {address}: {words}" in line and "; allowed: tcp://" in line


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file"),
        ("[]", "is not a scheduler file"),
        ('{"address": 5}', "is not a scheduler file"),
    ],
)
def test_scheduler_file_that_is_missing_or_broken_is_refused(
    tmp_path: Path, content: str | None, words: str
) -> None:
    (tmp_path / "began").mkdir()
    if content:
        (tmp_path / "scheduler.json").write_text(content)
    assert f"found scheduler.json: {words}" in _refusal(tmp_path, "scheduler.json")


def test_scheduler_without_workers_is_refused(cluster: Cluster) -> None:
    assert "has no worker; start every worker in" in _refusal(cluster.folder, cluster.address)


def test_worker_in_another_folder_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    cluster.add_worker()
    cluster.add_worker(folder=other)
    line = _refusal(cluster.folder, cluster.address)
    assert f"works in another folder, {other}; start every worker" in line


def test_worker_with_another_checkout_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for room in ("srstudy", "stages"):
        shutil.copytree(ROOT / room, other / room, ignore=shutil.ignore_patterns("__pycache__"))
    changed = other / "srstudy/images/psnr.py"
    changed.write_text(changed.read_text() + "# changed\n")
    cluster.add_worker(path=other)
    line = _refusal(cluster.folder, cluster.address)
    assert "has other code or other packages than the study has now" in line


def test_worker_that_has_no_study_is_refused(cluster: Cluster) -> None:
    cluster.add_worker(path=None)
    line = _refusal(cluster.folder, cluster.address)
    assert "cannot load the study: No module named 'srstudy'" in line


def test_message_about_missing_dask_names_the_command_that_installs_it(tmp_path: Path) -> None:
    (tmp_path / "began").mkdir()
    (tmp_path / "stage.py").write_text(STAGE)
    blocked = tmp_path / "sitecustomize.py"
    blocked.write_text(
        "import importlib.util as util\n"
        "found = util.find_spec\n"
        "util.find_spec = lambda n, *a: None if n == 'distributed' else found(n, *a)\n"
    )
    done = subprocess.run(
        [sys.executable, "stage.py", "{}"],
        cwd=tmp_path,
        env=_environment(ROOT, SR_CLUSTER="tcp://127.0.0.1:1")
        | {"PYTHONPATH": f"{tmp_path}:{_environment(ROOT)['PYTHONPATH']}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == (
        "error: SR_CLUSTER: found tcp://127.0.0.1:1, but Dask is not installed; run: make cluster\n"
    )


def test_scheduler_that_ends_during_a_run_is_reported_in_one_line(cluster: Cluster) -> None:
    cluster.add_worker()
    process = _stage(cluster.folder, cluster.address, seconds=0.5)
    assert process.stdout is not None
    process.stdout.readline(), process.stdout.readline()
    cluster.scheduler.kill()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert err == f"error: SR_CLUSTER: the scheduler {cluster.address} has ended\n"


def test_workers_can_be_used_again_after_an_interrupted_stage(cluster: Cluster) -> None:
    cluster.add_worker()
    process = _stage(cluster.folder, cluster.address, seconds=0.5)
    assert process.stdout is not None
    process.stdout.readline(), process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    again = _stage(cluster.folder, cluster.address)
    out, _ = again.communicate(timeout=120)
    assert again.returncode == 0 and len(out.splitlines()) == 41


# The interrupt comes before the question to the scheduler has begun: Dask's event loop is busy.
INTERRUPTED = """
import sys, threading, time
from unittest.mock import patch
from srstudy.datasets.scheduler import connected

with connected(sys.argv[1], "--cluster", "") as client:
    client.loop.add_callback(time.sleep, 0.5)
    with patch.object(threading.Event, "wait", side_effect=KeyboardInterrupt):
        try:
            client.nthreads()
        except KeyboardInterrupt:
            print("interrupted")
    time.sleep(1)
"""


def test_interrupt_at_any_moment_prints_nothing(cluster: Cluster) -> None:
    cluster.add_worker()
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, cluster.address],
        env=_environment(ROOT),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")


def test_data_stages_give_the_same_bytes_on_a_cluster(tmp_path: Path) -> None:
    alone, spread = (tmp_path / name for name in ("alone", "spread"))
    for study in (alone, spread):
        shutil.copytree(ROOT / "data/registry", study / "data/registry")
        shutil.copy(ROOT / "params.yaml", study)
        _run(study, "download", "--dataset", "sample", "--to", "data/raw/sample")
    _data_stages(alone)
    (spread / "began").mkdir()
    with ExitStack() as stack:
        cluster = Cluster(spread, stack)
        cluster.add_worker()
        cluster.add_worker()
        _data_stages(spread, SR_CLUSTER=cluster.address)
    found = (path for path in (alone / "data").rglob("*") if path.is_file())
    files = sorted(path.relative_to(alone) for path in found)
    assert len(files) > 50
    for path in files:
        assert (spread / path).read_bytes() == (alone / path).read_bytes(), path


def _data_stages(study: Path, **environment: str) -> None:
    _run(study, "own_images", "mine", "data/raw/sample", **environment)
    _run(study, "shared", "--dataset", "mine", "--test-set", "sample", **environment)
    role = ("--dataset", "mine", "--scale", "4", "--role", "train")
    _run(study, "synthesize", *role, **environment)
    _run(study, "patch", "--scale", "4", "--dataset", "mine", **environment)


def _run(study: Path, stage: str, *arguments: str, **environment: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"stages.{stage}", *arguments],
        cwd=study,
        env=_environment(ROOT, **environment),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
