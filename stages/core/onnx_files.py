"""Trained networks as files for other runtimes: ONNX and LiteRT."""

import hashlib
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
import onnx
from onnx import numpy_helper

from stages.core.files import whole_file
from stages.core.reach import reach
from stages.core.runtime import ATTRIBUTE
from stages.core.weights import Architecture

INPUT = keras.InputSpec(shape=(1, None, None, 1), dtype="float32", name="lr")


def save_onnx(
    path: Path, model: keras.Model, architecture: Architecture, source: Path, half: bool = False
) -> None:
    """Write a network as ONNX: LR luma (1, h, w, 1) in [0, 1] to HR luma, float32, any h and w.

    The metadata has the architecture, the reach in LR pixels, and the MD5 of the weights file
    `source`. half: keep the weights in float16, in half the size; they are computed with in
    float32 all the same. edsr and progressive give the same bytes each time.
    """
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "network.onnx"
        model.export(exported, format="onnx", verbose=False, input_signature=[INPUT])
        network = onnx.load(exported)
    described = asdict(architecture) | {"reach": reach(architecture)}
    entries = {ATTRIBUTE: json.dumps(described, sort_keys=True)}
    entries["md5"] = hashlib.md5(source.read_bytes()).hexdigest()  # as dvc.lock has it
    onnx.helper.set_model_props(network, entries)
    if half:
        _halve(network.graph, model)
    _rename(network.graph)
    onnx.checker.check_model(network)
    with whole_file(path) as partial:
        partial.write_bytes(network.SerializeToString(deterministic=True))


def save_litert(path: Path, model: keras.Model) -> None:
    """Write a network as a LiteRT (.tflite) file, of the same input and output."""
    with whole_file(path) as partial, tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "network.tflite"
        model.export(exported, format="litert", verbose=False, input_signature=[INPUT])
        partial.write_bytes(exported.read_bytes())


def _rename(graph: onnx.GraphProto) -> None:
    """Number everything that has a name: the exporter's names count what else the process made."""
    names = {"": ""}  # an input that is left out

    def number(old: str) -> str:
        return names.setdefault(old, f"v{len(names)}")

    names |= {graph.input[0].name: "lr", graph.output[0].name: "hr"}
    for position, node in enumerate(graph.node):
        node.name = f"n{position}"
        node.input[:], node.output[:] = map(number, node.input), map(number, node.output)
    for value in (*graph.input, *graph.output, *graph.initializer):
        value.name = number(value.name)
    graph.initializer.sort(key=lambda tensor: int(tensor.name[1:]))
    for value, (height, width) in ((graph.input[0], "hw"), (graph.output[0], "HW")):
        # Said anew: the exporter's word on the output's shape is not always right.
        shape = onnx.helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, [1, height, width, 1])
        value.type.CopyFrom(shape)
    del graph.value_info[:]  # what lies between, as the exporter named it
    graph.name, graph.doc_string = "network", ""  # the latter has the path of its export


def _halve(graph: onnx.GraphProto, model: keras.Model) -> None:
    """Store what was trained as float16, each followed by a cast; fixed filters stay float32."""
    trained = {np.sort(weight, axis=None).tobytes() for weight in model.get_weights()}
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if np.sort(values, axis=None).tobytes() not in trained:
            continue
        name, stored = tensor.name, f"{tensor.name}/float16"
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), stored))
        casts.append(onnx.helper.make_node("Cast", [stored], [name], to=onnx.TensorProto.FLOAT))
    for cast in casts:
        graph.node.insert(0, cast)
