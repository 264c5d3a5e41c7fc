"""Writing a photograph's metadata into image files: resolution, date, camera, copyright."""

import struct
import zlib
from fractions import Fraction
from typing import IO

from srstudy.imagefiles.metadata import (
    CAMERA,
    RESOLUTION_UNIT,
    X_RESOLUTION,
    Y_RESOLUTION,
    Metadata,
)
from srstudy.imagefiles.profiles import LARGEST
from srstudy.imagefiles.tags import Entry, Tags, written

INCH = 2
METRE = 1 / 0.0254  # in inches
SEGMENT = LARGEST // 255  # bytes of a profile in one of the 255 segments that JPEG allows


def exif_block(metadata: Metadata, resolution: bool = False) -> bytes:
    """An EXIF block with date, camera and copyright; empty if there are none of them.

    The resolution is added to such a block. resolution: make a block also for the resolution alone.
    """
    if not (metadata.exif or metadata.camera or (resolution and metadata.dpi)):
        return b""
    tags = {**metadata.exif, **_resolution(metadata)}
    if metadata.camera:
        tags[CAMERA] = _pointer(0)
        tags[CAMERA] = _pointer(8 + len(written(tags, 8)))
    main = written(tags, 8)
    camera = written(metadata.camera, 8 + len(main)) if metadata.camera else b""
    return b"II*\0" + struct.pack("<I", 8) + main + camera


def _pointer(place: int) -> Entry:
    return Entry(4, struct.pack("<I", place))


def _resolution(metadata: Metadata) -> Tags:
    if not metadata.dpi:
        return {}
    across, down = (Fraction(dpi).limit_denominator(10_000) for dpi in metadata.dpi)
    return {
        X_RESOLUTION: Entry(5, struct.pack("<II", *across.as_integer_ratio())),
        Y_RESOLUTION: Entry(5, struct.pack("<II", *down.as_integer_ratio())),
        RESOLUTION_UNIT: Entry(3, struct.pack("<H", INCH)),
    }


def chunks_for(metadata: Metadata, profile: bytes | None) -> dict[bytes, bytes]:
    """The chunks of a PNG file that hold the metadata and the colour profile.

    Those of `Metadata.png` come first; `sRGB` and a profile exclude each other.
    """
    chunks = {k: v for k, v in metadata.png.items() if not (profile and k == b"sRGB")}
    if profile:
        chunks[b"iCCP"] = b"ICC profile\0\0" + zlib.compress(profile)
    if metadata.dpi:
        across, down = (round(dpi * METRE) for dpi in metadata.dpi)
        chunks[b"pHYs"] = struct.pack(">IIB", across, down, 1)
    return {**chunks, b"eXIf": exif_block(metadata)}


def with_profile(data: memoryview, profile: bytes) -> list[bytes | memoryview]:
    """The pieces of an encoded JPEG file, with a colour profile after its JFIF and EXIF segments.

    OpenCV cannot divide a profile among several segments.
    """
    place = 2
    while data[place + 1] in (0xE0, 0xE1):
        place += 2 + int.from_bytes(data[place + 2 : place + 4])
    parts = [profile[start : start + SEGMENT] for start in range(0, len(profile), SEGMENT)]
    heads = [
        struct.pack(">HH12sBB", 0xFFE2, 16 + len(part), b"ICC_PROFILE\0", number, len(parts))
        for number, part in enumerate(parts, start=1)
    ]
    segments = [head + part for head, part in zip(heads, parts, strict=True)]
    return [data[:place], *segments, data[place:]]


def with_resolution(
    suffix: str, data: bytes | memoryview, metadata: Metadata
) -> list[bytes | memoryview]:
    """The pieces of an encoded JPEG or BMP file, or of its beginning, with the resolution added;
    other files are not changed."""
    if suffix in (".jpg", ".jpeg") and metadata.dpi and bytes(data[6:11]) == b"JFIF\0":
        density = struct.pack(">BHH", 1, *(round(dpi) for dpi in metadata.dpi))
        return [data[:13], density, data[18:]]
    if suffix == ".bmp" and metadata.dpi:
        density = struct.pack("<ii", *(round(dpi * METRE) for dpi in metadata.dpi))
        return [data[:38], density, data[46:]]
    return [data]


def tiff_options(metadata: Metadata) -> dict[str, object]:
    """The options of tifffile for all metadata except the camera's, which `add_camera` writes."""
    options: dict[str, object] = {
        "extratags": [(t, e.kind, e.count, e.raw, True) for t, e in sorted(metadata.exif.items())]
    }
    if metadata.dpi:
        options |= {"resolution": metadata.dpi, "resolutionunit": INCH}
    return options


def add_camera(file: IO[bytes], camera: Tags) -> None:
    """Add the camera's directory to a classic little-endian TIFF file with one image.

    It is appended to the file, together with a copy of the image's directory that points to it. The
    copy replaces the original directory.
    """
    file.seek(4)
    file.seek(int.from_bytes(file.read(4), "little"))
    entries = [file.read(12) for _ in range(int.from_bytes(file.read(2), "little"))]
    after = file.read(4)
    end = file.seek(0, 2)
    place = end + end % 2
    entries.append(struct.pack("<HHII", CAMERA, 4, 1, place + 2 + 12 * (len(entries) + 1) + 4))
    entries.sort(key=lambda entry: int.from_bytes(entry[:2], "little"))
    file.write(b"\0" * (end % 2) + struct.pack("<H", len(entries)) + b"".join(entries) + after)
    file.write(written(camera, file.tell()))
    file.seek(4)
    file.write(struct.pack("<I", place))
