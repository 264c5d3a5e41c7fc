"""Reading image files: as photographs (8 or 16 bits, alpha, metadata) or as 8-bit RGB or grey.

Pillow opens every file and reads the 8-bit images. OpenCV reads 16-bit images, which Pillow would
reduce to 8 bits. tifffile reads rare kinds of TIFF.
"""

import io
import struct
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, PngImagePlugin, UnidentifiedImageError

from srstudy.common.errors import InputError
from srstudy.imagefiles.kinds import (
    IS_AVIF,
    MAX_PIXELS,
    TOO_LARGE,
    Unreadable,
    unreadable_kind,
)
from srstudy.imagefiles.lab import srgb_of_lab
from srstudy.imagefiles.listing import HAS_AVIF, SUFFIXES
from srstudy.imagefiles.metadata import Metadata, read_metadata, without_profile
from srstudy.imagefiles.profiles import fitting_profile
from srstudy.imagefiles.silence import silently, without_stderr
from srstudy.imagefiles.tags import Tags, is_tiff
from srstudy.imagefiles.tiff import (
    ASSOCIATED,
    TiffImage,
    divided_by_alpha,
    only_image,
    read_tiff,
)

FORMATS = ["PNG", "JPEG", "WEBP", "TIFF", "BMP", *["AVIF"] * HAS_AVIF]
# Pillow refuses an image of over twice so many, by its header, before it takes the memory.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2
# Pillow refuses a longer text or profile of a PNG file, uncompressed, as if the file were broken.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY
# Pillow's errors for a file that is broken or not an image.
BROKEN = (
    *(OSError, SyntaxError, ValueError, EOFError, TypeError, OverflowError, struct.error),
    RuntimeError,  # of AVIF
)
ORIENTATION = 0x0112  # the tag's number in EXIF
ICC_PROFILE = 34675  # the tag's number in TIFF
ALLOWED = f"allowed: {', '.join(SUFFIXES)}, with 8 or 16 bits per channel"

Pixels = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True)
class Photo:
    """pixels: uint8 or uint16, (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGB and alpha.

    profile: the ICC colour profile of the pixels; notes: lost parts of the file that its owner may
    miss, in words that follow the file's name.
    """

    pixels: Pixels
    profile: bytes | None = None
    metadata: Metadata = field(default_factory=Metadata)
    notes: tuple[str, ...] = ()

    @property
    def has_alpha(self) -> bool:
        """Whether the last channel is alpha."""
        return self.pixels.ndim == 3 and self.pixels.shape[2] == 4


def read_photo(path: Path) -> Photo:
    """Read a PNG, JPEG, WebP, TIFF, BMP or AVIF file, rotated by its EXIF orientation.

    16 bits stay 16 bits; grey with alpha becomes RGB with alpha; CMYK and L*a*b* become sRGB, CMYK
    by its own profile if it has one. `InputError` names a file that is not such an image, is
    broken or too large, or holds several images or values of another kind.
    """
    pixels, profile, data, info, tags = _decoded(path)
    if pixels.ndim == 3 and pixels.shape[2] == 2:
        pixels = pixels[..., [0, 0, 0, 1]]
    profile, fault = fitting_profile(profile, "GRAY" if pixels.ndim == 2 else "RGB ")
    metadata = read_metadata(data, info, tags)
    return Photo(pixels, profile, metadata, (fault,) if fault else ())


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read an image file as uint8: (H, W, 3) RGB, or (H, W) if it is grey. For training and scores.

    Accepts the same files as `read_photo`. Alpha is dropped, 16 bits are rounded to 8. Colour
    profiles are only applied to CMYK.
    """
    pixels = _decoded(path).pixels
    if pixels.ndim == 3:
        pixels = pixels[..., 0] if pixels.shape[2] == 2 else pixels[..., :3]
    if pixels.dtype == np.uint16:  # 65535 = 255 * 257
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.ascontiguousarray(pixels, np.uint8)


class _Decoded(NamedTuple):
    """pixels: as in `Photo`, or (H, W, 2) grey and alpha; data: the file's bytes; info: Pillow's
    metadata; tags: those of a TIFF image."""

    pixels: Pixels
    profile: bytes | None
    data: bytes
    info: Mapping[Any, Any]
    tags: Tags


def _decoded(path: Path) -> _Decoded:
    data = b""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise Unreadable("is not a file")  # a pipe or a device: reading it may never end
        data = path.read_bytes()
        with silently():
            return _of_bytes(data)
    except Unreadable as error:
        raise InputError(f"{path}: {error}") from None
    except Image.DecompressionBombError:
        raise InputError(f"{path}: {TOO_LARGE}") from None
    except BROKEN as error:
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
        kind = unreadable_kind(data)
        found = "is not a complete image" if kind in (None, *[IS_AVIF] * HAS_AVIF) else kind
        raise InputError(f"{path}: {found}; {ALLOWED}") from error


def _of_bytes(data: bytes) -> _Decoded:
    tiff = only_image(data) if is_tiff(data) else None
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        if tiff is None:
            raise
        return _of_rare_tiff(data, tiff)
    with image:
        if tiff and tiff.number:
            image.seek(tiff.number)
        if tiff and tiff.is_deep and not tiff.is_for_opencv:
            return _of_rare_tiff(data, tiff, image)
        frames = 1 if tiff else getattr(image, "n_frames", 1)
        if frames > 1 and image.format != "MPO":  # MPO: a camera's JPEG followed by a preview
            raise Unreadable(f"holds {frames} images; allowed: one")
        deep = tiff.is_deep if tiff else image.format == "PNG" and data[24] == 16  # PNG: bit depth
        with without_stderr() if tiff else nullcontext():
            image.load()  # also 16-bit images: OpenCV accepts half a file without an error
        Image.open(io.BytesIO(data), formats=FORMATS).verify()  # PNG's checksums
        profile = image.info.get("icc_profile")
        if deep:
            pixels: Pixels = _deep(image, data, tiff)
        else:
            if image.mode in ("CMYK", "LAB"):
                profile = None  # it describes the file's CMYK or L*a*b* values, not our sRGB
            pixels = _shallow(image, data)
        return _Decoded(pixels, profile, data, image.info, tiff.tags if tiff else {})


def _of_rare_tiff(data: bytes, tiff: TiffImage, image: Image.Image | None = None) -> _Decoded:
    orientation = image.getexif().get(ORIENTATION, 1) if image else tiff.number_of(ORIENTATION, 1)
    pixels = _turned(read_tiff(data, tiff), orientation)
    profile = None if tiff.is_lab or ICC_PROFILE not in tiff.tags else tiff.tags[ICC_PROFILE].raw
    return _Decoded(pixels, profile, data, {}, tiff.tags)


def _deep(image: Image.Image, data: bytes, tiff: TiffImage | None) -> NDArray[np.uint16]:
    # Suppress OpenCV's messages on stderr: our own error reports the fault.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    content, pixels = np.frombuffer(without_profile(data), np.uint8), None
    try:
        if tiff and tiff.number:
            which = (tiff.number, tiff.number + 1)
            _, pages = cv2.imdecodemulti(content, cv2.IMREAD_UNCHANGED, range=which)
            pixels = pages[0] if pages else None
        else:
            pixels = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    except cv2.error:  # a side is too long
        pass
    if pixels is None or pixels.dtype != np.uint16:
        found = "values that cannot be read" if pixels is None else f"{pixels.dtype} values"
        raise Unreadable(f"holds {found}; allowed: 8 or 16 bits per channel")
    if pixels.ndim == 3:
        is_grey = image.format == "PNG" and data[25] == 4  # colour type: grey with alpha
        has_alpha = pixels.shape[2] == 4 and image.has_transparency_data
        order = [0, 3] if is_grey else [2, 1, 0, 3] if has_alpha else [2, 1, 0]
        pixels = pixels[..., order]
        if has_alpha and tiff and tiff.alpha == ASSOCIATED:
            colours = divided_by_alpha(pixels[..., :3], pixels[..., 3:])
            pixels = np.concatenate([colours, pixels[..., 3:]], axis=-1)
    elif "transparency" in image.info:  # PNG's transparent colour, which OpenCV ignores
        alpha = np.where(pixels == image.info["transparency"], 0, 65535).astype(np.uint16)
        pixels = np.stack([pixels, alpha], axis=-1)
    return _turned(pixels.astype(np.uint16, copy=False), image.getexif().get(ORIENTATION, 1))


def _turned(plane: NDArray[Any], orientation: int) -> NDArray[Any]:
    # EXIF orientations: 2 and 4 are mirrored, 3 and 4 are upside down, 5 to 8 are transposed.
    if orientation in (5, 6, 7, 8):
        plane = plane.swapaxes(0, 1)
    flips: dict[int, int | tuple[int, int]] = {2: 1, 3: (0, 1), 4: 0, 6: 1, 7: (0, 1), 8: 0}
    if orientation in flips:
        plane = np.flip(plane, flips[orientation])
    return np.ascontiguousarray(plane)


def _shallow(image: Image.Image, data: bytes) -> NDArray[np.uint8]:
    if image.format == "PNG" and isinstance(image.info.get("transparency"), int):
        # Pillow scales 2-bit and 4-bit grey values to 0..255, but not the transparent grey value.
        image.info["transparency"] *= {2: 85, 4: 17}.get(data[24], 1) if image.mode == "L" else 1
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode == "LAB":
        return srgb_of_lab(np.array(image))
    if image.mode == "CMYK":
        image = _rgb_of_cmyk(image, image.info.get("icc_profile"))
    if image.mode == "La":  # grey, premultiplied by alpha
        image = image.convert("LA")
    opaque = "L" if image.mode in ("1", "L", "LA") else "RGB"
    mode = f"{opaque}A" if image.has_transparency_data else opaque
    return np.array(image.convert(mode))


def _rgb_of_cmyk(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert to sRGB by the image's profile, or by plain subtraction if there is no usable one."""
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
