"""Enlarging any image with a trained network, tile by tile.

from stages.core.upscaling import upscale
large = upscale(image, scale=4)
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, cast, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.core.degradation import upscale_float
from stages.core.protocol import Protocol
from stages.core.restoring import in_all_orientations, restore_exactly
from stages.core.runtime import Network, load_network
from stages.core.tiles import SIDE, tiles

Image = NDArray[np.uint8] | NDArray[np.uint16]
Model = Literal["plain", "regularized", "cascade"]
MODELS: tuple[Model, ...] = get_args(Model)

WEIGHTS = Path(__file__).parents[2] / "weights"
SCALES = (2, 4, 8)  # that weights come with
LEAST_SIDE = 2  # the networks' own bicubic enlargement mirrors two pixels at each edge


def upscale(image: Image, scale: int = 2, model: Model = "plain", ensemble: bool = False) -> Image:
    """Enlarge an image 2, 4 or 8 times with the networks that come with the project.

    image: uint8 or uint16, of any size: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGB and alpha.
    Returns the same kind, (H * scale, W * scale[, C]). Luma is restored by the network, chroma and
    alpha are bicubic. model: `plain` or `regularized`, or `cascade`, the plain x2 network applied
    to its own output; ensemble: the mean over eight orientations, in eight times the time. Raises
    ValueError for another image, scale or model.
    """
    return enlarge(image, networks(scale, model), ensemble)


def networks(scale: int, model: Model = "plain") -> list[Network]:
    """The committed networks that reach a scale one after the other."""
    if scale not in SCALES:
        raise ValueError(f"scale: found {scale}; allowed: {', '.join(map(str, SCALES))}")
    if model not in MODELS:
        raise ValueError(f"model: found {model!r}; allowed: {', '.join(MODELS)}")
    if model == "cascade":
        return [load_network(WEIGHTS / "x2-plain.onnx")] * (scale.bit_length() - 1)
    return [load_network(WEIGHTS / f"x{scale}-{model}.onnx")]


def enlarge(
    image: Image,
    steps: Sequence[Network],
    ensemble: bool = False,
    tick: Callable[[], Any] = lambda: None,
    side: int = SIDE,
) -> Image:
    """As `upscale`, by given networks, each applied to the output of the one before.

    tick is called after each of the `count_tiles` tiles, of at most side x side HR pixels.
    """
    if image.dtype not in (np.uint8, np.uint16) or image.ndim not in (2, 3) or 0 in image.shape:
        raise ValueError(f"image: found {image.dtype} of shape {image.shape}; allowed: see upscale")
    if image.ndim == 3 and image.shape[2] not in (3, 4):
        raise ValueError(f"image: found {image.shape[2]} channels; allowed: 3 or 4")
    for network in steps:
        image = _step(image, network, ensemble, tick, side)
    return image


def count_tiles(image: Image, steps: Sequence[Network], side: int = SIDE) -> int:
    """Into how many tiles `enlarge` cuts an image."""
    (height, width), count = image.shape[:2], 0
    for network in steps:
        count += len(list(tiles(height, width, max(1, side // network.scale))))
        height, width = height * network.scale, width * network.scale
    return count


def _step(
    image: Image, network: Network, ensemble: bool, tick: Callable[[], Any], side: int
) -> Image:
    height, width, scale = *image.shape[:2], network.scale
    enlarged = np.empty((height * scale, width * scale, *image.shape[2:]), image.dtype)
    for tile in tiles(height, width, max(1, side // scale)):
        around = tile.widened(max(network.reach, LEAST_SIDE), height, width)
        part = _restored(image[around.place()], network, ensemble)
        enlarged[tile.place(scale)] = _rounded(part[tile.within(around, scale)], image.dtype)
        tick()
    return enlarged


def _restored(part: Image, network: Network, ensemble: bool) -> NDArray[np.float32]:
    """A part of an image, enlarged: on the scale of its own values, not rounded, not clipped."""
    height, width, scale = *part.shape[:2], network.scale
    unit = np.float32(np.iinfo(part.dtype).max / 255)
    values: NDArray[Any] = part if unit == 1 else part / unit
    if min(height, width) < LEAST_SIDE:
        rows, columns = max(0, LEAST_SIDE - height), max(0, LEAST_SIDE - width)
        values = np.pad(values, ((0, rows), (0, columns), *[(0, 0)] * (part.ndim - 2)), "edge")
    has_alpha = part.ndim == 3 and part.shape[2] == 4
    colours = values[..., :3] if has_alpha else values
    by_network = in_all_orientations(network.restore_luma) if ensemble else network.restore_luma
    restored = restore_exactly(by_network, colours, scale, Protocol(network.degradation))
    if has_alpha:
        alpha = upscale_float(values[..., -1].astype(np.float32), scale, network.degradation)
        restored = np.dstack([restored, alpha])
    restored = restored if unit == 1 else restored * unit
    return restored[: height * scale, : width * scale]


def _rounded(values: NDArray[np.float32], kind: np.dtype[Any]) -> Image:
    """Rounded and clipped to an array of integers; OpenCV does it in one pass."""
    nothing: Any = 0  # OpenCV takes a number here; what it tells type checkers is another thing
    whole = cv2.add(values, nothing, dtype=cv2.CV_8U if kind == np.uint8 else cv2.CV_16U)
    return cast(Image, whole)
