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
TOLERANCE = 0.005  # for values in [0, 1]; 16-bit weights change them by less than a tenth of this


def save_onnx(
    path: Path, model: keras.Model, architecture: Architecture, source: Path, half: bool = False
) -> None:
    """Write a network as ONNX: from LR luma (1, h, w, 1) in [0, 1] to HR luma, float32, for any h
    and w of at least 2.

    The metadata contain the architecture, its receptive field radius in LR pixels, and the MD5 of
    the weights file `source`. half: store the weights with `store_small`; the computation is still
    in float32.

    The same network gives the same bytes. Each network is run before it is written, because for
    some orders of the graph's nodes the exporter's optimizer gives the output an extra dimension.
    Then the next order is tried; `InputError` if no order works.
    """
    radius = receptive_field_radius(architecture)
    described = asdict(architecture) | {"receptive_field_radius": radius}
    entries = {
        NETWORK_ATTRIBUTE: json.dumps(described, sort_keys=True),
        "md5": hashlib.md5(source.read_bytes()).hexdigest(),  # the same as in dvc.lock
    }
    for order in range(TRIES):
        network = _converted(model, entries, half, order)
        if _restores_as(model, network):
            with whole_file(path) as partial:
                partial.write_bytes(network.SerializeToString(deterministic=True))
            return
    raise InputError(f"{path}: the ONNX exporter made networks that differ from {source}")


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
    options.log_severity_level = 4  # no messages: the comparison below shows faults
    session = onnxruntime.InferenceSession(network.SerializeToString(), options)
    for shape in ((1, 8, 11, 1), (1, 9, 6, 1)):
        lr = np.random.default_rng(0).random(shape, np.float32)
        expected, (found,) = model(lr, training=False).numpy(), session.run(None, {"lr": lr})
        if found.shape != expected.shape:
            return False
        # Written with `not`: comparisons with NaN are false. This also finds weights that are too
        # large for 16 bits.
        if not np.abs(found - expected).max() <= TOLERANCE:
            return False
    return True


def save_litert(path: Path, model: keras.Model) -> None:
    """Write a network as a LiteRT (.tflite) file with the same input and output."""
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
        # The shapes are written again: the exporter's shape of the output is sometimes wrong.
        shape = onnx.helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, [1, height, width, 1])
        value.name = names[value.name]
        value.type.CopyFrom(shape)
    graph.name, graph.doc_string = "network", ""  # the exporter's doc_string has a local path
