"""Small networks: of every file of a network, with sizes for speed and weights as if trained."""

from itertools import product
from typing import Any

import keras
import numpy as np

from srstudy.common import choices
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.sizes import ROOM, WANTED

NETWORKS = choices.names(ROOM)
LEAST = 4  # channels or layers: fewer could all be shut by their ReLU


def small_size(name: str) -> dict[str, Any]:
    """The first sizes, each small, that the network's file allows together."""
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
    """The network with none of its weights as it started with."""
    keras.utils.set_random_seed(0)
    model, random = architecture.build(), np.random.default_rng(1)
    model.set_weights([w + random.normal(0, 0.05, w.shape) for w in model.get_weights()])
    return model
