"""Work spread over the cores or over a cluster: results in order, memory flat."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from srstudy.common.machine import cores

Item = TypeVar("Item")
Result = TypeVar("Result")

CLUSTER = "SR_CLUSTER"  # the environment variable that names a cluster
UNDER_WAY = 4  # items for each thread: few, as their results wait in memory


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None
) -> Iterator[Result]:
    """`map` over threads: results in the order of the items, only a few under way at once.

    Reading, writing and arithmetic of images let other threads go on, so that threads are as fast
    here as processes. Executor.map would start all items at once and keep every result that is not
    yet asked for. What an item raises is raised where its result would have come; after it, and
    after Ctrl-C, no further item is begun.

    Where SR_CLUSTER names a Dask cluster, its workers take the place of the threads: cluster.py.
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
