"""Reading image files of any kind: as photographs keep them, or as 8-bit RGB and grey arrays.

Pillow reads every file, and what it reads in 8 bits is taken; 16 bits are OpenCV's, which Pillow
would cut to 8.
"""

import io
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from srstudy.common.errors import InputError
from srstudy.imagefiles.listing import SUFFIXES

FORMATS = ["PNG", "JPEG", "WEBP", "TIFF", "BMP"]
MAX_PIXELS = 200_000_000  # a larger image would take gigabytes in every stage
Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # Pillow warns from here on, which is where we refuse
TOO_LARGE = (Image.DecompressionBombWarning, Image.DecompressionBombError)
# What Pillow raises on a file that is no image, or a broken one.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, TypeError, OverflowError, struct.error)
ORIENTATION = 0x0112  # the tag's number in EXIF
# Tags of TIFF.
BITS, PHOTOMETRIC, PLANAR, EXTRA_SAMPLES, SAMPLE_FORMAT = 258, 262, 284, 338, 339

Pixels = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True)
class Photo:
    """pixels: uint8 or uint16, (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGB and alpha."""

    pixels: Pixels
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
    pixels, profile = _decoded(path)
    if pixels.ndim == 3 and pixels.shape[2] == 2:
        pixels = pixels[..., [0, 0, 0, 1]]
    return Photo(pixels, profile)


def read_image(path: Path) -> NDArray[np.uint8]:
    """An image file as uint8: (H, W, 3) RGB, or (H, W) for a grey file. For training and scores.

    What `read_photo` reads and refuses, with alpha dropped and 16 bits rounded to 8. A colour
    profile is not applied, but to CMYK.
    """
    pixels, _ = _decoded(path)
    if pixels.ndim == 3:
        pixels = pixels[..., 0] if pixels.shape[2] == 2 else pixels[..., :3]
    if pixels.dtype == np.uint16:  # 65535 is 255 * 257
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.ascontiguousarray(pixels, np.uint8)


class _Unreadable(Exception):
    """What is wrong with an image, in words."""


def _decoded(path: Path) -> tuple[Pixels, bytes | None]:
    """The pixels and the colour profile; pixels as in `Photo`, or (H, W, 2) grey and alpha."""
    try:
        data = path.read_bytes()
        with warnings.catch_warnings(action="ignore"):
            # The header alone says how large an image is, before it takes the memory.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _refuse_other_kinds(image)
                deep = _is_deep(image, data)
                image.load()  # deep ones too: OpenCV takes half a file for a whole one
                Image.open(io.BytesIO(data), formats=FORMATS).verify()  # checksums, of PNG
                return _deep(image, data) if deep else _shallow(image)
    except _Unreadable as error:
        raise InputError(f"{path}: {error}") from None
    except TOO_LARGE:
        raise InputError(f"{path}: has over {MAX_PIXELS} pixels") from None
    except BROKEN as error:
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
        allowed = f"{', '.join(SUFFIXES)}, of 8 or 16 bits a channel"
        raise InputError(f"{path}: is not a whole image; allowed: {allowed}") from error


def _refuse_other_kinds(image: Image.Image) -> None:
    """Raise `_Unreadable` where decoding would give something else than the file's one image."""
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # a camera's JPEG, with a preview behind the image
        raise _Unreadable(f"holds {frames} images; allowed: one")
    if set(_tag(image, SAMPLE_FORMAT)) - {1, 4}:  # 1: unsigned, 4: not said
        raise _Unreadable("holds signed or floating-point values; allowed: 8 or 16 bits a channel")
    if max(_tag(image, BITS), default=8) > 8 and (
        _tag(image, PHOTOMETRIC) == (0,) or _tag(image, PLANAR) == (2,)
    ):  # OpenCV would read other values
        raise _Unreadable(
            "holds 16 bits in planes, or 0 as white; allowed: interleaved, 0 as black"
        )


def _tag(image: Image.Image, number: int) -> tuple[int, ...]:
    """The values of a TIFF file's tag; none in another file, and where it is not set."""
    if image.format != "TIFF":
        return ()
    value: Any = image.tag_v2.get(number, ())  # type: ignore[attr-defined]
    return value if isinstance(value, tuple) else (value,)


def _is_deep(image: Image.Image, data: bytes) -> bool:
    """Whether a channel has more than 8 bits."""
    if image.format == "PNG":
        return data[24] == 16  # bit depth, of the header that every PNG file begins with
    return max(_tag(image, BITS), default=8) > 8


def _deep(image: Image.Image, data: bytes) -> tuple[NDArray[np.uint16], bytes | None]:
    # No lines of OpenCV's own on stderr: what is wrong with an image is said in ours.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:  # too long a side
        pixels = None
    if pixels is None or pixels.dtype != np.uint16:
        found = "values that cannot be read" if pixels is None else f"{pixels.dtype} values"
        raise _Unreadable(f"holds {found}; allowed: 8 or 16 bits a channel")
    if pixels.ndim == 3:
        is_grey = image.format == "PNG" and data[25] == 4  # colour type: grey with alpha
        has_alpha = pixels.shape[2] == 4 and image.has_transparency_data
        order = [0, 3] if is_grey else [2, 1, 0, 3] if has_alpha else [2, 1, 0]
        pixels = pixels[..., order]
        if has_alpha and _tag(image, EXTRA_SAMPLES) == (1,):
            pixels = _divided_by_alpha(pixels.astype(np.uint16, copy=False))
    orientation = image.getexif().get(ORIENTATION, 1)
    return _turned(pixels, orientation), image.info.get("icc_profile")


def _divided_by_alpha(pixels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Of colours that are stored multiplied by alpha the colours themselves."""
    alpha = pixels[..., 3:]
    colours = pixels[..., :3] * (65535 / np.maximum(alpha, 1))
    return np.concatenate([np.rint(np.minimum(colours, 65535)).astype(np.uint16), alpha], axis=-1)


def _turned(plane: NDArray[Any], orientation: int) -> NDArray[Any]:
    # EXIF: 2 and 4 mirrored and upside down, 5 to 8 with rows and columns exchanged.
    if orientation in (5, 6, 7, 8):
        plane = plane.swapaxes(0, 1)
    flips: dict[int, int | tuple[int, int]] = {2: 1, 3: (0, 1), 4: 0, 6: 1, 7: (0, 1), 8: 0}
    if orientation in flips:
        plane = np.flip(plane, flips[orientation])
    return np.ascontiguousarray(plane)


def _shallow(image: Image.Image) -> tuple[NDArray[np.uint8], bytes | None]:
    profile: bytes | None = image.info.get("icc_profile")
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode == "CMYK":
        image, profile = _rgb_of_cmyk(image, profile), None
    opaque = "L" if image.mode in ("1", "L", "LA") else "RGB"
    mode = f"{opaque}A" if image.has_transparency_data else opaque
    return np.array(image.convert(mode)), profile


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
