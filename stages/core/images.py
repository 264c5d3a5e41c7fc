"""Reading image files of any kind as 8-bit RGB or grey arrays, and writing PNG files."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.core.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
# A larger one would take gigabytes in every stage. (OpenCV itself refuses over 2^30 pixels.)
MAX_PIXELS = 200_000_000


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
        image = cv2.imdecode(data, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH) if data.size else None
    except cv2.error:
        image = None
    if image is None:
        raise InputError(f"{path}: is no image that can be read; allowed: {', '.join(SUFFIXES)}")
    if image.shape[0] * image.shape[1] > MAX_PIXELS:
        raise InputError(f"{path}: has over {MAX_PIXELS} pixels")
    if image.dtype == np.uint16:
        image = ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if image.dtype != np.uint8:
        raise InputError(f"{path}: holds {image.dtype} values; allowed: 8 or 16 bits a channel")
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    rgb = image if image.ndim == 2 else image[..., ::-1]
    return np.ascontiguousarray(rgb, dtype=np.uint8)


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
    if not folder.is_dir():
        raise InputError(f"{folder}: is no folder that exists; allowed: a folder of images")
    paths = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
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
