"""FSRCNN(56, 12, 4) as a frozen TensorFlow graph for OpenCV's dnn_superres, with random weights.

Its speed does not depend on the weights. Dong et al., Accelerating the super-resolution
convolutional neural network, ECCV 2016. In the form for OpenCV: luma in [0, 1], NHWC, any size; the
PReLU is written so that OpenCV makes one layer from it.
"""

import srstudy.backend.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from srstudy.common.files import whole_file
from srstudy.common.running import run
from srstudy.common.scales import SCALES

FIRST, INNER, DEPTH = 56, 12, 4
LAST = 9  # the side of the transposed convolution's kernel
# TensorFlow requires an output size of the transposed convolution. OpenCV uses only its remainder
# after division by the scale.
SIDE = 96
# (name, side of the kernel, channels)
LAYERS = (
    ("features", 5, FIRST),
    ("shrink", 1, INNER),
    *((f"map{number}", 3, INNER) for number in range(DEPTH)),
    ("expand", 1, FIRST),
)


def graph(scale: int) -> bytes:
    """The graph for a scale, as the bytes of its file."""
    random, v1 = np.random.default_rng(0), tf.compat.v1

    def values(*shape: int) -> Any:
        spread = np.sqrt(2 / np.prod(shape[:3]))
        return tf.constant(random.normal(0, spread, shape).astype(np.float32))

    with tf.Graph().as_default() as made:
        x = v1.placeholder(tf.float32, (1, None, None, 1), name="luma")
        inputs = 1
        for name, side, channels in LAYERS:
            x = tf.nn.conv2d(x, values(side, side, inputs, channels), 1, "SAME", name=name)
            x = tf.nn.bias_add(x, tf.constant(np.zeros(channels, np.float32)))
            slope = tf.constant(np.full(channels, -0.25, np.float32))
            x = tf.nn.relu(x) + slope * tf.nn.relu(-x)
            inputs = channels
        shape = (1, SIDE * scale, SIDE * scale, 1)
        kernel = values(LAST, LAST, 1, inputs)
        x = tf.nn.conv2d_transpose(x, kernel, shape, scale, "SAME", name="enlarge")
        tf.nn.bias_add(x, tf.constant(np.zeros(1, np.float32)), name="restored")
    return made.as_graph_def().SerializeToString()


def main() -> None:
    """Write the graph of a scale to a file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scale", type=int, choices=SCALES)
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    with whole_file(arguments.file) as partial:
        partial.write_bytes(graph(arguments.scale))


if __name__ == "__main__":
    run(main)
