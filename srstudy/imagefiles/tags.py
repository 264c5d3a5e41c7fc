"""The directories of tags in a TIFF file or an EXIF block.

They are read without decoding an image. Broken tags, and tags that point outside the data, are
left out.
"""

import math
import struct
from dataclasses import dataclass
from typing import Literal

import numpy as np

MOST_DIRECTORIES = 10_000
MOST_TAGS = 65_535  # per directory: the limit of classic TIFF
# For each TIFF type: bytes per value, and the size of the units that byte order reverses.
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
SIZES |= {13: 4, 16: 8, 18: 8}  # offsets of directories; 16 and 18 have eight bytes
TURNED = {**SIZES, 5: 4, 10: 4}
FORMATS = {1: "B", 3: "H", 4: "I", 5: "I", 6: "b", 8: "h", 9: "i", 10: "i", 11: "f", 12: "d"}
FORMATS |= {13: "I", 16: "Q", 18: "Q"}


@dataclass(frozen=True)
class Entry:
    """A tag's value. kind: the number of its TIFF type; raw: its bytes, little-endian."""

    kind: int
    raw: bytes

    @property
    def count(self) -> int:
        """The number of values; for text, of bytes."""
        return len(self.raw) // SIZES[self.kind]

    @property
    def numbers(self) -> tuple[float, ...]:
        """The values as numbers: fractions are divided, NaN and infinity are 0; none for text."""
        form = FORMATS.get(self.kind)
        if form is None:
            return ()
        values = struct.unpack(f"<{len(self.raw) // struct.calcsize(form)}{form}", self.raw)
        if self.kind in (5, 10):
            pairs = zip(values[::2], values[1::2], strict=True)
            return tuple(above / below if below else 0.0 for above, below in pairs)
        return tuple(value if math.isfinite(value) else 0.0 for value in values)


Tags = dict[int, Entry]


def is_tiff(data: bytes) -> bool:
    """Whether bytes begin like a TIFF file or an EXIF block."""
    return data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def directories(data: bytes) -> list[Tags]:
    """The tags of every image of a TIFF file, in order; an empty list for other bytes."""
    if not is_tiff(data):
        return []
    found: list[Tags] = []
    seen: set[int] = set()
    big = data[2:4] in (b"+\0", b"\0+")
    place = _number(data, 8, "Q") if big else _number(data, 4, "I")
    while place and place not in seen and len(seen) < MOST_DIRECTORIES:
        seen.add(place)
        tags, place = directory(data, place)
        if tags:
            found.append(tags)
    return found


def directory(data: bytes, place: int) -> tuple[Tags, int]:
    """The tags of the directory at a place, and the place of the next directory; 0: no next one.

    All values together are at most as long as the data: in a broken file, each could claim all of
    it.
    """
    big = data[2:4] in (b"+\0", b"\0+")
    head, size, field, form = (8, 20, 8, "Q") if big else (2, 12, 4, "I")
    count = min(_number(data, place, "Q" if big else "H"), MOST_TAGS)
    tags: Tags = {}
    left = len(data)
    for start in range(place + head, min(place + head + count * size, len(data) - size), size):
        kind, values = _number(data, start + 2, "H"), _number(data, start + 4, form)
        length = SIZES.get(kind, 0) * values
        at = start + size - field
        if length > field:
            at = _number(data, at, form)
        raw = data[at : at + length]
        left -= len(raw)
        if raw and len(raw) == length and left >= 0:
            tags.setdefault(_number(data, start, "H"), Entry(kind, _little(data, kind, raw)))
    return tags, _number(data, place + head + count * size, form)


def _number(data: bytes, place: int, form: str) -> int:
    """An integer in the data's byte order; 0 beyond the end of the data."""
    size = struct.calcsize(form)
    part = data[place : place + size]
    return int.from_bytes(part, _order(data)) if len(part) == size else 0


def _order(data: bytes) -> Literal["little", "big"]:
    return "big" if data[:2] == b"MM" else "little"


def _little(data: bytes, kind: int, raw: bytes) -> bytes:
    if _order(data) == "little" or TURNED[kind] == 1:
        return raw
    return np.frombuffer(raw, f"u{TURNED[kind]}").byteswap().tobytes()


def written(tags: Tags, place: int) -> bytes:
    """The bytes of a little-endian directory at an even place of a classic TIFF file or block."""
    head = struct.pack("<H", len(tags))
    values, after = b"", place + 2 + 12 * len(tags) + 4
    for tag, entry in sorted(tags.items()):
        inline = len(entry.raw) <= 4
        held = entry.raw.ljust(4, b"\0") if inline else struct.pack("<I", after + len(values))
        if not inline:
            values += entry.raw + b"\0" * (len(entry.raw) % 2)
        head += struct.pack("<HHI", tag, entry.kind, entry.count) + held
    return head + struct.pack("<I", 0) + values
