"""Side-by-side pictures: several versions of one image, each with the same zoomed crop."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from srstudy.scoring.metrics import METRICS, first_metric

PANEL = 320  # width of one version in pixels
ZOOM = 3  # the crop's side is the panel's width divided by this
CAPTION = 22
GAP = 6
WHITE = 255


def comparison(
    versions: Mapping[str, NDArray[np.uint8]], interesting: NDArray[np.floating]
) -> NDArray[np.uint8]:
    """One picture with a column per version: caption, whole image, zoomed crop.

    versions: from caption to image, uint8 (H, W) or (H, W, 3), all of the same size. interesting:
    (H, W); the crop is the place with the highest sum. The crop is enlarged without interpolation,
    so that its pixels are visible. Returns (height, width, 3) uint8.
    """
    height, width = interesting.shape
    side = max(1, min(height, width, PANEL // ZOOM))
    top, left = highest_window(interesting, side)
    columns = []
    for caption, image in versions.items():
        rgb = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
        crop = rgb[top : top + side, left : left + side]
        marked = rgb.copy()
        thickness = max(1, width // PANEL)
        corners = (left, top), (left + side - 1, top + side - 1)
        cv2.rectangle(marked, *corners, (255, 220, 0), thickness)
        whole = cv2.resize(
            marked, (PANEL, max(1, round(height * PANEL / width))), interpolation=cv2.INTER_AREA
        )
        zoomed = cv2.resize(crop, (PANEL, PANEL), interpolation=cv2.INTER_NEAREST)
        columns.append(_column(caption, whole, zoomed))
    gap = np.full((columns[0].shape[0], GAP, 3), WHITE, np.uint8)
    row = [piece for column in columns for piece in (column, gap)][:-1]
    return np.concatenate(row, axis=1)


def caption(method: str, score: float | None) -> str:
    """A method and its score for an image in the first metric, such as "plain, 37.54 dB".

    If the metric's title has no unit, its name is shown: "plain, SSIM 0.9586". A missing score
    (None) is left out.
    """
    if score is None:
        return method
    metric = METRICS[first_metric()]
    name, _, unit = metric.title.partition(" in ")
    number = f"{score:.{metric.digits}f}"
    return f"{method}, {number} {unit}" if unit else f"{method}, {name} {number}"


def squared_error(hr: NDArray[np.uint8], image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The squared error of an image (H, W[, 3]) per pixel: (H, W), summed over the channels."""
    error = np.square(hr.astype(np.float64) - image)
    return error if error.ndim == 2 else error.sum(axis=2)


def highest_window(values: NDArray[np.floating], side: int) -> tuple[int, int]:
    """Top and left of the square (side x side) with the highest sum of values (H, W)."""
    sums = cv2.integral(values.astype(np.float64))
    windows = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    top, left = np.unravel_index(int(np.argmax(windows)), windows.shape)
    return int(top), int(left)


def _column(caption: str, whole: NDArray[Any], zoomed: NDArray[Any]) -> NDArray[np.uint8]:
    head = np.full((CAPTION, PANEL, 3), WHITE, np.uint8)
    at = (4, CAPTION - 7)
    cv2.putText(head, caption, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    gap = np.full((GAP, PANEL, 3), WHITE, np.uint8)
    return np.concatenate([head, whole, gap, zoomed])
