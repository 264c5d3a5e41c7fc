"""Restoring images: luma by a network, whatever runs it, chroma by bicubic interpolation."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.core.colour import colour_differences, to_uint8, with_luma
from stages.core.degradation import upscale_float
from stages.core.orientations import ORIENTATIONS, turned, turned_back
from stages.core.protocol import Protocol

# From an LR luma (h, w) to the HR luma (h * scale, w * scale): 0..255, not rounded or clipped.
RestoreLuma = Callable[[NDArray[Any]], NDArray[np.float32]]


def in_all_orientations(by_network: RestoreLuma) -> RestoreLuma:
    """The mean over the eight orientations of the LR luma, in eight times the time.

    The LR luma is turned, restored, and turned back: the self-ensemble of Timofte et al. (Seven
    ways to improve example-based single image super-resolution, CVPR 2016).
    """

    def restore_luma(lr: NDArray[Any]) -> NDArray[np.float32]:
        ways = (
            turned_back(by_network(turned(lr, orientation)), orientation)
            for orientation in range(ORIENTATIONS)
        )
        return np.sum(np.stack(list(ways)), axis=0) / np.float32(ORIENTATIONS)

    return restore_luma


def restore(
    by_network: RestoreLuma, lr: NDArray[np.uint8], scale: int, protocol: Protocol
) -> NDArray[np.uint8]:
    """The HR image of an LR image, (h, w) grey or (h, w, 3) RGB, uint8."""
    return to_uint8(restore_exactly(by_network, lr, scale, protocol))


def restore_exactly(
    by_network: RestoreLuma, lr: NDArray[Any], scale: int, protocol: Protocol
) -> NDArray[np.float32]:
    """As `restore`, for any values on the 0..255 scale: not rounded, not clipped."""
    luma = by_network(protocol.luma(lr))
    if lr.ndim == 2:
        return luma
    differences = colour_differences(lr.astype(np.float32))
    return with_luma(upscale_float(differences, scale, protocol.degradation), luma, protocol.swing)
