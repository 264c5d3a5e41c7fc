"""Stores weights in an ONNX file in 16 bits, and equal weights of an equivariant kernel only once.

The weights of an equivariant kernel are equal in groups of eight, in the same pattern for all
kernels. So one weight of each group is stored, and the pattern once. The runtime expands the kernel
when it loads the file.
"""

import keras
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from srstudy.images.orientations import ORIENTATIONS
from srstudy.networks.shared.equivariance import Equivariant

PATTERN = "pattern"
# From Keras's order (sides, input channels, output channels) to ONNX's (output, input, sides).
TO_ONNX = (3, 2, 0, 1)


def store_small(graph: onnx.GraphProto, model: keras.Model) -> None:
    """Store the weights of a model in 16 bits, in place; fixed filters do not change."""
    trained = {np.sort(weight, axis=None).tobytes() for weight in model.get_weights()}
    nodes: list[onnx.NodeProto] = []
    pattern = _pattern()
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or np.sort(values, axis=None).tobytes() not in trained:
            continue
        name, stored, cast = (f"{tensor.name}{end}" for end in ("", "/float16", "/float32"))
        once = _once(values, pattern)
        kept = values if once is None else once
        tensor.CopyFrom(numpy_helper.from_array(kept.astype(np.float16), stored))
        made = name if once is None else cast
        nodes.append(helper.make_node("Cast", [stored], [made], to=onnx.TensorProto.FLOAT))
        if once is not None:
            nodes += _put_together(graph, name, cast, values.shape)
    if any(node.op_type == "Gather" for node in nodes):
        graph.initializer.append(numpy_helper.from_array(pattern, PATTERN))
    for node in reversed(nodes):
        graph.node.insert(0, node)


def _pattern() -> NDArray[np.int64]:
    """The group number of each weight of a kernel between two fields, (8, 8, 3, 3)."""
    shape = (3, 3, ORIENTATIONS, ORIENTATIONS)
    any_kernel = np.random.default_rng(0).random(shape, np.float32)
    kernel = keras.ops.convert_to_numpy(Equivariant("features", "features")(any_kernel))
    _, number = np.unique(kernel, return_inverse=True)
    return number.reshape(shape).transpose(TO_ONNX).astype(np.int64)


def _once(kernel: NDArray[np.float32], pattern: NDArray[np.int64]) -> NDArray[np.float32] | None:
    """One weight per group of eight, (fields, fields, groups); None for a kernel without groups."""
    if kernel.ndim != 4 or kernel.shape[2:] != pattern.shape[2:]:
        return None
    fields = [channels // ORIENTATIONS for channels in kernel.shape[:2]]
    if kernel.shape[:2] != tuple(count * ORIENTATIONS for count in fields):
        return None
    between = kernel.reshape(fields[0], ORIENTATIONS, fields[1], ORIENTATIONS, *kernel.shape[2:])
    between = between.transpose(0, 2, 1, 3, 4, 5)
    _, first = np.unique(pattern, return_index=True)
    once = between.reshape(*fields, -1)[..., first]
    return once if np.array_equal(once[..., pattern], between) else None


def _put_together(
    graph: onnx.GraphProto, name: str, once: str, shape: tuple[int, ...]
) -> list[onnx.NodeProto]:
    """The nodes that expand the stored weights to a kernel of this shape."""
    between, turned, sides = (f"{name}/{part}" for part in ("between", "turned", "shape"))
    graph.initializer.append(numpy_helper.from_array(np.array(shape, np.int64), sides))
    return [
        helper.make_node("Gather", [once, PATTERN], [between], axis=2),
        helper.make_node("Transpose", [between], [turned], perm=[0, 2, 1, 3, 4, 5]),
        helper.make_node("Reshape", [turned, sides], [name]),
    ]
