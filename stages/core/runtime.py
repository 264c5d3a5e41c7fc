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

from stages.core.degradation import KINDS, Kind
from stages.core.errors import InputError
from stages.core.restoring import RestoreLuma
from stages.core.scales import SCALES

ATTRIBUTE = "network"  # of the file's metadata: JSON with scale, degradation, reach


@dataclass(frozen=True)
class Network:
    """A network that restores luma.

    reach: how far, in LR pixels, the input lies that an output pixel depends on.
    """

    restore_luma: RestoreLuma
    scale: int
    degradation: Kind
    reach: int


def load_network(path: Path) -> Network:
    """A network from an .onnx file of `stages.export`, or a .weights.h5 file of a training.

    `InputError` names a file that is missing, broken or of another kind. Nothing in it is run but
    the operators of ONNX that the runtime itself has.
    """
    if path.suffix == ".onnx":
        return _load_onnx(path)
    if path.name.endswith(".weights.h5"):
        return _load_weights(path)
    raise InputError(f"{path}: is no network by its name; allowed: *.onnx, *.weights.h5")


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
    described = session.get_modelmeta().custom_metadata_map.get(ATTRIBUTE, "{}")
    try:
        values = json.loads(described)
        scale, kind, reach = (values[key] for key in ("scale", "degradation", "reach"))
    except (ValueError, KeyError, TypeError) as error:
        raise _no_network(path, error) from error
    if scale not in SCALES or kind not in KINDS or type(reach) is not int or reach < 0:
        raise _no_network(path, described)
    ends = [*session.get_inputs(), *session.get_outputs()]
    if len(ends) != 2 or any(len(end.shape or ()) != 4 for end in ends):
        raise _no_network(path, "it does not make one image out of one")
    name = ends[0].name

    def run(lr: NDArray[Any]) -> NDArray[np.float32]:
        batch = np.ascontiguousarray(lr[None, ..., None], np.float32) / np.float32(255)
        return session.run(None, {name: batch})[0][0, ..., 0] * np.float32(255)

    return Network(run, scale, kind, reach)


def _no_network(path: Path, why: object) -> InputError:
    what = " ".join(str(why).split())[:200]
    return InputError(f"{path}: holds no network of this project: {what}")


def _load_weights(path: Path) -> Network:
    # TensorFlow starts only for such files.
    from stages.core import quiet  # noqa: F401
    from stages.core.inference import restore_luma
    from stages.core.reach import reach
    from stages.core.weights import load

    model, architecture = load(path)
    return Network(
        bind(restore_luma, model),
        architecture.scale,
        architecture.degradation,
        reach(architecture),
    )
