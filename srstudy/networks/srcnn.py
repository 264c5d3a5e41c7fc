"""SRCNN 9-1-5 or 9-5-5 with 64 and 32 filters, on the enlarged input.

The initial weights of the layers pass on the bicubic enlargement.
"""

from typing import TYPE_CHECKING

from srstudy.images.interpolation import Interpolation

if TYPE_CHECKING:
    import keras

SOURCE = "Dong et al., Image super-resolution using deep convolutional networks, TPAMI 2016"
SIZES = {"middle_kernel": (1, 3, 5)}
BFLOAT16 = True


def network(scale: int, interpolation: Interpolation, middle_kernel: int = 1) -> "keras.Model":
    """middle_kernel: kernel side of the second layer; 1 gives 9-1-5, 5 gives 9-5-5."""
    import keras

    from srstudy.networks.shared.layers import RELU_GAIN, conv, enlarged_input, normal
    from srstudy.networks.shared.starts import (
        BOTH,
        centred,
        first_start,
        last_start,
        middle_start,
        uncentred,
    )

    inputs, enlarged = enlarged_input(scale, interpolation)
    start = first_start(normal(RELU_GAIN), BOTH)
    x = conv(64, 9, "relu", kernel_initializer=start)(centred(enlarged))
    start = middle_start(normal(RELU_GAIN), BOTH)
    x = conv(32, middle_kernel, "relu", kernel_initializer=start)(x)
    start = last_start(1, interpolation.a, BOTH)
    return keras.Model(inputs, uncentred(conv(1, 5, kernel_initializer=start, dtype="float32")(x)))
