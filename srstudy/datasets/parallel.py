"""Work spread over the cores, results in order, memory flat."""

import ctypes
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from srstudy.common.errors import InputError

PR_SET_PDEATHSIG = 1  # of linux/prctl.h

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None
) -> Iterator[Result]:
    """`map` over processes: results in the order of the items, only a few under way at once.

    Executor.map would start all items at once and keep every result that is not yet asked for.
    """
    workers = workers or len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(workers, initializer=_end_with, initargs=(os.getpid(),)) as pool:
        pending: deque = deque()
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) > 4 * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        except BrokenProcessPool as error:
            raise InputError("a worker process was killed: is there enough memory?") from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _end_with(parent: int) -> None:
    """Have this worker killed when its parent is: else it would wait for work forever.

    It would also keep what it inherited, such as the lock that lets a stage run alone.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # killed before we could ask
