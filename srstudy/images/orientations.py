"""The eight orientations of an image: four quarter turns, each plain or mirrored."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

ORIENTATIONS = 8


def turned(plane: NDArray[Any], orientation: int) -> NDArray[Any]:
    """A plane (h, w) in orientation 0..7: rotated by quarter turns; 4 to 7 are also mirrored."""
    turned_plane = np.rot90(plane, orientation % 4)
    return turned_plane[:, ::-1] if orientation >= 4 else turned_plane


def turned_back(plane: NDArray[Any], orientation: int) -> NDArray[Any]:
    """The inverse of `turned`."""
    upright = plane[:, ::-1] if orientation >= 4 else plane
    return np.rot90(upright, -(orientation % 4))
