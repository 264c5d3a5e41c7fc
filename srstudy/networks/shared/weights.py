"""A trained network as one file: its weights, and the parameters that rebuild it.

The file is Keras's .weights.h5, whose bytes depend on the weights alone (a .keras file also
holds dates), with the parameters as one JSON attribute. Nothing in it is ever executed.
"""

import json
from dataclasses import asdict
from pathlib import Path

import h5py
import keras

from srstudy.common.errors import InputError
from srstudy.common.files import NETWORK_ATTRIBUTE, ensure_room, whole_file
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.described import described, no_network
from srstudy.networks.shared.sizes import sizes

STEPS = "steps"  # the attribute that counts them


def save(path: Path, model: keras.Model, architecture: Architecture, steps: int = 0) -> None:
    """Write weights and architecture to PATH.weights.h5; the same weights give the same bytes.

    steps: those that the weights were trained for, all in all.
    """
    with whole_file(path) as partial:
        ensure_room(path.parent, sum(array.nbytes for array in model.get_weights()))
        model.save_weights(partial)
        with h5py.File(partial, "r+") as file:
            file.attrs[NETWORK_ATTRIBUTE] = json.dumps(asdict(architecture), sort_keys=True)
            file.attrs[STEPS] = steps


def trained_steps(path: Path) -> int:
    """The steps that a file's weights were trained for; 0 where it does not say."""
    with h5py.File(path, "r") as file:
        return int(file.attrs.get(STEPS, 0))


def load(path: Path, scale: int | None = None) -> tuple[keras.Model, Architecture]:
    """The network of a file, in float32, ready to restore.

    `InputError` names a file that is missing, broken, or (where scale is given) of another scale.
    """
    entries = described(path)
    try:
        architecture = Architecture(**entries)
        # A file that asks for more than its network allows would be built for hours.
        sizes(architecture.network, architecture.size)
        model = architecture.build()
        model.load_weights(path)
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise no_network(path, error) from error
    if scale is not None and architecture.scale != scale:
        raise InputError(f"{path}: scale: found {architecture.scale}; allowed here: {scale}")
    return model, architecture
