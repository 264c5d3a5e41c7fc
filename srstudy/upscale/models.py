"""The networks that come with the command, by name: known before anything slow is started."""

from pathlib import Path
from typing import Literal, get_args

Model = Literal["plain", "regularized", "cascade"]
MODELS: tuple[Model, ...] = get_args(Model)

_ROOM = Path(__file__).parent
# Installed by itself, the room has the weights inside; in the study they lie beside the library.
WEIGHTS = _ROOM / "weights" if (_ROOM / "weights").is_dir() else _ROOM.parents[1] / "weights"
WEIGHT_SCALES = (2, 4, 8)
