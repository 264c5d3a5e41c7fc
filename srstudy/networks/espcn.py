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

    from srstudy.networks.shared.layers import conv, normal
    from srstudy.networks.shared.starts import (
        ONE,
        centred,
        first_start,
        last_start,
        middle_start,
        uncentred,
    )

    inputs = keras.Input((None, None, 1))
    # Ten times the usual gain: an image minus its mean has small values, for which tanh would be
    # linear.
    start = first_start(normal(10.0), ONE)
    x = conv(first, 5, "tanh", kernel_initializer=start)(centred(inputs))
    start = middle_start(normal(1.0), ONE)
    x = conv(second, 3, "tanh", kernel_initializer=start)(x)
    start = last_start(scale, interpolation.a, ONE)
    shuffled = ops.depth_to_space(conv(scale**2, 3, kernel_initializer=start)(x), scale)
    return keras.Model(inputs, uncentred(shuffled))
