"""Images with alpha: the colours of transparent pixels have no meaning and are not used."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from srstudy.images.interpolation import Interpolation

VISIBLE = np.float32(0.5)  # alpha on the 0..255 scale: smaller values are written as 0 in 8 bits


def filled(image: NDArray[Any]) -> NDArray[Any]:
    """The colours (H, W, 3) of an image (H, W, 4). Transparent pixels get the colour of the nearest
    visible pixel, so that there is no edge between them."""
    colours = np.ascontiguousarray(image[..., :3])
    hidden = image[..., 3] == 0
    if not hidden.any() or hidden.all():
        return colours
    # The label of the nearest zero for each pixel; the zeros are the visible pixels.
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
    """The change of enlarged colours if they are weighted by alpha, (h * scale, w * scale, 3), and
    the enlarged alpha (h * scale, w * scale, 1).

    colours (h, w, 3) and alpha (h, w, 1) are on the 0..255 scale; plain: the colours, enlarged
    without weights. The change is 0 at pixels with no alpha.
    """
    weighted = interpolation.planes(np.dstack([colours * alpha, alpha]), scale)
    enlarged = weighted[..., 3:]
    seen = enlarged >= VISIBLE
    # Division by a small alpha can give any value, so it is limited to 0..255. Colours outside this
    # range before may stay outside.
    own = np.clip(
        weighted[..., :3] / np.where(seen, enlarged, 1),
        np.minimum(plain, 0),
        np.maximum(plain, 255),
    )
    return np.where(seen, own - plain, np.float32(0)), enlarged
