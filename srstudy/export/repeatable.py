"""Makes the ONNX exporter return the same graph each time.

The result of tf2onnx's optimizer depends on the order in which it visits the nodes. It sorts them
by name, and the numbers in the names continue from one network of a process to the next. It also
loops over Python's sets, whose order differs between processes. Here the numbers start again, and
the exporter's modules get sets that keep the order in which members were added.
"""

from collections.abc import Iterable, Iterator, MutableSet
from contextlib import ExitStack, contextmanager
from random import Random
from typing import Any
from unittest.mock import patch

import keras
from tf2onnx import graph, utils
from tf2onnx.optimizer import back_to_back_optimizer, transpose_optimizer

MODULES = (graph, back_to_back_optimizer, transpose_optimizer)


@contextmanager
def repeatable(model: keras.Model, order: int = 0) -> Iterator[None]:
    """Inside the block, an export of the model gives the same graph each time.

    order: 0 for sets in the order in which members were added; another number is the seed of
    another order.
    """

    class Ordered(_SetInOrder):
        def __iter__(self) -> Iterator[Any]:
            members = list(self._members)
            if order:
                Random(order).shuffle(members)
            return iter(members)

    with ExitStack() as changed:
        for number, layer in enumerate(model._flatten_layers()):
            changed.enter_context(patch.object(layer, "name", f"layer_{number:05}"))
        # So large that all numbers have the same number of digits.
        changed.enter_context(patch.object(utils, "INTERNAL_NAME", 10**5))
        for module in MODULES:
            # A name in the module hides Python's built-in name.
            changed.enter_context(patch.object(module, "set", Ordered, create=True))
        yield


class _SetInOrder(MutableSet[Any]):
    """Like Python's set, but in the order in which members were added."""

    def __init__(self, members: Iterable[Any] = ()) -> None:
        self._members = dict.fromkeys(members)

    def __contains__(self, member: object) -> bool:
        return member in self._members

    def __iter__(self) -> Iterator[Any]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def add(self, member: Any) -> None:
        self._members[member] = None

    def discard(self, member: Any) -> None:
        self._members.pop(member, None)

    def union(self, others: Iterable[Any]) -> "_SetInOrder":
        return type(self)([*self, *others])

    def issubset(self, others: Iterable[Any]) -> bool:
        return all(member in others for member in self._members)
