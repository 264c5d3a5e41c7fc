"""The networks that come with the command, by name; this file imports nothing slow."""

from pathlib import Path
from typing import Literal, get_args

# auto: photo or clean, depending on the image. photo: for images with JPEG or noise; clean: the
# strongest for other images; fast: small. The others are from the committed study.
Model = Literal["auto", "photo", "clean", "fast", "plain", "regularized", "cascade"]
MODELS: tuple[Model, ...] = get_args(Model)
DEFAULT: Model = "auto"

_ROOM = Path(__file__).parent
# In the separate package, the weights are inside this folder; in the study, beside the library.
WEIGHTS = _ROOM / "weights" if (_ROOM / "weights").is_dir() else _ROOM.parents[1] / "weights"
STUDY_SCALES = (2, 4, 8)
SCALES_OF: dict[Model, tuple[int, ...]] = {
    **dict.fromkeys(MODELS, STUDY_SCALES),
    "auto": (2, 3, 4, 8),
    "clean": (2, 3, 4, 8),
    "fast": (2, 4),
}


def check_scale(model: Model, scale: int) -> int:
    """The scale as an int. ValueError for an unknown model or a scale that the model lacks."""
    if model not in MODELS:
        raise ValueError(f"model: found {model!r}; allowed: {', '.join(MODELS)}")
    if scale not in (scales := SCALES_OF[model]):
        allowed = ", ".join(map(str, scales))
        raise ValueError(f"scale: found {scale!r}; allowed with the model {model}: {allowed}")
    return int(scale)  # 2.0 is allowed as well


def files(model: Model, scale: int) -> list[Path]:
    """The files of the networks for a scale; each is applied to the output of the one before.

    model: any except `auto`, which has no networks of its own.
    """
    if model == "cascade":
        names = ["x2-plain"] * (scale.bit_length() - 1)
    elif (model, scale) == ("photo", 8):
        names = ["x2-photo", "x4-photo"]
    else:
        names = [f"x{scale}-{model}"]
    return [WEIGHTS / f"{name}.onnx" for name in names]


def has_networks(model: Model, scale: int) -> bool:
    """Whether a model has this scale and all its files exist."""
    return scale in SCALES_OF[model] and all(path.is_file() for path in files(model, scale))
