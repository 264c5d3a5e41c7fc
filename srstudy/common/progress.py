"""How far a long task is: one calm line with the time left, or plain lines where nobody watches."""

import math
import sys
from collections.abc import Iterable
from typing import Any, TypeVar

from tqdm import tqdm

Item = TypeVar("Item")

EVERY_S = 30  # between two lines where the output is no terminal: a log of hours stays readable
FORMAT = "{desc}: {n_fmt} of {total_fmt} {unit}s, {remaining} left{postfix}"


def progress(
    items: Iterable[Item], title: str, total: int, unit: str, done: int = 0
) -> "tqdm[Item]":
    """The items, shown on stderr as they are taken; `set_postfix_str` adds a few words.

    On a terminal the line is drawn again in its place and goes away at the end. Elsewhere a task
    of over 30 s prints a line every 30 s.
    """
    form: dict[str, Any] = {"total": total, "unit": unit, "initial": done, "leave": False}
    if sys.stderr.isatty():
        bar = "{desc}: {percentage:3.0f}% |{bar:20}| {n_fmt}/{total_fmt}, {remaining} left{postfix}"
        return tqdm(items, title, mininterval=0.5, bar_format=bar, dynamic_ncols=True, **form)
    often: dict[str, Any] = {"mininterval": EVERY_S, "maxinterval": EVERY_S, "delay": EVERY_S}
    return _Lines(items, title, bar_format=FORMAT, **often, **form)


class _Lines(tqdm):
    """tqdm that prints its line anew instead of drawing over it."""

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        print(str(self) if msg is None else msg, file=self.fp, flush=True)

    def close(self) -> None:
        # Nothing was drawn that had to be cleared.
        self.delay = math.inf
        super().close()
