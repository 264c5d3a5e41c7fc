"""The make commands if nothing is installed yet."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.imports import ROOT

TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
LOOK = {"check", "compare", "graph", "lint", "readme"}
NOTHING_NEEDED = {"help", "lock", "wheel"}  # lock needs uv, which it names; wheel any Python
# Replaces python3: it accepts the version check and installs nothing.
NO_INSTALL = '#!/bin/sh\n[ "$1" = -c ] || [ "$1" = --version ]\n'


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone without .venv, with the Makefile and .gitignore of this working tree."""
    root = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, root], check=True)
    for name in ("Makefile", ".gitignore", "bin/setup"):
        shutil.copy(ROOT / name, root / name)
    python = tmp_path / "bin/python3"
    python.parent.mkdir()
    python.write_text(NO_INSTALL)
    python.chmod(0o755)
    return root


def _make(clone: Path, *target: str) -> "subprocess.CompletedProcess[str]":
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    environment["PATH"] = f"{clone.parent / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        ["make", "--no-print-directory", *target],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("target", sorted(LOOK))
def test_quick_target_asks_for_the_setup_in_one_line(clone: Path, target: str) -> None:
    before = sorted(path.name for path in clone.iterdir())
    made = _make(clone, target)
    assert made.returncode != 0
    assert made.stdout == ""
    (line,) = made.stderr.splitlines()
    assert ".venv: is not set up; run: make setup" in line
    assert sorted(path.name for path in clone.iterdir()) == before


@pytest.mark.parametrize("target", sorted({*TARGETS} - LOOK - NOTHING_NEEDED))
def test_long_target_runs_the_setup(clone: Path, target: str) -> None:
    made = _make(clone, target)
    assert made.returncode != 0  # because of NO_INSTALL
    assert made.stdout.startswith("installing requirements.lock into .venv")


@pytest.mark.parametrize("value", ["0", "2", "yes"])
def test_gpu_is_1_or_nothing(clone: Path, value: str) -> None:
    made = _make(clone, f"GPU={value}", "setup")
    assert made.returncode != 0 and made.stdout == ""
    (line,) = made.stderr.splitlines()
    assert f"GPU: found '{value}'; allowed: 1" in line


def test_commands_are_listed_without_the_setup(clone: Path) -> None:
    made = _make(clone, "help")
    assert made.returncode == 0
    listed = {line.split()[0] for line in made.stdout.splitlines()}
    assert listed == {*TARGETS} >= LOOK


def test_outputs_of_make_are_ignored_by_git_also_as_links(clone: Path) -> None:
    names = {".venv", ".demo", "models", "report", "exported", "large"}
    for name in names:
        (clone / name).symlink_to(clone.parent)
    asked = ["git", "check-ignore", *names]
    said = subprocess.run(asked, cwd=clone, capture_output=True, text=True).stdout
    assert {*said.split()} == names


def test_tests_that_ci_leaves_out_exist() -> None:
    script = (ROOT / ".ci/run").read_text("utf-8")
    files = re.search(r"for name in ((?:\w+|\\\n|\s)+); do\n", script)
    assert files is not None
    for name in files[1].replace("\\\n", " ").split():
        assert (ROOT / f"tests/test_{name}.py").is_file(), name
    single = re.findall(r"\b(test_\w+\.py)::(test_\w+)", script)
    assert len(single) >= 8
    for file, name in single:
        assert f"def {name}(" in (ROOT / "tests" / file).read_text("utf-8"), name
