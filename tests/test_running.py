import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.imports import ROOT

STAGE = """
import signal, sys
from srstudy.common.errors import InputError
from srstudy.common.running import run

# In background jobs this signal is ignored, and child processes inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

def main():
    print("runs", flush=True)
    if "wrong" in sys.argv:
        raise InputError("params.yaml: lambda: found -1; allowed: more\\nanother line")
    if "large" in sys.argv:
        bytearray(1 << 62)
    if "threads" in sys.argv:
        from time import sleep
        from srstudy.datasets.parallel import ordered_map
        for _ in ordered_map(sleep, [0] + 600 * [1], 2):
            print("works", flush=True)
    if "tensorflow" in sys.argv:
        raise type("ResourceExhaustedError", (Exception,), {})("OOM when allocating\\nmore")
    if "wait" in sys.argv:
        sys.stdin.read()

run(main)
"""


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", STAGE, *arguments]


def _start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        _command(*arguments),
        cwd=folder,
        env=environment,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        text=True,
    )


def _ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_wrong_input_gives_one_line_and_a_non_zero_status(tmp_path: Path) -> None:
    status, _, err = _ended(_start(tmp_path, "wrong"))
    assert status == 1
    assert err == "error: params.yaml: lambda: found -1; allowed: more\nerror: another line\n"


@pytest.mark.parametrize("whose", ["large", "tensorflow"])
def test_lack_of_memory_gives_one_line(tmp_path: Path, whose: str) -> None:
    status, _, err = _ended(_start(tmp_path, whose))
    assert status == 1
    assert err.startswith("error: there is not enough memory") and err.count("\n") == 1


def test_second_run_of_a_stage_is_refused_and_names_the_first_process(tmp_path: Path) -> None:
    first = _start(tmp_path, "wait", "--scale", "2")
    assert first.stdout is not None
    assert first.stdout.readline() == "runs\n"
    try:
        status, out, err = _ended(_start(tmp_path, "wait", "--scale", "2"))
        assert (status, out) == (1, "")
        assert f"is already running as process {first.pid}" in err
        assert err.count("\n") == 1
        # Another scale, and the same stage in another folder, do not disturb it.
        other = tmp_path / "other"
        other.mkdir()
        assert _ended(_start(tmp_path, "--scale", "4"))[0] == 0
        assert _ended(_start(other, "--scale", "2"))[0] == 0
    finally:
        first.kill()
        first.communicate(timeout=60)
    # A killed run does not block the next one.
    assert _ended(_start(tmp_path, "--scale", "2"))[0] == 0


@pytest.mark.parametrize("stage", ["train-plain@2", None])
def test_stage_ends_when_the_dvc_that_started_it_ends(tmp_path: Path, stage: str | None) -> None:
    parent = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen(sys.argv[1:], stdout=sys.stdout)\n"
        "time.sleep(600)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment |= {"DVC_STAGE": stage} if stage else {}
    # The stage writes to a pipe, which ends only when the stage has ended too.
    process = subprocess.Popen(
        [sys.executable, "-c", parent, *_command("wait")],
        cwd=tmp_path,
        env=environment,
        stdin=(held := subprocess.Popen(["sleep", "600"], stdout=subprocess.PIPE)).stdout,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == "runs\n"
        process.kill()
        process.wait(timeout=60)
        ended, _, _ = select.select([process.stdout], [], [], 30 if stage else 1)
        assert bool(ended) == bool(stage)
    finally:
        held.kill()  # this closes the input that the stage waits for
        held.wait(timeout=60)
    assert process.stdout.read() == ""


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / ".dvc").write_text("a file")
    status, _, err = _ended(_start(tmp_path))
    assert status == 1
    assert err.startswith("error: .dvc/tmp/running: cannot be written: ")


def test_interrupted_stage_ends_without_a_traceback(tmp_path: Path) -> None:
    process = _start(tmp_path, "wait")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    status, _, err = _ended(process)
    assert (status, err) == (130, "")


def test_interrupted_stage_ends_with_the_items_that_are_under_way(tmp_path: Path) -> None:
    process = _start(tmp_path, "threads")
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == ["runs\n", "works\n"]
    process.send_signal(signal.SIGINT)
    # 600 items of a second are left; two are under way.
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
