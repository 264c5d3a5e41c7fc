"""SESR: 3 x 3 layers with short skips in LR space between two ends, one pixel shuffle.

The paper trains each layer as two linear layers and a skip, and collapses them into one convolution
afterwards. Here the convolution itself is trained: its kernel begins as the skip (the identity)
plus small random weights. So the trained network has nothing but convolutions and activations.
Changed as well: leaky ReLU in place of PReLU, because runtimes compute it inside the convolution,
and the output is added to the bicubic enlargement.
"""

from typing import TYPE_CHECKING

from srstudy.images.interpolation import Interpolation

if TYPE_CHECKING:
    import keras

SOURCE = (
    "Bhardwaj et al., Collapsible linear blocks for super-efficient super resolution, MLSys 2022"
)
SIZES = {"channels": range(1, 513), "layers": range(1, 65), "ends": (3, 5)}
BFLOAT16 = True
SLOPE = 0.1  # of the leaky ReLU at negative values


def network(
    scale: int, interpolation: Interpolation, channels: int = 16, layers: int = 11, ends: int = 5
) -> "keras.Model":
    """channels: per layer; layers: their number between the two ends; ends: the width of their
    kernels in pixels. The defaults are the paper's SESR-M11."""
    import keras
    import numpy as np
    from keras import ops

    from srstudy.networks.shared.layers import add_residual, conv, normal
    from srstudy.networks.shared.starts import MID_GREY, Start
    from srstudy.networks.shared.upsampling import BicubicPhases

    def add_identity(kernel: np.ndarray) -> None:
        kernel[1, 1] += np.eye(channels)

    inputs = keras.Input((None, None, 1))
    x = conv(channels, ends, kernel_initializer=normal(1.0))(inputs - MID_GREY)
    first = ops.leaky_relu(x, SLOPE)
    x = first
    for _ in range(layers):
        start = Start(normal(0.5), add_identity)
        x = ops.leaky_relu(conv(channels, 3, kernel_initializer=start)(x), SLOPE)
    # Starts at 0: the untrained network is the bicubic interpolation.
    last = conv(scale**2, ends, kernel_initializer="zeros", dtype="float32")
    # Added before the pixel shuffle, so that there is one shuffle instead of two.
    phases = BicubicPhases(scale, interpolation.a)(inputs)
    restored = add_residual(phases, last(x + first))
    return keras.Model(inputs, ops.depth_to_space(restored, scale))
