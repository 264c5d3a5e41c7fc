"""Work divided over the cores or over a cluster: results in order, memory use limited."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from srstudy.common.machine import cores

Item = TypeVar("Item")
Result = TypeVar("Result")

CLUSTER = "SR_CLUSTER"  # the environment variable that names a cluster
UNDER_WAY = 4  # items for each thread: few, because their results wait in memory


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None
) -> Iterator[Result]:
    """`map` over threads: results in the order of the items, few items in progress at a time.

    Reading, writing and arithmetic of images release Python's lock, so threads are as fast here as
    processes. Executor.map would start all items at once and keep all results in memory. An
    exception of an item is raised instead of its result. After it, and after Ctrl-C, no further
    item is started.

    If SR_CLUSTER names a Dask cluster, its workers are used instead of threads: see cluster.py.
    """
    if cluster := os.environ.get(CLUSTER, "").strip():
        from srstudy.datasets.cluster import map_over

        yield from map_over(cluster, function, items)
        return
    workers = workers or cores()
    with ThreadPoolExecutor(workers) as pool:
        pending: deque[Future[Result]] = deque()
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) > UNDER_WAY * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
