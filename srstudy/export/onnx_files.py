"""Trained networks as files for other runtimes: ONNX and LiteRT."""

import hashlib
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime

from srstudy.common.errors import InputError
from srstudy.common.files import NETWORK_ATTRIBUTE, whole_file
from srstudy.export.arranging import arrange
from srstudy.export.receptive_field import receptive_field_radius
from srstudy.export.repeatable import repeatable
from srstudy.export.storing import store_small
from srstudy.networks.shared.architecture import Architecture

INPUT = keras.InputSpec(shape=(1, None, None, 1), dtype="float32", name="lr")
TRIES = 8
TOLERANCE = 0.005  # of values from 0 to 1; weights of 16 bits move them by less than a tenth of it


def save_onnx(
    path: Path, model: keras.Model, architecture: Architecture, source: Path, half: bool = False
) -> None:
    """Write a network as ONNX: LR luma (1, h, w, 1) in [0, 1] to HR luma, float32, any h and w
    of at least 2.

    The metadata has the architecture, its receptive field radius in LR pixels, and the MD5 of the
    weights file `source`. half: keep the weights as `store_small` does; they are computed with in
    float32 all the same.

    The same network gives the same bytes. Each file is run before it is written: in some of the
    orders in which the exporter's optimizer may go through a graph, it gives the output a dimension
    too many. Then the next order is tried; `InputError` if that does not help.
    """
    radius = receptive_field_radius(architecture)
    described = asdict(architecture) | {"receptive_field_radius": radius}
    entries = {
        NETWORK_ATTRIBUTE: json.dumps(described, sort_keys=True),
        "md5": hashlib.md5(source.read_bytes()).hexdigest(),  # as dvc.lock has it
    }
    for order in range(TRIES):
        network = _converted(model, entries, half, order)
        if _restores_as(model, network):
            with whole_file(path) as partial:
                partial.write_bytes(network.SerializeToString(deterministic=True))
            return
    raise InputError(f"{path}: the ONNX exporter made no network that restores as {source} does")


def _converted(
    model: keras.Model, entries: dict[str, str], half: bool, order: int
) -> onnx.ModelProto:
    with tempfile.TemporaryDirectory() as folder, repeatable(model, order):
        exported = Path(folder) / "network.onnx"
        model.export(exported, format="onnx", verbose=False, input_signature=[INPUT])
        network = onnx.load(exported)
    onnx.helper.set_model_props(network, entries)
    if half:
        store_small(network.graph, model)
    _name_ends(network.graph)
    arrange(network.graph)
    onnx.checker.check_model(network)
    return network


def _restores_as(model: keras.Model, network: onnx.ModelProto) -> bool:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is said by the result
    session = onnxruntime.InferenceSession(network.SerializeToString(), options)
    for shape in ((1, 8, 11, 1), (1, 9, 6, 1)):
        lr = np.random.default_rng(0).random(shape, np.float32)
        expected, (found,) = model(lr, training=False).numpy(), session.run(None, {"lr": lr})
        if found.shape != expected.shape:
            return False
        # Of a NaN, no comparison holds: so a weight too large for 16 bits is found, too.
        if not np.abs(found - expected).max() <= TOLERANCE:
            return False
    return True


def save_litert(path: Path, model: keras.Model) -> None:
    """Write a network as a LiteRT (.tflite) file, of the same input and output."""
    with whole_file(path) as partial, tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "network.tflite"
        model.export(exported, format="litert", verbose=False, input_signature=[INPUT])
        partial.write_bytes(exported.read_bytes())


def _name_ends(graph: onnx.GraphProto) -> None:
    """Call the input `lr`, (1, h, w, 1), and the output `hr`, (1, H, W, 1)."""
    names = {graph.input[0].name: "lr", graph.output[0].name: "hr"}
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for value, height, width in ((graph.input[0], "h", "w"), (graph.output[0], "H", "W")):
        # The shape is said anew: the exporter's word on the output's is not always right.
        shape = onnx.helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, [1, height, width, 1])
        value.name = names[value.name]
        value.type.CopyFrom(shape)
    graph.name, graph.doc_string = "network", ""  # the latter has a path of this machine
