"""Trained networks, ready to restore: ONNX files by ONNX Runtime, weight files by TensorFlow."""

import json
import os
from dataclasses import dataclass
from functools import partial as bind
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from srstudy.common.errors import InputError
from srstudy.common.files import NETWORK_ATTRIBUTE
from srstudy.common.scales import SCALES
from srstudy.degradations.shared.degradation import Degradation, degradation
from srstudy.scoring.restoring import RestoreLuma


@dataclass(frozen=True)
class Network:
    """A network that restores luma.

    receptive_field_radius: how far, in LR pixels, the input lies that an output pixel depends on;
    None where that is the whole image.
    """

    restore_luma: RestoreLuma
    scale: int
    degradation: Degradation
    receptive_field_radius: int | None


def load_network(path: Path) -> Network:
    """A network from an .onnx file of `srstudy.export`, or a .weights.h5 file of a training.

    `InputError` names a file that is missing, broken or of another kind. Nothing in it is run but
    the operators of ONNX that the runtime itself has.
    """
    if path.suffix == ".onnx":
        return _load_onnx(path)
    if path.name.endswith(".weights.h5"):
        return _load_weights(path)
    raise InputError(f"{path}: is not named as a network file; allowed: *.onnx, *.weights.h5")


def _load_onnx(path: Path) -> Network:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    # Plans of the memory are kept for each size of image: a multiple of what a run needs, and no
    # faster for it.
    options.enable_mem_pattern = False
    options.log_severity_level = 4  # what is wrong is said by the exception
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
    except Exception as error:  # what ONNX Runtime raises has no other base
        raise _no_network(path, error) from error
    described = session.get_modelmeta().custom_metadata_map.get(NETWORK_ATTRIBUTE, "{}")
    try:
        values = json.loads(described)
        scale, radius = values["scale"], values["receptive_field_radius"]
        made_for = degradation(values["degradation"])
    except (ValueError, KeyError, TypeError) as error:
        raise _no_network(path, error) from error
    known = radius is None or (type(radius) is int and radius >= 0)
    if scale not in SCALES or not known:
        raise _no_network(path, described)
    ends = [*session.get_inputs(), *session.get_outputs()]
    if len(ends) != 2 or any(len(end.shape or ()) != 4 for end in ends):
        raise _no_network(path, "it does not make one image out of one")
    name = ends[0].name

    def run(lr: NDArray[Any]) -> NDArray[np.float32]:
        batch = np.ascontiguousarray(lr[None, ..., None], np.float32) / np.float32(255)
        return session.run(None, {name: batch})[0][0, ..., 0] * np.float32(255)

    return Network(run, scale, made_for, radius)


def _no_network(path: Path, why: object) -> InputError:
    what = " ".join(str(why).split())[:200]
    return InputError(f"{path}: holds no network of this project: {what}")


def _load_weights(path: Path) -> Network:
    # TensorFlow starts only for such files.
    from srstudy.backend import quiet  # noqa: F401
    from srstudy.export.receptive_field import receptive_field_radius
    from srstudy.networks.shared.inference import restore_luma
    from srstudy.networks.shared.weights import load

    model, architecture = load(path)
    return Network(
        bind(restore_luma, model),
        architecture.scale,
        degradation(architecture.degradation),
        receptive_field_radius(architecture),
    )
