"""bin/setup with stand-ins for Python, pip, uv and df: what it does; each failure is one line."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.imports import ROOT

# Of the version and with the modules that the environment says; makes a .venv with a pip.
PYTHON = """#!/bin/sh
case "$*" in
    *version_info*) [ -z "$OLD" ] ;;
    *ensurepip*) [ -z "$NO_VENV" ] ;;
    --version) echo "Python ${OLD:-3.11.7}" ;;
    "-m venv --clear .venv")
        mkdir -p .venv/bin && cp "$TOOLS/pip" .venv/bin/pip && cp "$0" .venv/bin/python ;;
    *) exit 9 ;;
esac
"""
# Writes its arguments down; fails with the words in FAULT, if there are any.
PIP = """#!/bin/sh
echo "$(basename "$0") $*" >> "$TOOLS/called"
[ -z "$FAULT" ] || { echo "$FAULT"; exit 1; }
"""
DF = """#!/bin/sh
echo "Filesystem 1024-blocks Used Available Capacity Mounted on"
echo "disk 9 9 ${FREE:-9000000} 9% /"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with bin/setup and a lock, and beside it the stand-ins."""
    folder, tools = tmp_path / "clone", tmp_path / "tools"
    (folder / "bin").mkdir(parents=True)
    tools.mkdir()
    shutil.copy(ROOT / "bin/setup", folder / "bin/setup")
    for name in ("requirements.lock", "more.lock"):
        (folder / name).write_text("")
    pythons = dict.fromkeys(["python3", "python3.11", "python3.12", "python3.13"], PYTHON)
    for name, text in {**pythons, "pip": PIP, "df": DF}.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    return folder


def _setup(root: Path, *locks: str, **said: str) -> "subprocess.CompletedProcess[str]":
    tools = root.parent / "tools"
    environment = {"PATH": f"{tools}:/usr/bin:/bin", "TOOLS": str(tools), **said}
    return subprocess.run(
        [root / "bin/setup", *locks], env=environment, capture_output=True, text=True, timeout=30
    )


def _called(root: Path) -> list[str]:
    path = root.parent / "tools/called"
    return path.read_text().splitlines() if path.exists() else []


def test_packages_are_installed_by_their_hashes_and_the_end_is_marked(root: Path) -> None:
    done = _setup(root)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith("installing requirements.lock into .venv by pip, for Python 3.1")
    (call,) = _called(root)
    assert "--require-hashes" in call and call.endswith("-r requirements.lock")
    assert (root / ".venv/installed").is_file()


def test_uv_is_taken_where_the_machine_has_it(root: Path) -> None:
    uv = root.parent / "tools/uv"
    shutil.copy(root.parent / "tools/pip", uv)
    done = _setup(root)
    assert done.returncode == 0 and "by uv" in done.stdout
    (call,) = _called(root)
    assert call.startswith("uv pip install") and "--require-hashes" in call


def test_further_locks_are_installed_after_the_first(root: Path) -> None:
    assert _setup(root, "requirements.lock", "more.lock").returncode == 0
    assert [call.rpartition(" ")[2] for call in _called(root)] == ["requirements.lock", "more.lock"]


def test_set_up_that_was_stopped_goes_on_with_what_is_there(root: Path) -> None:
    failed = _setup(root, FAULT="ReadTimeoutError: timed out")
    assert failed.returncode == 1 and not (root / ".venv/installed").exists()
    (root / ".venv/bin/kept").touch()
    assert _setup(root).returncode == 0
    assert (root / ".venv/bin/kept").exists() and (root / ".venv/installed").exists()


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"OLD": "3.10.2"}, "setup: found Python 3.10.2; needed: Python 3.11, 3.12 or 3.13"),
        ({"NO_VENV": "1"}, "setup: python3: has no venv; on Debian and Ubuntu: apt install python"),
        ({"FREE": "1200000"}, "setup: found 1200 MB of free disk here; needed: about 3000 MB"),
        (
            {"FAULT": "WARNING: Retrying\nERROR: Temporary failure in name resolution"},
            "setup: requirements.lock: could not be downloaded: is there a network?",
        ),
        (
            {"FAULT": "ERROR: Could not install packages: hashes do not match"},
            "setup: requirements.lock: could not be installed: ERROR: Could not install packages",
        ),
    ],
    ids=["old Python", "no venv", "no disk", "no network", "another fault"],
)
def test_failure_is_one_clear_line(root: Path, said: dict[str, str], line: str) -> None:
    done = _setup(root, **said)
    assert done.returncode == 1
    (found,) = done.stderr.splitlines()
    assert found.startswith(line)
    assert not (root / ".venv/installed").exists()


def test_script_can_be_run() -> None:
    assert os.access(ROOT / "bin/setup", os.X_OK)
