"""The networks that come with the command, by name: known before anything slow is started."""

from pathlib import Path
from typing import Literal, get_args

# auto: photo or clean, by the image. photo: for JPEG files and noise; clean: the strongest for
# images without; fast: small. The others are those of the committed study.
Model = Literal["auto", "photo", "clean", "fast", "plain", "regularized", "cascade"]
MODELS: tuple[Model, ...] = get_args(Model)
DEFAULT: Model = "auto"

_ROOM = Path(__file__).parent
# Installed by itself, the room has the weights inside; in the study they lie beside the library.
WEIGHTS = _ROOM / "weights" if (_ROOM / "weights").is_dir() else _ROOM.parents[1] / "weights"
STUDY_SCALES = (2, 4, 8)
SCALES_OF: dict[Model, tuple[int, ...]] = {
    **dict.fromkeys(MODELS, STUDY_SCALES),
    "auto": (2, 3, 4, 8),
    "clean": (2, 3, 4, 8),
    "fast": (2, 4),
}


def check_scale(model: Model, scale: int) -> int:
    """The scale as an int. ValueError for an unknown model, and for a scale that it has not."""
    if model not in MODELS:
        raise ValueError(f"model: found {model!r}; allowed: {', '.join(MODELS)}")
    if scale not in (scales := SCALES_OF[model]):
        allowed = ", ".join(map(str, scales))
        raise ValueError(f"scale: found {scale!r}; allowed with the model {model}: {allowed}")
    return int(scale)  # 2.0 is allowed as well


def files(model: Model, scale: int) -> list[Path]:
    """The files of the networks that reach a scale, one applied to the output of the other.

    model: any but `auto`, which has no networks of its own.
    """
    if model == "cascade":
        names = ["x2-plain"] * (scale.bit_length() - 1)
    elif (model, scale) == ("photo", 8):
        names = ["x2-photo", "x4-photo"]
    else:
        names = [f"x{scale}-{model}"]
    return [WEIGHTS / f"{name}.onnx" for name in names]


def is_there(model: Model, scale: int) -> bool:
    """Whether a model has that scale, and all files for it are there."""
    return scale in SCALES_OF[model] and all(path.is_file() for path in files(model, scale))
