import io

import pytest

from srstudy.common import progress as module
from srstudy.common.progress import progress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _shown(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, every: float) -> str:
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(module, "EVERY_S", every)
    shown = progress([1, 2, 3], "train x2", 3, "step")
    for item in shown:
        shown.set_postfix_str(f"loss {item}", refresh=False)
    return stream.getvalue()


def test_progress_in_a_log_is_plain_lines_with_the_time_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = _shown(monkeypatch, io.StringIO(), every=0).splitlines()
    assert "\r" not in "".join(lines)
    assert "train x2: 2 of 3 steps, 00:00 left, loss 2" in lines
    assert len(lines) == len(set(lines)) <= 4


def test_short_task_prints_no_progress_in_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _shown(monkeypatch, io.StringIO(), every=30) == ""


def test_progress_on_a_terminal_is_one_line_that_is_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = _shown(monkeypatch, _Terminal(), every=30)
    assert "\n" not in text and "train x2:" in text
    assert text.rpartition("\r")[0].rpartition("\r")[2].strip() == ""  # overwritten with blanks


def test_progress_of_a_resumed_task_continues_its_count(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(module, "EVERY_S", 0)
    assert list(progress([1, 2], "train x2", 5, "step", done=3)) == [1, 2]
    assert "train x2: 5 of 5 steps" in stream.getvalue()
