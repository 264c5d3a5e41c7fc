"""Loading trained networks: ONNX files with ONNX Runtime, weight files with TensorFlow."""

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from srstudy.common.errors import ChoiceError, InputError
from srstudy.common.files import NETWORK_ATTRIBUTE
from srstudy.common.scales import SCALES
from srstudy.degradations.shared.degradation import Degradation, degradation
from srstudy.scoring.restoring import RestoreLuma
from srstudy.upscale.arguments import DEVICES
from srstudy.upscale.chroma import CLEANED
from srstudy.upscale.devices import Runner
from srstudy.upscale.models import MODELS, Model, check_scale, files, has_networks

Device = Literal["auto", "cpu"]
Tell = Callable[[str], Any]


def warn(words: str) -> None:
    """Report a device that fails, as a Python warning."""
    warnings.warn(words, RuntimeWarning, stacklevel=2)


@dataclass(frozen=True)
class Network:
    """A network that restores luma.

    receptive_field_radius: the largest distance, in LR pixels, of the input that an output pixel
    depends on; None if it depends on the whole image. cleans_chroma: whether chroma is filtered
    with the restored luma as guide, for networks trained on noise and JPEG.
    """

    restore_luma: RestoreLuma
    scale: int
    degradation: Degradation
    receptive_field_radius: int | None
    cleans_chroma: bool = False


def networks(scale: int, model: Model, device: Device = "auto", tell: Tell = warn) -> list[Network]:
    """The committed networks for a scale, to be applied one after the other; see `load_network`.

    model: any except `auto`, which `srstudy.upscale.choosing` replaces by another. `InputError`
    names a missing file.
    """
    scale = check_scale(model, scale)
    paths = files(model, scale)
    if missing := [path for path in paths if not path.is_file()]:
        found = [name for name in MODELS if name != "auto" and has_networks(name, scale)]
        raise InputError(f"{missing[0]}: is missing; models at x{scale}: {', '.join(found)}")
    loaded = {path: load_network(path, device, tell) for path in paths}
    first, *others = (loaded[path] for path in paths)
    # The first network already cleans chroma.
    return [first, *(replace(network, cleans_chroma=False) for network in others)]


def load_network(path: Path, device: Device = "auto", tell: Tell = warn) -> Network:
    """A network from an .onnx file of `srstudy.export`, or a .weights.h5 file of a training.

    device: `auto`, the first device of the installed ONNX Runtime that works, such as a GPU, with a
    line to `tell` for each device that fails; or `cpu`. Raises ValueError for another device.

    `InputError` names a file that is missing, broken or of another kind. No code in the file is
    run, only the ONNX operators of the runtime.
    """
    if device not in DEVICES:
        raise ValueError(f"device: found {device!r}; allowed: {', '.join(DEVICES)}")
    if path.suffix == ".onnx":
        return _load_onnx(path, device, tell)
    if path.name.endswith(".weights.h5"):
        return _load_weights(path, device)
    raise InputError(f"{path}: is not named as a network file; allowed: *.onnx, *.weights.h5")


def _load_onnx(path: Path, device: Device, tell: Tell) -> Network:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        runner = Runner(content, device, tell)
    except Exception as error:  # ONNX Runtime's exceptions have no other base class
        raise _no_network(path, error) from error
    session = runner.session
    scale, radius, made_for = _described(path, session.get_modelmeta().custom_metadata_map)
    ends = [*session.get_inputs(), *session.get_outputs()]
    if len(ends) != 2 or any(len(end.shape or ()) != 4 for end in ends):
        raise _no_network(path, "inputs and outputs other than one image each")

    def run(lr: NDArray[Any]) -> NDArray[np.float32]:
        batch = np.ascontiguousarray(lr[None, ..., None], np.float32) / np.float32(255)
        try:
            restored = runner(batch)
        except Exception as error:
            if "alloc" in str(error).lower():
                raise MemoryError from error
            raise _no_network(
                path, f"one that fails on {lr.shape[1]} x {lr.shape[0]} pixels: {error}"
            ) from error
        expected = (1, lr.shape[0] * scale, lr.shape[1] * scale, 1)
        if restored.shape != expected:
            raise InputError(
                f"{path}: found an output of {restored.shape} from {batch.shape}; allowed at its "
                f"scale of {scale}: {expected}"
            )
        return restored[0, ..., 0] * np.float32(255)

    return Network(_finite(path, run), scale, made_for, radius, made_for.name in CLEANED)


def _described(path: Path, metadata: Mapping[str, str]) -> tuple[int, int | None, Degradation]:
    """Scale, receptive field radius and degradation of a network, from its file's metadata."""
    text = metadata.get(NETWORK_ATTRIBUTE)
    if text is None:
        raise _no_network(path, f"metadata without {NETWORK_ATTRIBUTE!r}")
    try:
        values = json.loads(text)
        scale, radius = values["scale"], values["receptive_field_radius"]
        made_for = degradation(values["degradation"])
    except ChoiceError as error:
        raise _no_network(path, error) from error
    except (ValueError, KeyError, TypeError) as error:
        wanted = "scale, receptive_field_radius and degradation"
        raise _no_network(path, f"a description without {wanted}: {text[:100]}") from error
    if scale not in SCALES:
        words = f"{', '.join(map(str, SCALES[:-1]))} or {SCALES[-1]}"
        raise InputError(f"{path}: scale: found {scale!r}; allowed: {words}")
    if radius is not None and (type(radius) is not int or radius < 0):
        words = "null, or a whole number of at least 0"
        raise InputError(f"{path}: receptive_field_radius: found {radius!r}; allowed: {words}")
    return scale, radius, made_for


def _no_network(path: Path, found: object) -> InputError:
    what = " ".join(str(found).split())[:200]
    return InputError(
        f"{path}: holds no network of this project; allowed: an .onnx file from its "
        f"`python -m srstudy.export`; found: {what}"
    )


def _load_weights(path: Path, device: Device) -> Network:
    try:
        # Only in the study, not in the separate package. TensorFlow starts only for such files.
        from srstudy.export.trained import load_trained
    except ModuleNotFoundError as error:
        raise InputError(
            f"{path}: can be read only by the whole study; allowed: an .onnx file, which "
            "`python -m srstudy.export` of the study makes"
        ) from error
    restore_luma, architecture, radius = load_trained(path, on_cpu=device == "cpu")
    made_for = degradation(architecture.degradation)
    cleans = architecture.degradation in CLEANED
    return Network(_finite(path, restore_luma), architecture.scale, made_for, radius, cleans)


def _finite(path: Path, restore_luma: RestoreLuma) -> RestoreLuma:
    """Refuse NaN and infinity, which rounding would turn into black."""

    def checked(lr: NDArray[Any]) -> NDArray[np.float32]:
        restored = restore_luma(lr)
        if not np.isfinite(restored).all():
            raise InputError(f"{path}: gives values that are not finite; allowed: another network")
        return restored

    return checked
