"""A small EDSR: residual blocks without batch normalization in LR space, one pixel shuffle.

Changed for trainings of minutes on a CPU: one pixel shuffle for every scale, no skip around all
blocks, and the output is added to the bicubic enlargement.
"""

from typing import TYPE_CHECKING

from srstudy.images.interpolation import Interpolation
from srstudy.networks.shared.residual_sizes import RESIDUAL_SIZES, residual_fault

if TYPE_CHECKING:
    import keras

SOURCE = "Lim et al., Enhanced deep residual networks for single image super-resolution, CVPRW 2017"
SIZES = RESIDUAL_SIZES
BFLOAT16 = True
fault = residual_fault


def network(
    scale: int,
    interpolation: Interpolation,
    channels: int = 32,
    blocks: int = 13,
    equivariant: bool = True,
) -> "keras.Model":
    """channels: per layer; blocks: of two layers each.

    equivariant: the output is turned and mirrored with the input; channels is a multiple of 8.
    """
    import keras

    from srstudy.networks.shared.residual import residual_step

    inputs = keras.Input((None, None, 1))
    step = residual_step(scale, interpolation, channels, blocks, equivariant)
    return keras.Model(inputs, step(inputs))
