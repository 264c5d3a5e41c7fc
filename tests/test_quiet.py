"""TensorFlow starts without messages, and leaves Python as it was."""

import subprocess
import sys

from tests.imports import ROOT

START = """
import gc, sys
import srstudy.backend.quiet
assert "tensorflow" in sys.modules and "matplotlib" not in sys.modules
assert gc.isenabled()
import matplotlib.pyplot
"""
AFTER_MATPLOTLIB = """
import gc, sys
import matplotlib
gc.disable()
import srstudy.backend.quiet
assert sys.modules["matplotlib"] is matplotlib and not gc.isenabled()
"""


def _run(code: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout + run.stderr


def test_start_prints_nothing_and_matplotlib_can_be_imported_after_it() -> None:
    assert _run(START) == ""


def test_start_keeps_an_imported_matplotlib_and_a_garbage_collector_that_is_off() -> None:
    assert _run(AFTER_MATPLOTLIB) == ""
