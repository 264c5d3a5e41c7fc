"""Photographs as people have them: alpha, 16 bits, colour profiles, orientation, CMYK.

Pillow reads what it can in 8 bits; 16 bits are OpenCV's, which Pillow would cut to 8.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from stages.core.errors import InputError
from stages.core.files import whole_file
from stages.core.images import (
    BROKEN,
    MAX_PIXELS,
    SUFFIXES,
    TOO_LARGE,
    is_unknown_tiff,
    open_header,
    silence_opencv,
)

READABLE = ["PNG", "JPEG", "WEBP", "TIFF", "BMP"]
HOLDS_ALPHA = (".png", ".webp", ".tif", ".tiff")
HOLDS_16_BITS = (".png", ".tif", ".tiff")
LONGEST = {".webp": 16383, ".jpg": 65500, ".jpeg": 65500}  # side, in pixels
ORIENTATION = 0x0112  # the tag's number in EXIF
QUALITY = {".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95], ".webp": [cv2.IMWRITE_WEBP_QUALITY, 101]}
QUALITY[".jpeg"] = QUALITY[".jpg"]  # WebP's 101 means: without loss


@dataclass(frozen=True)
class Photo:
    """pixels: uint8 or uint16, (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGB and alpha."""

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    profile: bytes | None = None  # the ICC colour profile that the pixels are meant in

    @property
    def has_alpha(self) -> bool:
        """Whether the last channel is alpha."""
        return self.pixels.ndim == 3 and self.pixels.shape[2] == 4


def read_photo(path: Path) -> Photo:
    """A PNG, JPEG, WebP, TIFF or BMP file, turned upright as its EXIF orientation says.

    16 bits stay 16 bits; grey with alpha becomes RGB with alpha, CMYK becomes RGB, by its own
    profile where it has one. `InputError` names a file that is no such image, is broken, too
    large, or holds several images or other values.
    """
    try:
        data = path.read_bytes()
        with open_header(data, READABLE) as image:
            frames = getattr(image, "n_frames", 1)
            if frames > 1 and image.format != "MPO":
                raise InputError(f"{path}: holds {frames} images; allowed: one")
            image.load()
            return _deep(image, data) if _is_deep(image, data) else _shallow(image)
    except _Unreadable as error:
        raise InputError(f"{path}: {error}") from None
    except TOO_LARGE:
        raise InputError(f"{path}: has over {MAX_PIXELS} pixels") from None
    except BROKEN as error:
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
        raise InputError(f"{path}: is no whole image; allowed: {', '.join(SUFFIXES)}") from error


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


class _Unreadable(Exception):
    """What is wrong with a photo, in words."""


def _is_deep(image: Image.Image, data: bytes) -> bool:
    """Whether a channel has more than 8 bits."""
    if image.format == "PNG":
        return data[24] == 16  # bit depth, of the header that every PNG file begins with
    return image.format == "TIFF" and max(image.tag_v2.get(258, (8,))) > 8  # type: ignore[attr-defined]


def _deep(image: Image.Image, data: bytes) -> Photo:
    if is_unknown_tiff(image):
        raise _Unreadable(
            "holds 16 bits in planes, or 0 as white; allowed: interleaved, 0 as black"
        )
    silence_opencv()
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        found = "values that cannot be read" if pixels is None else f"{pixels.dtype} values"
        raise _Unreadable(f"holds {found}; allowed: 8 or 16 bits a channel")
    if pixels.ndim == 3:
        pixels = pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    return Photo(
        _turned(pixels, image.getexif().get(ORIENTATION, 1)), image.info.get("icc_profile")
    )


def _turned(plane: NDArray[Any], orientation: int) -> NDArray[Any]:
    # EXIF: 2 and 4 mirrored and upside down, 5 to 8 with rows and columns exchanged.
    if orientation >= 5:
        plane = plane.swapaxes(0, 1)
    flips: dict[int, int | tuple[int, int]] = {2: 1, 3: (0, 1), 4: 0, 6: 1, 7: (0, 1), 8: 0}
    if orientation in flips:
        plane = np.flip(plane, flips[orientation])
    return np.ascontiguousarray(plane)


def _shallow(image: Image.Image) -> Photo:
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        raise _Unreadable("holds values of 32 bits; allowed: 8 or 16 bits a channel")
    profile: bytes | None = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    if upright.mode == "CMYK":
        upright, profile = _rgb_of_cmyk(upright, profile), None
    opaque = "L" if upright.mode in ("1", "L") else "RGB"
    mode = "RGBA" if upright.has_transparency_data else opaque
    return Photo(np.array(upright.convert(mode)), profile)


def _rgb_of_cmyk(image: Image.Image, profile: bytes | None) -> Image.Image:
    """By the image's profile to sRGB; without a usable one by subtraction alone."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            return image.convert("RGB")
        assert converted is not None
        return converted
    return image.convert("RGB")


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
