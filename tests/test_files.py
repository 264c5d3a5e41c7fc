"""Folders that are replaced whole, also when the process is killed or fails on the way."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from srstudy.common.errors import InputError
from srstudy.common.files import whole_file, whole_folder
from tests.imports import ROOT

# Replaces a folder, and is killed directly after its rename number COUNT.
KILLED = """
import os, signal, sys
from pathlib import Path
from srstudy.common.files import whole_folder

path, left = Path(sys.argv[1]), int(sys.argv[2])
rename = Path.rename

def counted(self, target):
    global left
    rename(self, target)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

Path.rename = counted
with whole_folder(path) as partial:
    for name in "ab":
        (partial / name).write_text("new")
"""


def _killed(path: Path, count: int) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, path, str(count)], cwd=ROOT, timeout=100)
    assert done.returncode == -signal.SIGKILL


def _contents(path: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in sorted(path.iterdir())}


def _write(path: Path, content: str) -> None:
    with whole_folder(path) as partial:
        for name in "ab":
            (partial / name).write_text(content)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A folder with two files."""
    _write(tmp_path / "set", "old")
    return tmp_path / "set"


# After the first rename the old folder is moved away, after the second the new one is there, and
# after the third the old one has the name under which it is deleted.
RENAMES = {1: None, 2: "new", 3: "new"}


@pytest.mark.parametrize(("count", "content"), RENAMES.items())
def test_kill_between_two_renames_leaves_a_whole_folder_or_none(
    old: Path, count: int, content: str | None
) -> None:
    _killed(old, count)
    found = _contents(old) if old.exists() else None
    assert found == (content and {"a": content, "b": content})


@pytest.mark.parametrize("count", RENAMES)
def test_next_run_after_a_kill_replaces_the_folder_and_leaves_nothing_else(
    old: Path, count: int
) -> None:
    _killed(old, count)
    _write(old, "newest")
    assert _contents(old) == {"a": "newest", "b": "newest"}
    assert list(old.parent.iterdir()) == [old]


@pytest.mark.parametrize(("count", "content"), RENAMES.items())
def test_next_run_that_fails_after_a_kill_keeps_the_folder_that_was_complete(
    old: Path, count: int, content: str | None
) -> None:
    _killed(old, count)
    with pytest.raises(RuntimeError), whole_folder(old):
        raise RuntimeError
    assert _contents(old) == dict.fromkeys("ab", content or "old")
    assert list(old.parent.iterdir()) == [old]


def test_failed_rename_of_the_new_folder_puts_the_old_one_back(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        if self.name == ".partial-set":
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _write(old, "new")
    assert _contents(old) == {"a": "old", "b": "old"}
    assert list(old.parent.iterdir()) == [old]


def test_error_names_the_output_or_the_file_that_the_block_read(tmp_path: Path) -> None:
    output, missing = tmp_path / "output", tmp_path / "input/missing.png"
    with pytest.raises(InputError) as caught, whole_folder(output):
        missing.read_bytes()
    assert str(caught.value) == f"{missing}: cannot be read or written: No such file or directory"
    with pytest.raises(InputError) as caught, whole_folder(output) as partial:
        (partial / "a/b").write_text("")
    assert str(caught.value) == f"{output}: cannot be written: No such file or directory"
    (tmp_path / "file").touch()
    below = tmp_path / "file/below/output"
    with pytest.raises(InputError) as caught, whole_file(below):
        pass
    assert str(caught.value) == f"{below}: cannot be written: Not a directory"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]
