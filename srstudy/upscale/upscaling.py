"""Restoring any image with a trained network, tile by tile.

from srstudy.upscale.upscaling import upscale
large = upscale(image, scale=4)
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from srstudy.degradations.shared.degradation import Degradation
from srstudy.images.colour import Swing, colour_differences, with_luma
from srstudy.images.interpolation import LEAST_SIDE, Interpolation
from srstudy.scoring.restoring import self_ensemble
from srstudy.upscale.choosing import choice
from srstudy.upscale.chroma import REACH, chroma_noise, with_clean_chroma
from srstudy.upscale.models import DEFAULT, Model, check_scale
from srstudy.upscale.runtime import Device, Network, networks
from srstudy.upscale.tiles import SIDE, Tile, tiles
from srstudy.upscale.transparency import filled, shift

Image = NDArray[np.uint8] | NDArray[np.uint16]
BAND = 64  # HR rows processed together outside the network: they fit into the processor's cache


def upscale(
    image: Image,
    scale: int = 2,
    model: Model = DEFAULT,
    ensemble: bool = False,
    device: Device = "auto",
) -> Image:
    """Restore an image at 2, 3, 4 or 8 times its size with the networks that come with the project.

    image: uint8 or uint16, of any size: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGB and alpha.
    Returns the same kind, (H * scale, W * scale[, C]). The network restores luma; chroma and alpha
    are enlarged by bicubic interpolation, with colours weighted by alpha.

    model: `auto`, the default: `photo` for an image whose pixels show that it was a JPEG file, else
    `clean`; always `clean` at 3 times. Other lossy formats cannot be detected from an array.
    `photo`, at 2, 4 or 8 times: for images with JPEG or noise, with chroma filtered along the
    restored luma. `clean`: the strongest for other images. `fast`, at 2 or 4 times: small. From the
    committed study, at 2, 4 or 8 times: `plain`, `regularized`, or `cascade`, the plain x2 network
    applied repeatedly to its own output.

    ensemble: the mean over eight orientations, in eight times the time; device: see `load_network`.
    Raises ValueError for another image, scale, model or device; `InputError` if the file of a model
    is missing.
    """
    _check(image)
    scale = check_scale(model, scale)
    chosen = choice(image, scale).model if model == "auto" else model
    return restore_photo(image, networks(scale, chosen, device), ensemble)


def restore_photo(
    image: Image,
    steps: Sequence[Network],
    ensemble: bool = False,
    tick: Callable[[], Any] = lambda: None,
    side: int = SIDE,
) -> Image:
    """Like `upscale`, with given networks, each applied to the output of the one before.

    tick is called after each of the `count_tiles` tiles; side: as in `tiles`, but in HR pixels.
    """
    _check(image)
    for network in steps:
        image = _step(image, network, ensemble, tick, side)
    return image


def _check(image: Any) -> None:
    """Raise ValueError if it is not an image that `upscale` accepts."""
    if not isinstance(image, np.ndarray):
        raise ValueError(f"image: found {type(image).__name__}; allowed: a NumPy array")
    if image.dtype not in (np.uint8, np.uint16) or image.ndim not in (2, 3) or 0 in image.shape:
        raise ValueError(f"image: found {image.dtype} of shape {image.shape}; allowed: see upscale")
    if image.ndim == 3 and image.shape[2] not in (3, 4):
        raise ValueError(f"image: found {image.shape[2]} channels; allowed: 3 or 4")


def count_tiles(image: Image, steps: Sequence[Network], side: int = SIDE) -> int:
    """The number of tiles into which `restore_photo` cuts an image."""
    (height, width), count = image.shape[:2], 0
    for network in steps:
        count += len(list(_tiles(height, width, network, side)))
        height, width = height * network.scale, width * network.scale
    return count


def _step(
    image: Image, network: Network, ensemble: bool, tick: Callable[[], Any], side: int
) -> Image:
    height, width, scale = *image.shape[:2], network.scale
    if min(height, width) < LEAST_SIDE:
        missing = [(0, max(0, LEAST_SIDE - length)) for length in (height, width)]
        larger: Any = np.pad(image, missing + [(0, 0)] * (image.ndim - 2), "edge")
        return _step(larger, network, ensemble, tick, side)[: height * scale, : width * scale]
    restore_luma = self_ensemble(network.restore_luma) if ensemble else network.restore_luma
    swing, interpolation = network.degradation.protocol.swing, network.degradation.interpolation
    enlarged = np.empty((height * scale, width * scale, *image.shape[2:]), image.dtype)
    rows, colours = max(1, BAND // scale), image
    if image.ndim == 3 and image.shape[2] == 4:
        colours = filled(image)
    noise = chroma_noise(colours) if network.cleans_chroma and image.ndim == 3 else None
    for tile in _tiles(height, width, network, side):
        around = tile.widened(_surroundings(network, height, width), height, width)
        luma = restore_luma(_luma(colours, around, rows, network.degradation))
        cleaned = None
        if noise is not None:
            values = _values(colours[around.place()]).astype(np.float32)
            cleaned = with_clean_chroma(values, luma, noise)
        for band in tile.bands(rows):
            place, own = enlarged[band.place(scale)], luma[band.within(around, scale)]
            if image.ndim == 2:
                _round_into(place, own)
                continue
            seen = band.widened(LEAST_SIDE, height, width)
            inner = band.within(seen, scale)
            if cleaned is None:
                lr = _values(colours[seen.place()])
            else:
                lr = cleaned[seen.within(around, 1)]
            alpha = _values(image[seen.place()][..., 3:])
            if alpha.size and alpha.min() != alpha.max():
                others, more = _weighted(lr, alpha, scale, interpolation)
                _compose_into(place, own, others[inner], swing, more[inner])
            else:
                _compose_into(place, own, _others(lr, alpha, scale, interpolation)[inner], swing)
        tick()
    return enlarged


def _tiles(height: int, width: int, network: Network, side: int) -> Iterator[Tile]:
    if network.receptive_field_radius is None:
        return iter([Tile(0, 0, height, width)])
    radius = _surroundings(network, height, width)
    return tiles(height, width, max(1, side // network.scale), radius)


def _surroundings(network: Network, height: int, width: int) -> int:
    """The number of LR pixels around a tile that the network needs, and the filter of chroma, whose
    guide is the output of the network."""
    radius = network.receptive_field_radius
    more = REACH + LEAST_SIDE if network.cleans_chroma else 0
    return max(height, width) if radius is None else max(radius, LEAST_SIDE) + more


def _luma(image: Image, tile: Tile, rows: int, degradation: Degradation) -> NDArray[np.float32]:
    plane = np.empty((tile.bottom - tile.top, tile.right - tile.left), np.float32)
    for band in tile.bands(rows):
        values = _colours(_values(image[band.place()]))
        plane[band.within(tile, 1)] = degradation.protocol.luma(values)
    return plane


def _others(
    lr: NDArray[Any], alpha: NDArray[Any], scale: int, interpolation: Interpolation
) -> NDArray[np.float32]:
    """Colour differences, and alpha if there is one, enlarged by bicubic interpolation."""
    planes = [colour_differences(lr.astype(np.float32)), alpha.astype(np.float32)]
    return interpolation.planes(np.concatenate(planes, axis=2), scale)


def _weighted(
    lr: NDArray[Any], alpha: NDArray[Any], scale: int, interpolation: Interpolation
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Like `_others`; also the change of the colours by weighting with alpha."""
    values = lr.astype(np.float32)
    plain = interpolation.planes(values, scale)
    more, enlarged = shift(values, plain, alpha.astype(np.float32), scale, interpolation)
    return np.concatenate([colour_differences(plain), enlarged], axis=2), more


def _compose_into(
    place: Image,
    luma: NDArray[np.float32],
    others: NDArray[np.float32],
    swing: Swing,
    more: NDArray[np.float32] | None = None,
) -> None:
    if place.dtype == np.uint8 and place.shape[2] == 3:
        with_luma(others, luma, swing, into=place)
    else:
        image = with_luma(_colours(others), luma, swing)
        if more is not None:
            image += more
        _round_into(place, np.concatenate([image, others[..., 3:]], axis=2))


def _colours(image: NDArray[Any]) -> NDArray[Any]:
    return image if image.ndim == 2 else np.ascontiguousarray(image[..., :3])


def _values(image: Image) -> NDArray[Any]:
    """The pixel values on the 0..255 scale, also of a 16-bit image."""
    return image if image.dtype == np.uint8 else image / _unit(image.dtype)


def _unit(kind: np.dtype[Any]) -> np.float32:
    return np.float32(np.iinfo(kind).max / 255)


def _round_into(place: Image, values: NDArray[np.float32]) -> None:
    """Write values on the 0..255 scale, rounded and clipped to integers, in one pass of OpenCV."""
    in_bytes = place.dtype == np.uint8
    nothing: Any = 0  # OpenCV accepts a number here, but its type hints do not say so
    values = values if in_bytes else values * _unit(place.dtype)
    cv2.add(values, nothing, dst=place, dtype=cv2.CV_8U if in_bytes else cv2.CV_16U)
