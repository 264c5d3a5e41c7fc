"""Kinds of files that people hand to an upscaler: the table of them, and what they show."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

HEIGHT, WIDTH = 24, 32
# What a file shows, as `read_photo` gives it, and how far a pixel may be from it.
Shows = tuple[NDArray[Any], int]


@dataclass(frozen=True)
class Kind:
    """name: of the file, with its suffix; write: writes it, and gives what it shows, or the words
    of its refusal."""

    name: str
    write: Callable[[Path], Shows | str]


KINDS: dict[str, Kind] = {}


def kind(name: str) -> Callable[[Callable[[Path], Any]], Callable[[Path], Any]]:
    """Register a function that writes a file of a kind."""

    def registered(write: Callable[[Path], Any]) -> Callable[[Path], Any]:
        def written(path: Path) -> Shows | str:
            shown = write(path)
            return shown if isinstance(shown, str | tuple) else (shown, 0)

        assert name not in KINDS
        KINDS[name] = Kind(name, written)
        return write

    return registered


# --- What they show: smooth colours, which an enlarged one still shows ----------------------------

ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH]
GREY = (40 + 4 * COLUMNS + 2 * ROWS).astype(np.uint8)
COLOUR = np.dstack([GREY, 220 - 5 * ROWS, 30 + 5 * COLUMNS]).astype(np.uint8)
ALPHA = (255 - 5 * COLUMNS).astype(np.uint8)
# Of 16 bits, which 8 cannot hold.
DEEP_GREY, DEEP_ALPHA = (
    (plane * 257.0 - 100 * (COLUMNS % 2)).astype(np.uint16) for plane in (GREY, ALPHA)
)
DEEP = (COLOUR * 257.0 - 100 * (COLUMNS % 2)[..., None]).astype(np.uint16)


def rgba(colours: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """Grey or colours with alpha, as a photo has them."""
    return np.dstack([colours, colours, colours, alpha] if colours.ndim == 2 else [colours, alpha])


def hidden_where(plane: NDArray[Any], value: Any) -> NDArray[Any]:
    """Alpha that hides one colour."""
    same = plane == value
    same = same if plane.ndim == 2 else same.all(2)
    return np.where(same, 0, np.iinfo(plane.dtype).max).astype(plane.dtype)


def profile(space: str = "RGB ", size: int | None = None, kind: bytes | None = None) -> bytes:
    """An ICC profile that is sRGB's, with another colour space or a wrong size in its header."""
    whole = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    whole[16:20] = space.encode()
    whole[12:16] = kind or whole[12:16]
    whole[:4] = (len(whole) if size is None else size).to_bytes(4, "big")
    return bytes(whole)


def three(path: Path, **options: Any) -> None:
    """A file of three images."""
    images = [Image.fromarray(COLOUR // part) for part in (1, 2, 3)]
    images[0].save(path, save_all=True, append_images=images[1:], **options)


def cut(path: Path) -> str:
    """A file without its end, and the refusal of it."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.8)])
    return "is not a complete image"
