"""Writing photographs: alpha and 16 bits are kept, or refused with a message; also the profile."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from srstudy.common.errors import InputError
from srstudy.imagefiles.profiles import fitting_profile
from srstudy.imagefiles.reading import Photo
from srstudy.upscale.embedding import (
    add_camera,
    chunks_for,
    exif_block,
    tiff_options,
    with_profile,
    with_resolution,
)
from srstudy.upscale.formats import HOLDS_16_BITS, HOLDS_ALPHA, LONGEST, WRITTEN
from srstudy.upscale.png_stream import write_png_stream

JPEG_QUALITY = 95
WITHOUT_LOSS = 101  # as a quality of WebP: lossless
CLASSIC_TIFF = 2**32 - 2**25  # bytes; larger files need offsets of 8 bytes (BigTIFF)


def write_photo(path: Path, photo: Photo, quality: int | None = None) -> None:
    """Write a photo, completely or not at all, in the format of the suffix; raises `InputError`
    like `check_fits`.

    quality: of JPEG and WebP, 1 to 100; None: 95 for JPEG, lossless WebP.

    If the path is a link, its target is written. A colour profile is kept if the format can store
    it (all but BMP), if it is complete, and if it fits the written pixels: WebP converts grey to
    RGB. Date, camera, copyright and resolution are kept as far as the format can store them.
    """
    check_fits(path, photo)
    with _whole(path) as partial:
        if path.suffix.lower() in (".tif", ".tiff"):
            _write_tiff(partial, photo)
            return
        with partial.open("wb") as file:
            if path.suffix.lower() == ".png":
                profile = _fitting_profile(photo, grey=photo.pixels.ndim == 2)
                write_png_stream(file, photo.pixels, chunks_for(photo.metadata, profile))
            else:
                file.writelines(_encoded(path, photo, quality))


def check_fits(path: Path, photo: Photo, scale: int = 1) -> None:
    """`InputError` if the format of the suffix cannot hold the photo at `scale` times its size."""
    suffix = path.suffix.lower()
    if suffix not in WRITTEN:
        raise InputError(f"{path}: allowed: one of the suffixes {', '.join(WRITTEN)}")
    if suffix not in HOLDS_ALPHA and _shows_through(photo):
        raise InputError(f"{path}: cannot hold alpha; allowed: {', '.join(HOLDS_ALPHA)}")
    if photo.pixels.dtype == np.uint16 and suffix not in HOLDS_16_BITS:
        raise InputError(f"{path}: cannot hold 16 bits; allowed: {', '.join(HOLDS_16_BITS)}")
    side, most = max(photo.pixels.shape[:2]) * scale, LONGEST.get(suffix, np.inf)
    if side > most:
        raise InputError(f"{path}: cannot hold {side} pixels on a side; allowed: {most}")


def _shows_through(photo: Photo) -> bool:
    """Whether any pixel is transparent; if not, alpha can be left out."""
    return photo.has_alpha and photo.pixels[..., 3].min() < np.iinfo(photo.pixels.dtype).max


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A short temporary path to write to. If all went well, the file replaces `path`, or the file
    that `path` links to."""
    real = Path(os.path.realpath(path))
    name = hashlib.sha256(os.fsencode(real.name)).hexdigest()[:16]
    partial = real.with_name(f".partial-{name}")
    try:
        if real.is_symlink():
            raise InputError(f"{path}: cannot be written: it is a link to itself")
        real.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            partial.replace(real)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error


def _encoded(path: Path, photo: Photo, quality: int | None) -> list[bytes | memoryview]:
    """The pieces of a JPEG, WebP or BMP file."""
    suffix = path.suffix.lower()
    pixels: NDArray[Any] = photo.pixels
    if pixels.ndim == 3:
        pixels = pixels if suffix in HOLDS_ALPHA else pixels[..., :3]
        pixels = np.ascontiguousarray(pixels[..., [2, 1, 0, 3][: pixels.shape[2]]])
    profile = _fitting_profile(photo, grey=pixels.ndim == 2 and suffix != ".webp")
    is_jpeg = suffix in (".jpg", ".jpeg")
    kinds = {cv2.IMAGE_METADATA_ICCP: None if is_jpeg else profile}
    kinds[cv2.IMAGE_METADATA_EXIF] = exif_block(photo.metadata, resolution=suffix == ".webp")
    kinds = {kind: block for kind, block in kinds.items() if block and suffix != ".bmp"}
    blocks: list[NDArray[Any]] = [np.frombuffer(b, np.uint8) for b in kinds.values() if b]
    options: list[int] = []
    if is_jpeg:
        options = [cv2.IMWRITE_JPEG_QUALITY, quality or JPEG_QUALITY]
    elif suffix == ".webp":
        options = [cv2.IMWRITE_WEBP_QUALITY, quality or WITHOUT_LOSS]
    # OpenCV's log is switched off: our own line reports the fault.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        if blocks:
            done, data = cv2.imencodeWithMetadata(suffix, pixels, list(kinds), blocks, options)
        else:
            done, data = cv2.imencode(suffix, pixels, options)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError from error
        done, data = False, np.empty(0, np.uint8)
    if not done:
        raise InputError(f"{path}: cannot be written: the encoder of {suffix} failed")
    encoded = memoryview(data.data).cast("B")
    first, *others = with_profile(encoded, profile) if is_jpeg and profile else [encoded]
    return [*with_resolution(suffix, first, photo.metadata), *others]


def _fitting_profile(photo: Photo, grey: bool) -> bytes | None:
    return fitting_profile(photo.profile, "GRAY" if grey else "RGB ")[0]


def _write_tiff(path: Path, photo: Photo) -> None:
    import tifffile  # its import takes long, and few files need it

    pixels, camera = photo.pixels, photo.metadata.camera
    large = pixels.nbytes > CLASSIC_TIFF
    options: dict[str, Any] = tiff_options(photo.metadata)
    tifffile.imwrite(
        path,
        pixels,
        bigtiff=large,
        byteorder="<",
        photometric="rgb" if pixels.ndim == 3 else "minisblack",
        planarconfig="contig" if pixels.ndim == 3 else None,
        extrasamples=["unassalpha"] if photo.has_alpha else None,
        compression="zlib",
        iccprofile=_fitting_profile(photo, grey=pixels.ndim == 2),
        metadata=None,
        software=False,
        **options,
    )
    if camera and not large:
        with path.open("r+b") as file:
            add_camera(file, camera)
