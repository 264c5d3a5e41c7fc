"""VDSR: a stack of 3 x 3 layers, whose output is added to the enlarged input."""

from typing import TYPE_CHECKING

from srstudy.images.interpolation import Interpolation

if TYPE_CHECKING:
    import keras

SOURCE = (
    "Kim et al., Accurate image super-resolution using very deep convolutional networks, CVPR 2016"
)
SIZES = {"channels": range(1, 513), "layers": range(2, 65)}
BFLOAT16 = True


def network(
    scale: int, interpolation: Interpolation, channels: int = 64, layers: int = 20
) -> "keras.Model":
    """channels: per layer; layers: their number. The paper has 20 layers with 64 channels."""
    import keras

    from srstudy.networks.shared.layers import add_residual, conv, enlarged_input

    inputs, enlarged = enlarged_input(scale, interpolation)
    x = enlarged
    for _ in range(layers - 1):
        x = conv(channels, 3, "relu")(x)
    # Starts at 0: the untrained network is the bicubic interpolation.
    last = conv(1, 3, kernel_initializer="zeros", dtype="float32")
    return keras.Model(inputs, add_residual(enlarged, last(x)))
