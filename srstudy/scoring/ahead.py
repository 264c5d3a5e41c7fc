"""Work that overlaps: the next item is made while one is worked on."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item]) -> Generator[Item]:
    """The items in their order, each made in a thread while the one before it is worked on.

    At most one waits, so that memory does not grow. What making an item raises is raised where that
    item would have come. `close` waits for the item that is being made.
    """
    end = object()
    with ThreadPoolExecutor(1) as maker:
        following = maker.submit(next, items, end)
        while (current := following.result()) is not end:
            following = maker.submit(next, items, end)
            yield current  # type: ignore[misc]
