"""The cost of a network: parameters, and multiply-adds for an output of 1280 x 720 pixels."""

import math

import keras
import tensorflow as tf

# The output size that papers use: Ahn et al., Fast, accurate, and lightweight super-resolution with
# cascading residual network, ECCV 2018.
HEIGHT, WIDTH = 720, 1280


def parameters(model: keras.Model) -> int:
    """The number of trained weights; weights that equivariance keeps equal are all counted."""
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def multiply_adds(model: keras.Model, scale: int, height: int = HEIGHT, width: int = WIDTH) -> int:
    """The number in all convolutions and matrix products, for an HR luma plane (height, width).

    The size is rounded down to whole LR pixels. Interpolation counts if it is a convolution;
    additions and activations do not count, as in the literature.
    """
    lr = tf.TensorSpec((1, height // scale, width // scale, 1), tf.float32)
    graph = tf.function(lambda x: model(x, training=False)).get_concrete_function(lr).graph
    return _of_graph(graph)


def _of_graph(graph: tf.Graph) -> int:
    return sum(_of_operation(operation) for operation in graph.get_operations())


def _of_operation(operation: tf.Operation) -> int:
    if operation.type == "MatMul":
        one = operation.inputs[0].shape
        inner = one[0] if operation.get_attr("transpose_a") else one[1]
        return math.prod(operation.outputs[0].shape) * inner
    if operation.type == "BatchMatMulV2":
        one = operation.inputs[0].shape
        inner = one[-2] if operation.get_attr("adj_x") else one[-1]
        return math.prod(operation.outputs[0].shape) * inner
    if operation.type == "Einsum" and len(operation.inputs) > 1:
        # One product for each combination of indices along all axes.
        labels = operation.get_attr("equation").decode().partition("->")[0].split(",")
        axes: dict[str, int] = {}
        for names, tensor in zip(labels, operation.inputs, strict=True):
            axes |= zip(names, tensor.shape, strict=True)
        return math.prod(axes.values())
    if operation.type in ("PartitionedCall", "StatefulPartitionedCall"):
        called = operation.get_attr("f").name
        return _of_graph(operation.graph._get_function(called).graph)
    if operation.type == "Conv2D":
        height, width, inner, _ = operation.inputs[1].shape
        return math.prod(operation.outputs[0].shape) * height * width * inner
    if operation.type == "DepthwiseConv2dNative":
        height, width = operation.inputs[1].shape[:2]
        return math.prod(operation.outputs[0].shape) * height * width
    if operation.type == "Conv2DBackpropInput":
        # A transposed convolution is counted as in the literature, for all output pixels: this is
        # scale * scale times the real number.
        height, width, _, inner = operation.inputs[1].shape
        return math.prod(operation.outputs[0].shape) * height * width * inner
    return 0
