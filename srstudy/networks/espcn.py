"""ESPCN 5-3-3: two tanh layers in LR space, then a pixel shuffle."""

from typing import TYPE_CHECKING

from srstudy.images.interpolation import Interpolation

if TYPE_CHECKING:
    import keras

SOURCE = (
    "Shi et al., Real-time single image and video super-resolution using an efficient sub-pixel "
    "convolutional neural network, CVPR 2016"
)
SIZES = {"first": range(1, 513), "second": range(1, 513)}
BFLOAT16 = False


def network(
    scale: int, interpolation: Interpolation, first: int = 64, second: int = 32
) -> "keras.Model":
    """first, second: channels of the two hidden layers."""
    import keras
    from keras import ops

    from srstudy.networks.shared.layers import conv

    inputs = keras.Input((None, None, 1))
    x = conv(first, 5, "tanh")(inputs)
    x = conv(second, 3, "tanh")(x)
    shuffled = ops.depth_to_space(conv(scale**2, 3)(x), scale)
    return keras.Model(inputs, shuffled)
