"""Reading image files of any kind as 8-bit RGB or grey arrays, and writing PNG files."""

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stages.core.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
MAX_PIXELS = 200_000_000  # a larger image would take gigabytes in every stage
Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # Pillow warns from here on, which is where we refuse
TOO_LARGE = (Image.DecompressionBombWarning, Image.DecompressionBombError)
# What Pillow raises on a file that is no image.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error)


def read_image(path: Path) -> NDArray[np.uint8]:
    """An image file as uint8: (H, W, 3) RGB, or (H, W) for a grey file.

    16-bit values are scaled to 8 bits, alpha is dropped, EXIF orientation is applied.
    `InputError` names a file that is no image, or holds no 8- or 16-bit one.
    """
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        image = _decoded(data)
    except TOO_LARGE:
        raise InputError(f"{path}: has over {MAX_PIXELS} pixels") from None
    if image is None:
        raise InputError(f"{path}: is no image that can be read; allowed: {', '.join(SUFFIXES)}")
    if image.dtype == np.uint16:
        image = ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if image.dtype != np.uint8:
        raise InputError(f"{path}: holds {image.dtype} values; allowed: 8 or 16 bits a channel")
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    rgb = image if image.ndim == 2 else image[..., ::-1]
    return np.ascontiguousarray(rgb, dtype=np.uint8)


def _decoded(data: NDArray[np.uint8]) -> NDArray[Any] | None:
    """The pixels, grey or BGR, as OpenCV has them; None where they cannot be had."""
    try:
        # The header alone says how large an image is, before it takes the memory.
        with open_header(data) as header:
            if is_unknown_tiff(header):
                return None
            if header.format == "TIFF" and header.mode in ("RGBA", "LA"):
                # OpenCV would multiply the colours by alpha.
                return np.asarray(header.convert("RGB"))[..., ::-1]
    except BROKEN:
        pass  # nothing that Pillow knows: OpenCV may
    silence_opencv()
    try:
        return cv2.imdecode(data, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH) if data.size else None
    except cv2.error:
        return None


@contextmanager
def open_header(data: Any, formats: list[str] | None = None) -> Iterator[Image.Image]:
    """The image that bytes hold, its pixels not yet decoded; raises TOO_LARGE and BROKEN."""
    with warnings.catch_warnings(action="ignore"):
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        image = Image.open(io.BytesIO(data), formats=formats)
    with image:
        yield image


def silence_opencv() -> None:
    """No lines of OpenCV's own on stderr: what is wrong with an image is said in ours."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def is_unknown_tiff(image: Image.Image) -> bool:
    """Whether it is a TIFF file of over 8 bits that OpenCV would read as other values.

    That is where each channel has a plane of its own, or white is 0.
    """
    if image.format != "TIFF":
        return False
    bits, white_is_0, planar = (image.tag_v2.get(tag) for tag in (258, 262, 284))  # type: ignore[attr-defined]
    return max(bits or (1,)) > 8 and (white_is_0 == 0 or planar == 2)


def write_png(path: Path, image: NDArray[np.uint8]) -> None:
    """Write an (H, W) or (H, W, 3) RGB uint8 array as PNG: the same bytes every time."""
    bgr = image if image.ndim == 2 else np.ascontiguousarray(image[..., ::-1])
    done, data = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    if not done:
        raise ValueError(f"{path}: OpenCV could not encode {image.shape} {image.dtype}")
    path.write_bytes(data.tobytes())


def list_images(folder: Path) -> list[Path]:
    """The image files of a folder in the order of their names; hidden files are passed over.

    `InputError` names a folder that is missing or empty, what in it is no image by its suffix,
    and two files that differ in suffix only: outputs are named by the stem.
    """
    try:
        if not folder.is_dir():
            raise InputError(f"{folder}: is no folder that exists; allowed: a folder of images")
        paths = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror}") from error
    if not paths:
        raise InputError(f"{folder}: holds no file; allowed: {', '.join(SUFFIXES)}")
    stems: dict[str, Path] = {}
    for path in paths:
        if path.is_dir() or path.suffix.lower() not in SUFFIXES:
            what = "a folder" if path.is_dir() else "not an image by its suffix"
            raise InputError(f"{path}: is {what}; allowed: {', '.join(SUFFIXES)}")
        other = stems.setdefault(path.stem, path)
        if other is not path:
            raise InputError(f"{path}: has the same stem as {other.name}; allowed: each stem once")
    return paths
