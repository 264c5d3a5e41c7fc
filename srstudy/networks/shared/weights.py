"""A trained network as one file: its weights, and the parameters that rebuild it.

The file is a .weights.h5 of Keras with the parameters as one JSON attribute. Its bytes depend only
on the weights (a .keras file also has dates). Nothing in the file is ever executed.
"""

import json
import warnings
from dataclasses import asdict
from pathlib import Path

import h5py
import keras

from srstudy.common.errors import InputError
from srstudy.common.files import NETWORK_ATTRIBUTE, ensure_room, whole_file
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.described import described, no_network
from srstudy.networks.shared.sizes import sizes

STEPS = "steps"  # the attribute with the number of training steps
# What Keras and HDF5 raise for a file that is damaged or of another kind.
BROKEN = (OSError, KeyError, ValueError, TypeError, AttributeError, RecursionError)


def save(path: Path, model: keras.Model, architecture: Architecture, steps: int = 0) -> None:
    """Write weights and architecture to PATH.weights.h5; the same weights give the same bytes.

    steps: all training steps of the weights, including those of the pretraining.
    """
    with whole_file(path) as partial:
        ensure_room(path.parent, sum(array.nbytes for array in model.get_weights()))
        model.save_weights(partial)
        with h5py.File(partial, "r+") as file:
            file.attrs[NETWORK_ATTRIBUTE] = json.dumps(asdict(architecture), sort_keys=True)
            file.attrs[STEPS] = steps


def trained_steps(path: Path) -> int:
    """The number of training steps of a file's weights; 0 if the file does not have it.

    `InputError` if the file is missing or broken.
    """
    try:
        with h5py.File(path, "r") as file:
            return int(file.attrs.get(STEPS, 0))
    except (OSError, ValueError, TypeError, OverflowError) as error:
        raise no_network(path, error) from error


def load(
    path: Path, scale: int | None = None, fits: Architecture | None = None
) -> tuple[keras.Model, Architecture]:
    """The network of a file, in float32, ready to restore.

    scale: the one that it must have; fits: the architecture that its weights must fit, at any
    scale. `InputError` if the file is missing, broken or of another scale, or does not fit.
    """
    entries = described(path)
    try:
        architecture = Architecture(**entries)
        # Refuse sizes beyond the network's limits: building such a network could take hours.
        sizes(architecture.network, architecture.size)
        model = architecture.build()
    except BROKEN as error:
        raise no_network(path, error) from error
    if scale is not None and architecture.scale != scale:
        raise InputError(f"{path}: scale: found {architecture.scale}; allowed here: {scale}")
    if fits is not None and (fault := fits.misfit(architecture)):
        raise InputError(f"{path}: {fault}")
    try:
        # Keras warns of each layer that the file lacks, and its error shows whole arrays.
        with warnings.catch_warnings(action="ignore"):
            model.load_weights(path)
    except BROKEN as error:
        described_as = f"{architecture.network} x{architecture.scale}, {architecture.size}"
        raise no_network(path, f"weights that do not fit the description {described_as}") from error
    return model, architecture
