"""A file of weights that says of which network it is, and has none."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py

from srstudy.common.files import NETWORK_ATTRIBUTE
from srstudy.networks.shared.sizes import sizes


def write_description(path: Path, network: str, size: Mapping[str, Any], scale: int = 2) -> None:
    entries = {"network": network, "scale": scale, "size": sizes(network, size)}
    with h5py.File(path, "w") as file:
        file.attrs[NETWORK_ATTRIBUTE] = json.dumps({**entries, "degradation": "matlab"})
