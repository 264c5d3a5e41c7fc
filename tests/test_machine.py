"""What a system is asked that not every system answers: with the calls of Linux taken away."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from srstudy.common import machine
from tests.imports import ROOT

LINUX_ALONE = ("sched_getaffinity", "sched_setaffinity", "/proc/", "prctl", "fcntl")


def test_cores_are_those_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5})
    assert machine.cores() == 3


@pytest.mark.parametrize(("counted", "expected"), [(8, 8), (None, 1)])
def test_cores_are_all_of_them_where_the_system_does_not_tell_which(
    monkeypatch: pytest.MonkeyPatch, counted: int | None, expected: int
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: counted)
    assert machine.cores() == expected


def test_one_core_is_seen_in_its_block_and_all_of_them_after_it() -> None:
    before = os.sched_getaffinity(0)
    with machine.one_core():
        assert machine.cores() == 1
    assert os.sched_getaffinity(0) == before


def test_one_core_has_no_effect_where_no_process_can_choose(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "sched_setaffinity")
    before = machine.cores()
    with machine.one_core():
        assert machine.cores() == before


def test_processor_is_described_by_its_first_lines(tmp_path: Path) -> None:
    description = tmp_path / "cpuinfo"
    description.write_text("model name\t: Fast\nFlags\t: avx2 fma\n\nmodel name\t: Other\n")
    assert machine.processor(description) == {"model name": "Fast", "flags": "avx2 fma", "": ""}
    assert machine.processor(tmp_path / "missing") == {}


def test_nvidia_device_is_there_where_its_driver_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "NVIDIA", (tmp_path / "nvidia0", tmp_path / "driver"))
    assert not machine.has_nvidia_device()
    (tmp_path / "driver").mkdir()
    assert machine.has_nvidia_device()


CHILD = """
import os, sys, time
sys.platform = sys.argv[1]
from srstudy.common import machine
machine.end_with(os.getppid())
print("runs", flush=True)
time.sleep(600)
"""
PARENT = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", *sys.argv[1:]], stdout=sys.stdout)
time.sleep(600)
"""


@pytest.mark.timeout(60)  # the child itself would sleep longer
@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_process_ends_with_its_parent_on_every_system(platform: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, CHILD, platform],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "runs\n"
    parent.kill()
    # What the child writes to is at an end only when the child has ended too.
    assert parent.stdout.read() == ""
    parent.wait(timeout=30)


def test_file_is_locked_for_one_process_alone(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first, second = (os.open(path, os.O_RDWR | os.O_CREAT) for _ in range(2))
    machine.lock(first)
    with pytest.raises(BlockingIOError):
        machine.lock(second)
    os.close(first)
    machine.lock(second)
    os.close(second)


def test_what_is_linux_alone_stands_in_one_file_of_the_library() -> None:
    # tools/memory.py measures by /proc, and is a tool of this project's makers; the function that
    # tools/sweep_cluster.py sends to a worker may use nothing of this project.
    files = [*(ROOT / "srstudy").rglob("*.py"), *(ROOT / "tools").glob("*.py")]
    for path in files:
        text = path.read_text("utf-8")
        found = [word for word in LINUX_ALONE if word in text]
        known = path.name in ("machine.py", "memory.py", "sweep_cluster.py")
        assert not found or known, f"{path}: {found}"
