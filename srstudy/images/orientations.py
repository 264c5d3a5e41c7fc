"""The eight orientations of an image: four quarter turns, as it is and mirrored."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

ORIENTATIONS = 8


def turned(plane: NDArray[Any], orientation: int) -> NDArray[Any]:
    """A plane (h, w) in one of its orientations 0..7: quarter turns, and from 4 on mirrored."""
    turned_plane = np.rot90(plane, orientation % 4)
    return turned_plane[:, ::-1] if orientation >= 4 else turned_plane


def turned_back(plane: NDArray[Any], orientation: int) -> NDArray[Any]:
    """The plane of which this one is an orientation: undoes `turned`."""
    upright = plane[:, ::-1] if orientation >= 4 else plane
    return np.rot90(upright, -(orientation % 4))
