"""Overlapping work: the next item is made while the current one is in use."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item]) -> Generator[Item]:
    """The items in their order; a thread makes each item while the previous one is in use.

    At most one finished item waits, so memory does not grow. If making an item raises an error, the
    error is raised in place of the item. `close` waits for the item that is being made.
    """
    end = object()
    with ThreadPoolExecutor(1) as maker:
        following = maker.submit(next, items, end)
        while (current := following.result()) is not end:
            following = maker.submit(next, items, end)
            yield current  # type: ignore[misc]
