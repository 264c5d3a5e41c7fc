"""The time of function calls, side by side in one process."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any


def once(function: Callable[[], object]) -> float:
    """The time of a call, in seconds."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def seconds(function: Callable[[], object], repeats: int = 5) -> float:
    """The median time of a call, in seconds; the first call does not count."""
    function()
    return statistics.median(once(function) for _ in range(repeats))


def by_turns(
    functions: Sequence[Callable[[], Any]],
    rounds: int = 5,
    timed: Callable[[Callable[[], Any]], float] = once,
) -> list[list[float]]:
    """The time of each function in each round, because the machine's speed can change over time.

    A warm-up round does not count. timed: calls a function and returns its time in seconds.
    """
    return [[timed(function) for function in functions] for _ in range(1 + rounds)][1:]
