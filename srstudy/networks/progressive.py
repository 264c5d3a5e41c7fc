"""edsr's x2 step, applied to its own output until the scale is reached; all steps share weights.

The student project reached 4x and 8x in this way; here all steps are trained together. x3 is one
step of factor 3, because 3 is not a power of 2.
"""

from typing import TYPE_CHECKING

from srstudy.images.interpolation import Interpolation
from srstudy.networks.shared.residual_sizes import RESIDUAL_SIZES, residual_fault

if TYPE_CHECKING:
    import keras

# Shared weights of the steps are from MS-LapSRN (Lai et al.).
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
    """channels: per layer; blocks: per step, of two layers each.

    equivariant: the output is turned and mirrored with the input; channels is a multiple of 8.
    """
    import keras

    from srstudy.networks.shared.residual import residual_step

    factor, steps = (2, scale.bit_length() - 1) if scale.bit_count() == 1 else (scale, 1)
    step = residual_step(factor, interpolation, channels, blocks, equivariant)
    image = inputs = keras.Input((None, None, 1))
    for _ in range(steps):
        image = step(image)
    return keras.Model(inputs, image)
