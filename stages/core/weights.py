"""A trained network as one file: its weights, and the parameters that rebuild it.

The file is Keras's .weights.h5, whose bytes depend on the weights alone (a .keras file also
holds dates), with the parameters as one JSON attribute. Nothing in it is ever executed.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import h5py
import keras

from stages.core.degradation import Kind
from stages.core.errors import InputError
from stages.core.files import ensure_room, whole_file
from stages.core.networks import build

ATTRIBUTE = "network"
LARGEST = 1024  # of the numbers in a size: a file that asks for more would be built for hours


@dataclass(frozen=True)
class Architecture:
    """What rebuilds a network."""

    network: str
    scale: int
    size: dict[str, int]
    degradation: Kind

    def build(self, precision: str = "float32") -> keras.Model:
        """The network with fresh weights."""
        return build(self.network, self.scale, self.size, self.degradation, precision)

    def take_over(self, model: keras.Model, other: keras.Model, of: "Architecture") -> None:
        """Give a model of this architecture the weights of another's, where they mean the same.

        All but the scale must be equal, else ValueError. At another scale, a last layer that
        makes the HR pixels itself (pixel shuffle, deconvolution) keeps its own weights.
        """
        if (self.network, self.size, self.degradation) != (of.network, of.size, of.degradation):
            raise ValueError(f"{of} cannot be taken over by {self}")
        pairs = ([one for one in network.layers if one.weights] for network in (model, other))
        for layer, source in zip(*pairs, strict=True):
            enlarges = isinstance(layer, keras.layers.Conv2DTranspose) and self.scale != of.scale
            shapes = [[w.shape for w in one.weights] for one in (layer, source)]
            if not enlarges and shapes[0] == shapes[1]:
                layer.set_weights(source.get_weights())


def save(path: Path, model: keras.Model, architecture: Architecture) -> None:
    """Write weights and architecture to PATH.weights.h5; the same weights give the same bytes."""
    with whole_file(path) as partial:
        ensure_room(path.parent, sum(array.nbytes for array in model.get_weights()))
        model.save_weights(partial)
        with h5py.File(partial, "r+") as file:
            file.attrs[ATTRIBUTE] = json.dumps(asdict(architecture), sort_keys=True)


def load(path: Path, scale: int | None = None) -> tuple[keras.Model, Architecture]:
    """The network of a file, in float32, ready to restore.

    `InputError` names a file that is missing, broken, or (where scale is given) of another scale.
    """
    try:
        with h5py.File(path, "r") as file:
            described: dict[str, Any] = json.loads(file.attrs[ATTRIBUTE])
        architecture = Architecture(**described)
        for key, value in architecture.size.items():
            if not isinstance(value, int) or not 0 <= value <= LARGEST:
                raise ValueError(f"{key}: found {value!r}; allowed: 0 to {LARGEST}")
        model = architecture.build()
        model.load_weights(path)
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        what = " ".join(str(error).split())
        raise InputError(f"{path}: holds no network of this project: {what}") from error
    if scale is not None and architecture.scale != scale:
        raise InputError(f"{path}: scale: found {architecture.scale}; allowed here: {scale}")
    return model, architecture
