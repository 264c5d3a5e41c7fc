"""Images with alpha: what lies under transparent pixels is nobody's colour, and counts as none."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from srstudy.images.interpolation import Interpolation

VISIBLE = np.float32(0.5)  # alpha on the 0..255 scale: what is less is written as 0 in 8 bits


def filled(image: NDArray[Any]) -> NDArray[Any]:
    """The colours (H, W, 3) of an image (H, W, 4); those of transparent pixels are their nearest
    visible pixel's, so that no edge is seen there."""
    colours = np.ascontiguousarray(image[..., :3])
    hidden = image[..., 3] == 0
    if not hidden.any() or hidden.all():
        return colours
    # Of each pixel the label of its nearest zero, which are the visible ones.
    _, labels = cv2.distanceTransformWithLabels(
        hidden.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    visible = ~hidden
    place = np.zeros(int(labels.max()) + 1, np.int32)
    place[labels[visible]] = np.flatnonzero(visible)
    colours[hidden] = colours.reshape(-1, 3)[place[labels[hidden]]]
    return colours


def shift(
    colours: NDArray[np.float32],
    plain: NDArray[np.float32],
    alpha: NDArray[np.float32],
    scale: int,
    interpolation: Interpolation,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How enlarged colours change if alpha is their weight, (h * scale, w * scale, 3), and the
    enlarged alpha (h * scale, w * scale, 1).

    colours (h, w, 3) and alpha (h, w, 1) are on the 0..255 scale; plain: the colours, enlarged
    without weights. Where no alpha is left nothing changes.
    """
    weighted = interpolation.planes(np.dstack([colours * alpha, alpha]), scale)
    enlarged = weighted[..., 3:]
    seen = enlarged >= VISIBLE
    # A division by little may give anything; what was beyond white before may stay so.
    own = np.clip(
        weighted[..., :3] / np.where(seen, enlarged, 1),
        np.minimum(plain, 0),
        np.maximum(plain, 255),
    )
    return np.where(seen, own - plain, np.float32(0)), enlarged
