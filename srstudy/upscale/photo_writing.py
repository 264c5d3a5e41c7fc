"""Writing photographs: alpha, 16 bits and the colour profile are kept, or refused in words."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from srstudy.common.errors import InputError
from srstudy.common.files import whole_file
from srstudy.imagefiles.listing import SUFFIXES
from srstudy.imagefiles.reading import Photo

HOLDS_ALPHA = (".png", ".webp", ".tif", ".tiff")
HOLDS_16_BITS = (".png", ".tif", ".tiff")
LONGEST = {".webp": 16383, ".jpg": 65500, ".jpeg": 65500}  # side, in pixels
QUALITY = {".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95], ".webp": [cv2.IMWRITE_WEBP_QUALITY, 101]}
QUALITY[".jpeg"] = QUALITY[".jpg"]  # WebP's 101 means: without loss


def write_photo(path: Path, photo: Photo) -> None:
    """Write a photo whole, in the format of the file's suffix; `InputError` as `check_fits`.

    A colour profile is kept where the format holds one (all but BMP), and the image did not turn
    from grey to RGB, which alpha and WebP ask for.
    """
    check_fits(path, photo)
    with whole_file(path) as partial:
        if path.suffix.lower() in (".tif", ".tiff"):
            _write_tiff(partial, photo)
        else:
            partial.write_bytes(_encoded(path.suffix.lower(), photo))


def check_fits(path: Path, photo: Photo, scale: int = 1) -> None:
    """`InputError` if the format of a file's suffix cannot hold a photo, `scale` times as large."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path}: allowed: a suffix out of {', '.join(SUFFIXES)}")
    if photo.has_alpha and suffix not in HOLDS_ALPHA:
        raise InputError(f"{path}: cannot hold alpha; allowed: {', '.join(HOLDS_ALPHA)}")
    if photo.pixels.dtype == np.uint16 and suffix not in HOLDS_16_BITS:
        raise InputError(f"{path}: cannot hold 16 bits; allowed: {', '.join(HOLDS_16_BITS)}")
    side, most = max(photo.pixels.shape[:2]) * scale, LONGEST.get(suffix, np.inf)
    if side > most:
        raise InputError(f"{path}: cannot hold {side} pixels on a side; allowed: {most}")


def _encoded(suffix: str, photo: Photo) -> bytes:
    pixels: NDArray[Any] = photo.pixels
    if pixels.ndim == 3:
        pixels = np.ascontiguousarray(pixels[..., [2, 1, 0, 3][: pixels.shape[2]]])
    options = QUALITY.get(suffix, [])
    kept = _fitting_profile(photo, grey=pixels.ndim == 2 and suffix != ".webp")
    if kept and suffix != ".bmp":
        profile = [np.frombuffer(kept, np.uint8)]
        kinds = [cv2.IMAGE_METADATA_ICCP]
        done, data = cv2.imencodeWithMetadata(suffix, pixels, kinds, profile, options)
    else:
        done, data = cv2.imencode(suffix, pixels, options)
    if not done:
        raise ValueError(f"OpenCV could not encode {pixels.shape} {pixels.dtype} as {suffix}")
    return data.tobytes()


def _fitting_profile(photo: Photo, grey: bool) -> bytes | None:
    """The photo's colour profile, but that of a grey image (by its header) for colours."""
    profile = photo.profile
    return None if profile and not grey and profile[16:20] == b"GRAY" else profile


def _write_tiff(path: Path, photo: Photo) -> None:
    pixels = photo.pixels
    tifffile.imwrite(
        path,
        pixels,
        photometric="rgb" if pixels.ndim == 3 else "minisblack",
        planarconfig="contig" if pixels.ndim == 3 else None,
        extrasamples=["unassalpha"] if photo.has_alpha else None,
        compression="zlib",
        iccprofile=_fitting_profile(photo, grey=pixels.ndim == 2),
        metadata=None,
        software=False,
    )
