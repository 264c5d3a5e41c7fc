"""SRCNN 9-1-5 or 9-5-5 with 64 and 32 filters, on the enlarged input.

One channel of each layer starts as the identity, so that training starts from bicubic.
"""

from typing import TYPE_CHECKING

from srstudy.images.interpolation import Interpolation

if TYPE_CHECKING:
    import keras

SOURCE = "Dong et al., Image super-resolution using deep convolutional networks, TPAMI 2016"
SIZES = {"middle_kernel": (1, 3, 5)}
BFLOAT16 = False


def network(scale: int, interpolation: Interpolation, middle_kernel: int = 1) -> "keras.Model":
    """middle_kernel: of the second layer; 1 gives 9-1-5, 5 gives 9-5-5."""
    import keras

    from srstudy.networks.shared.layers import PassThrough, conv, enlarged_input

    inputs, x = enlarged_input(scale, interpolation)
    for filters, kernel in ((64, 9), (32, middle_kernel)):
        start = PassThrough(keras.initializers.HeNormal())
        x = conv(filters, kernel, "relu", kernel_initializer=start)(x)
    start = PassThrough(keras.initializers.RandomNormal(stddev=0.001))
    return keras.Model(inputs, conv(1, 5, kernel_initializer=start)(x))
