"""Small networks for tests: of every file, with changed weights; or a network of one test."""

import sys
from collections.abc import Callable, Mapping
from itertools import product
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest

from srstudy.common import choices
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.sizes import ROOM, WANTED

NETWORKS = choices.names(ROOM)
LEAST = 4  # channels or layers: fewer could all be shut by their ReLU


def small_size(name: str) -> dict[str, Any]:
    """The first small sizes that the network's file allows together."""
    file = choices.chosen(ROOM, name, WANTED)
    options = [_few(values) for values in file.SIZES.values()]
    together = (dict(zip(file.SIZES, one, strict=True)) for one in product(*options))
    fault = getattr(file, "fault", lambda **_: None)
    return next(size for size in together if fault(**size) is None)


def _few(values: range | tuple[Any, ...]) -> list[Any]:
    if isinstance(values, range):
        return [value for value in values if value >= LEAST][:16] or [max(values)]
    return list(values)


def small(name: str, scale: int, degradation: str = "matlab") -> Architecture:
    return Architecture(name, scale, small_size(name), degradation)


def as_trained(architecture: Architecture) -> keras.Model:
    """The network, with every weight changed from its initial value."""
    keras.utils.set_random_seed(0)
    model, random = architecture.build(), np.random.default_rng(1)
    model.set_weights([w + random.normal(0, 0.05, w.shape) for w in model.get_weights()])
    return model


def network_of_own(
    monkeypatch: pytest.MonkeyPatch,
    network: Callable[..., keras.Model],
    sizes: Mapping[str, range | tuple[Any, ...]] | None = None,
) -> str:
    """The name of a network's file that is there for one test alone."""
    file, listed = ModuleType("srstudy.networks.own"), choices.names
    said = {"network": network, "SIZES": dict(sizes or {}), "BFLOAT16": False, "SOURCE": "a test"}
    vars(file).update(said)
    monkeypatch.setitem(sys.modules, file.__name__, file)
    added = {ROOM: ("own",)}
    monkeypatch.setattr(choices, "names", lambda room: (*listed(room), *added.get(room, ())))
    return "own"
