"""Reads the network's description from a file of weights, without TensorFlow, for checks."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py

from srstudy.common.errors import InputError
from srstudy.common.files import NETWORK_ATTRIBUTE
from srstudy.common.params import shown
from srstudy.degradations.shared.degradation import alike

# Keras knows the format by this suffix. It would read FILE.h5 as an older format and find nothing.
SUFFIX = ".weights.h5"
KEYS = ("network", "scale", "size", "degradation")


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
    except (OSError, KeyError, ValueError, TypeError, RecursionError) as error:
        raise no_network(path, error) from error
    if not isinstance(entries, dict) or set(entries) != set(KEYS):
        raise no_network(path, f"description {shown(entries)}; it must have {', '.join(KEYS)}")
    return entries


def misfit(
    entries: Mapping[str, Any], network: str, size: Mapping[str, Any], degradation: str
) -> str | None:
    """Why weights with this description do not fit a network, in words; None if they fit.

    They fit at any scale, and if both degradations have the same interpolation and protocol.
    """
    allowed: dict[str, Sequence[object]] = {
        "network": [network],
        "size": [size],
        "degradation": list(alike(degradation)),
    }
    for key, values in allowed.items():
        if entries[key] not in values:
            words = " or ".join(map(shown, values))
            return f"{key}: found {shown(entries[key])}; allowed: {words}"
    return None


def no_network(path: Path, found: object) -> InputError:
    """The error for such a file; found: what is in it, or the error of reading it."""
    what = " ".join(str(found).split())[:300]
    return InputError(
        f"{path}: holds no network of this project; allowed: a file of weights that one of its "
        f"trainings wrote; found: {what}"
    )
