"""The networks that come with the command, by name: known before anything slow is started."""

from pathlib import Path
from typing import Literal, get_args

# clean: the strongest, of the long recipe; the others are those of the committed study.
Model = Literal["clean", "plain", "regularized", "cascade"]
MODELS: tuple[Model, ...] = get_args(Model)
DEFAULT: Model = "clean"

_ROOM = Path(__file__).parent
# Installed by itself, the room has the weights inside; in the study they lie beside the library.
WEIGHTS = _ROOM / "weights" if (_ROOM / "weights").is_dir() else _ROOM.parents[1] / "weights"
STUDY_SCALES = (2, 4, 8)
SCALES_OF: dict[Model, tuple[int, ...]] = {
    **dict.fromkeys(MODELS, STUDY_SCALES),
    "clean": (2, 3, 4, 8),
}
