"""Restoring images: luma by a network (in any runtime), chroma by interpolation."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srstudy.common.errors import InputError
from srstudy.degradations.shared.degradation import Degradation
from srstudy.images.colour import colour_differences, to_uint8, with_luma
from srstudy.images.orientations import ORIENTATIONS, turned, turned_back

# From LR luma (h, w) to HR luma (h * scale, w * scale): 0..255, not rounded and not clipped.
RestoreLuma = Callable[[NDArray[Any]], NDArray[np.float32]]


def self_ensemble(restore_luma: RestoreLuma) -> RestoreLuma:
    """The mean over the eight orientations of the LR luma; it takes eight times as long.

    The LR luma is turned, restored and turned back: Timofte et al., Seven ways to improve
    example-based single image super-resolution, CVPR 2016.
    """

    def restore_in_all_orientations(lr: NDArray[Any]) -> NDArray[np.float32]:
        ways = (
            turned_back(restore_luma(turned(lr, orientation)), orientation)
            for orientation in range(ORIENTATIONS)
        )
        return np.sum(np.stack(list(ways)), axis=0) / np.float32(ORIENTATIONS)

    return restore_in_all_orientations


def restore(
    restore_luma: RestoreLuma, lr: NDArray[np.uint8], scale: int, degradation: Degradation
) -> NDArray[np.uint8]:
    """The HR image of an LR image, (h, w) grey or (h, w, 3) RGB, uint8.

    `InputError` if the network gives NaN or infinity, which rounding would turn into black.
    """
    restored = restore_exactly(restore_luma, lr, scale, degradation)
    if not np.isfinite(restored).all():
        raise InputError(
            f"the network restores an image of {lr.shape[1]} x {lr.shape[0]} pixels to values that "
            "are not finite"
        )
    return to_uint8(restored)


def restore_exactly(
    restore_luma: RestoreLuma, lr: NDArray[Any], scale: int, degradation: Degradation
) -> NDArray[np.float32]:
    """Like `restore`, for any values on the 0..255 scale: not rounded and not clipped."""
    protocol, interpolation = degradation.protocol, degradation.interpolation
    luma = restore_luma(protocol.luma(lr))
    if lr.ndim == 2:
        return luma
    differences = colour_differences(lr.astype(np.float32))
    return with_luma(interpolation.planes(differences, scale), luma, protocol.swing)
