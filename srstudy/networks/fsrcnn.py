"""FSRCNN(d, s, m): shrink, map and expand in LR space, then deconvolve.

The published deconvolution is 9 x 9. The kernel's side here is 2 * scale + 1 if that is larger, as
at x8: with 9 x 9, some HR pixels would depend on only one LR pixel.
"""

from typing import TYPE_CHECKING

from srstudy.images.interpolation import Interpolation

if TYPE_CHECKING:
    import keras

SOURCE = "Dong et al., Accelerating the super-resolution convolutional neural network, ECCV 2016"
SIZES = {"features": range(2, 513), "shrunk": range(2, 513), "mapping_layers": range(65)}
BFLOAT16 = False


def network(
    scale: int,
    interpolation: Interpolation,
    features: int = 56,
    shrunk: int = 12,
    mapping_layers: int = 4,
) -> "keras.Model":
    """features, shrunk and mapping_layers: d, s and m in the paper."""
    import keras
    from keras import layers

    from srstudy.networks.shared.layers import RELU_GAIN, conv, normal, prelu
    from srstudy.networks.shared.starts import (
        BOTH,
        centred,
        deconvolution_start,
        first_start,
        middle_start,
        uncentred,
    )

    inputs = keras.Input((None, None, 1))
    start = first_start(normal(RELU_GAIN), BOTH)
    x = prelu(conv(features, 5, kernel_initializer=start)(centred(inputs)))
    for filters, kernel in ((shrunk, 1), *mapping_layers * [(shrunk, 3)], (features, 1)):
        # One initializer would give the same weights to equal layers: so each layer has its own.
        start = middle_start(normal(RELU_GAIN), BOTH)
        x = prelu(conv(filters, kernel, kernel_initializer=start)(x))
    last = layers.Conv2DTranspose(
        1,
        max(9, 2 * scale + 1),
        strides=scale,
        padding="same",
        kernel_initializer=deconvolution_start(scale, interpolation.a, BOTH),
        dtype="float32",
    )
    return keras.Model(inputs, uncentred(last(x)))
