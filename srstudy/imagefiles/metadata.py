"""The metadata of a photograph that its output keeps: resolution, some EXIF tags, PNG chunks."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from srstudy.imagefiles.tags import Entry, Tags, directories, directory, is_tiff

# EXIF tags of date, camera and copyright are copied. All others are dropped: the orientation has
# been applied; thumbnail and sizes would be wrong; GPS position, serial numbers, owner's name and
# maker notes are private.
KEPT = {271, 272, 306, 315, 33432}  # make, model, date, artist, copyright
KEPT_OF_CAMERA = {
    33434, 33437, 34850, 34855, 34864, 36864, 36867, 36868, 36880, 36881, 36882, 37377, 37378,
    37379, 37380, 37381, 37383, 37384, 37385, 37386, 37520, 37521, 37522, 40961, 41985, 41986,
    41987, 41988, 41989, 41990, 42034, 42035, 42036,
}  # fmt: skip
CAMERA = 34665  # the tag that points to the camera's directory
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296
# Bytes of one value: so many of each tag above, with the entries of their directories, fit into
# the 65,533 bytes that JPEG allows.
LONGEST = 1600
# PNG chunks that define the meaning of pixel values, and the length of each in bytes.
PNG_CHUNKS = {b"gAMA": 4, b"cHRM": 32, b"cICP": 4, b"sRGB": 1}


@dataclass(frozen=True)
class Metadata:
    """dpi: pixels per inch, horizontal and vertical; exif, camera: tags of EXIF's two directories;
    png: by name, the PNG chunks that define the meaning of pixel values."""

    dpi: tuple[float, float] | None = None
    exif: Tags = field(default_factory=dict)
    camera: Tags = field(default_factory=dict)
    png: Mapping[bytes, bytes] = field(default_factory=dict)


def read_metadata(data: bytes, info: Mapping[Any, Any], tags: Tags) -> Metadata:
    """The metadata from a file's bytes, from Pillow's `info` and from a TIFF image's tags.

    Broken metadata are left out: they must not prevent reading the photograph.
    """
    block = data
    if not tags:
        block = _exif_block(info)
        tags = next(iter(directories(block)), {})
    camera: Tags = {}
    if place := tags.get(CAMERA, Entry(7, b"")).numbers:
        camera, _ = directory(block, int(place[0]))
    return Metadata(
        _dpi(info.get("dpi")) or _dpi_of_tags(tags),
        {tag: entry for tag, entry in tags.items() if tag in KEPT and _short(entry)},
        {tag: entry for tag, entry in camera.items() if tag in KEPT_OF_CAMERA and _short(entry)},
        {
            name: data[start + 8 : end - 4]
            for name, start, end in png_chunks(data)
            if PNG_CHUNKS.get(name) == end - start - 12
        },
    )


def _short(entry: Entry) -> bool:
    return len(entry.raw) <= LONGEST


def _exif_block(info: Mapping[Any, Any]) -> bytes:
    block = info.get("exif") or b""
    text = info.get("Raw profile type exif")  # ImageMagick's way before PNG had an EXIF chunk
    if not block and isinstance(text, str):
        try:
            block = bytes.fromhex("".join(text.split("\n")[3:]))
        except ValueError:
            return b""
    block = block.removeprefix(b"Exif\0\0")
    return block if is_tiff(block) else b""


def _dpi(values: Any) -> tuple[float, float] | None:
    try:
        across, down = (float(value) for value in values)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    # The range that every format can store.
    known = all(math.isfinite(value) and 0.5 < value < 65535 for value in (across, down))
    return (across, down) if known else None


def _dpi_of_tags(tags: Tags) -> tuple[float, float] | None:
    nothing = Entry(7, b"")
    values = [
        tags.get(tag, nothing).numbers[:1] for tag in (X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT)
    ]
    unit = {(): 1.0, (2,): 1.0, (3,): 2.54}.get(tuple(int(value) for value in values[2]))
    if unit is None or not values[0] or not values[1]:
        return None
    return _dpi((values[0][0] * unit, values[1][0] * unit))


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The chunks of a PNG file before its pixels: name, start and end of each."""
    place = 8 if data.startswith(b"\x89PNG\r\n\x1a\n") else len(data)
    while place + 12 <= len(data):
        length, name = int.from_bytes(data[place : place + 4]), data[place + 4 : place + 8]
        end = place + 12 + length  # with length, name and checksum, four bytes each
        if name == b"IDAT":
            return
        yield name, place, end
        place = end


def without_profile(data: bytes) -> bytes:
    """A PNG file without its colour profile: libpng would print a line about a broken profile."""
    for name, start, end in png_chunks(data):
        if name == b"iCCP":
            return data[:start] + data[end:]
    return data
