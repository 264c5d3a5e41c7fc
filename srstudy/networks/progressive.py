"""edsr's x2, applied again to its own output until the scale is reached: one set of weights.

The student project's way to 4x and 8x, trained as a whole. x3 is a single step, as no power of 2
leads there.
"""

from typing import TYPE_CHECKING

from srstudy.images.interpolation import Interpolation
from srstudy.networks.shared.residual_sizes import RESIDUAL_SIZES, residual_fault

if TYPE_CHECKING:
    import keras

# That the steps share their weights is after MS-LapSRN.
SOURCE = (
    "Lim et al., Enhanced deep residual networks for single image super-resolution, CVPRW 2017; "
    "Lai et al., Fast and accurate image super-resolution with deep Laplacian pyramid networks, "
    "TPAMI 2018"
)
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
    """channels: of each layer; blocks: of two layers each, in a step.

    equivariant: the output turns and mirrors with the input; channels then a multiple of 8.
    """
    import keras

    from srstudy.networks.shared.residual import residual_step

    factor, steps = (2, scale.bit_length() - 1) if scale.bit_count() == 1 else (scale, 1)
    step = residual_step(factor, interpolation, channels, blocks, equivariant)
    image = inputs = keras.Input((None, None, 1))
    for _ in range(steps):
        image = step(image)
    return keras.Model(inputs, image)
