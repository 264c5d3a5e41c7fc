"""Progress of a long task: one line with the time left, or plain lines if there is no terminal."""

import math
import sys
from collections.abc import Iterable
from typing import Any, TypeVar

from tqdm import tqdm

Item = TypeVar("Item")

EVERY_S = 30  # seconds between two lines without a terminal: the log of a long run stays readable
FORMAT = "{desc}: {n_fmt} of {total_fmt} {unit}s, {remaining} left{postfix}"


def progress(
    items: Iterable[Item], title: str, total: int, unit: str, done: int = 0
) -> "tqdm[Item]":
    """The items; progress is shown on stderr. `set_postfix_str` adds a few words.

    title: what is done; total: the number of items; unit: the name of one; done: how many of the
    total are done already, in an earlier run. On a terminal the line is updated in place and
    removed at the end. Without a terminal, a task of more than 30 s prints a line every 30 s.
    """
    form: dict[str, Any] = {"total": total, "unit": unit, "initial": done, "leave": False}
    if sys.stderr.isatty():
        bar = "{desc}: {percentage:3.0f}% |{bar:20}| {n_fmt}/{total_fmt}, {remaining} left{postfix}"
        return tqdm(items, title, mininterval=0.5, bar_format=bar, dynamic_ncols=True, **form)
    often: dict[str, Any] = {"mininterval": EVERY_S, "maxinterval": EVERY_S, "delay": EVERY_S}
    return _Lines(items, title, bar_format=FORMAT, **often, **form)


class _Lines(tqdm):
    """tqdm that prints a new line each time instead of updating one in place."""

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        print(str(self) if msg is None else msg, file=self.fp, flush=True)

    def close(self) -> None:
        # There is no line to clear.
        self.delay = math.inf
        super().close()
