"""Reads the network's description from a file of weights, without TensorFlow, for checks."""

import json
from pathlib import Path
from typing import Any

import h5py

from srstudy.common.errors import InputError
from srstudy.common.files import NETWORK_ATTRIBUTE

# Keras knows the format by this suffix. It would read FILE.h5 as an older format and find nothing.
SUFFIX = ".weights.h5"


def described(path: Path) -> dict[str, Any]:
    """The entries of its `Architecture`: network, scale, size, degradation.

    `InputError` if the file is missing or broken, if it does not describe a network, or if its
    name does not end in `.weights.h5`.
    """
    if not path.name.endswith(SUFFIX):
        raise InputError(f"{path}: allowed: a file whose name ends with {SUFFIX}")
    if not path.is_file():
        raise InputError(f"{path}: is missing; trained models are written by `dvc repro`")
    try:
        with h5py.File(path, "r") as file:
            entries = json.loads(file.attrs[NETWORK_ATTRIBUTE])
        return dict(entries)
    except (OSError, KeyError, ValueError, TypeError, RecursionError) as error:
        raise no_network(path, error) from error


def no_network(path: Path, why: Exception) -> InputError:
    """The error for such a file."""
    return InputError(f"{path}: holds no network of this project: {' '.join(str(why).split())}")
