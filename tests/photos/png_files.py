"""PNG files of each kind."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.photos.kinds import (
    ALPHA,
    COLOUR,
    DEEP,
    DEEP_ALPHA,
    DEEP_GREY,
    GREY,
    HEIGHT,
    WIDTH,
    Shows,
    cut,
    hidden_where,
    kind,
    profile,
    rgba,
    three,
)


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(
    path: Path, rows: list[bytes], bits: int, colour: int, extra: bytes = b"", interlaced: int = 0,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> None:  # fmt: skip
    """A PNG file by hand, of rows as they are stored, with chunks before its pixels."""
    header = struct.pack(">IIBBBBB", *size, bits, colour, 0, 0, interlaced)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)


def stored(pixels: NDArray[Any]) -> list[bytes]:
    """The rows of an image as PNG stores them."""
    return [row.astype(row.dtype.newbyteorder(">")).tobytes() for row in pixels]


def packed(levels: NDArray[Any], bits: int) -> list[bytes]:
    """Rows of small numbers, several in a byte."""
    planes = [(levels >> bit) & 1 for bit in reversed(range(bits))]
    return [row.tobytes() for row in np.packbits(np.stack(planes, -1).reshape(HEIGHT, -1), axis=1)]


def as_png(pixels: NDArray[Any], colour: int, extra: bytes = b"") -> Callable[[Path], None]:
    """Writes 8 or 16 bits of a colour type."""
    return lambda path: png(path, stored(pixels), pixels.itemsize * 8, colour, extra)


def _simple_png(name: str, pixels: NDArray[Any], colour: int, shown: NDArray[Any]) -> None:
    @kind(name)
    def _(path: Path) -> NDArray[Any]:
        as_png(pixels, colour)(path)
        return shown


_simple_png("grey 8.png", GREY, 0, GREY)
_simple_png("grey 16.png", DEEP_GREY, 0, DEEP_GREY)
_simple_png("colour 8.png", COLOUR, 2, COLOUR)
_simple_png("colour 16.png", DEEP, 2, DEEP)
_simple_png("grey alpha 8.png", np.dstack([GREY, ALPHA]), 4, rgba(GREY, ALPHA))
_simple_png("grey alpha 16.png", np.dstack([DEEP_GREY, DEEP_ALPHA]), 4, rgba(DEEP_GREY, DEEP_ALPHA))
_simple_png("colour alpha 8.png", rgba(COLOUR, ALPHA), 6, rgba(COLOUR, ALPHA))
_simple_png("colour alpha 16.png", rgba(DEEP, DEEP_ALPHA), 6, rgba(DEEP, DEEP_ALPHA))


def _low_png(bits: int) -> None:
    levels = (GREY >> (8 - bits)).astype(np.uint8)
    shown = (levels * (255 // (2**bits - 1))).astype(np.uint8)

    @kind(f"grey of {bits} bits.png")
    def _(path: Path) -> NDArray[Any]:
        png(path, packed(levels, bits), bits, 0)
        return shown

    @kind(f"grey of {bits} bits, one hidden.png")
    def _(path: Path) -> NDArray[Any]:
        png(path, packed(levels, bits), bits, 0, chunk(b"tRNS", struct.pack(">H", 1)))
        return rgba(shown, hidden_where(levels, 1))

    @kind(f"palette of {bits} bits.png")
    def _(path: Path) -> NDArray[Any]:
        palette = np.arange(2**bits * 3, dtype=np.uint8).reshape(-1, 3) * 5
        png(path, packed(levels, bits), bits, 3, chunk(b"PLTE", palette.tobytes()))
        return palette[levels]


for _bits in (1, 2, 4):
    _low_png(_bits)


@kind("grey 8, one hidden.png")
def _(path: Path) -> NDArray[Any]:
    as_png(GREY, 0, chunk(b"tRNS", struct.pack(">H", 100)))(path)
    return rgba(GREY, hidden_where(GREY, 100))


@kind("grey 16, one hidden.png")
def _(path: Path) -> NDArray[Any]:
    value = int(DEEP_GREY[3, 4])
    as_png(DEEP_GREY, 0, chunk(b"tRNS", struct.pack(">H", value)))(path)
    assert (hidden_where(DEEP_GREY, value) == 0).any()
    return rgba(DEEP_GREY, hidden_where(DEEP_GREY, value))


@kind("colour 8, one hidden.png")
def _(path: Path) -> NDArray[Any]:
    as_png(COLOUR, 2, chunk(b"tRNS", struct.pack(">3H", *COLOUR[3, 4])))(path)
    return rgba(COLOUR, hidden_where(COLOUR, COLOUR[3, 4]))


@kind("colour 16, one hidden.png")
def _(path: Path) -> NDArray[Any]:
    as_png(DEEP, 2, chunk(b"tRNS", struct.pack(">3H", *DEEP[3, 4])))(path)
    return rgba(DEEP, hidden_where(DEEP, DEEP[3, 4]))


@kind("palette with alpha.png")
def _(path: Path) -> NDArray[Any]:
    picture = Image.fromarray(COLOUR).quantize(64)
    picture.save(path, transparency=bytes(range(64)))
    return rgba(np.asarray(picture.convert("RGB")), np.asarray(picture))


@kind("interlaced.png")
def _(path: Path) -> NDArray[Any]:
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
              (1, 0, 2, 1))  # fmt: skip
    rows = [row for y, x, dy, dx in passes for row in stored(GREY[y::dy, x::dx])]
    png(path, rows, 8, 0, interlaced=1)
    return GREY


@kind("animated.png")
def _(path: Path) -> str:
    three(path)
    return "holds 3 images; allowed: one"


@kind("animated behind another image.png")
def _(path: Path) -> str:
    three(path, default_image=True)
    return "holds 3 images; allowed: one"


@kind("cut short.png")
def _(path: Path) -> str:
    as_png(COLOUR, 2)(path)
    return cut(path)


@kind("cut short, of 16 bits.png")
def _(path: Path) -> str:
    as_png(DEEP, 2)(path)
    return cut(path)


@kind("wrong byte.png")
def _(path: Path) -> str:
    as_png(COLOUR, 2)(path)
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 30] ^= 1
    path.write_bytes(data)
    return "is not a complete image"


@kind("no width.png")
def _(path: Path) -> str:
    png(path, [b""] * 4, 8, 0, size=(0, 4))
    return "has no pixels"


@kind("no height.png")
def _(path: Path) -> str:
    png(path, [], 8, 0, size=(4, 0))
    return "has no pixels"


@kind("bomb.png")
def _(path: Path) -> str:
    png(path, [b"\0" * 9], 8, 2, size=(40_000, 40_000))
    return "has more than 200000000 pixels"


@kind("largest header.png")
def _(path: Path) -> str:
    png(path, [b"\0" * 9], 16, 6, size=(2**31 - 1, 2**31 - 1))
    return "has more than 200000000 pixels"


# Profiles: the pixels are right whatever the profile; what is kept of it is another test's.
PROFILES: dict[str, tuple[bytes, bytes | None]] = {
    "whole": (profile(), profile()),
    "padded": (profile() + b"\0\0\0", profile()),
    "cut short": (profile()[:-8], None),
    "of odd length": (profile(size=len(profile()) - 1)[:-1], None),
    "junk": (b"junk" * 60, None),
    "tiny": (b"x", None),
    "for CMYK": (profile("CMYK"), None),
    "for grey": (profile("GRAY"), None),
    "for Lab": (profile("Lab "), None),
    "linking devices": (profile(kind=b"link"), None),
    "without its mark": (profile()[:36] + b"none" + profile()[40:], None),
    "with tags outside": (profile()[:140] + b"\x7f" * 4 + profile()[144:], None),
}


def _with_profile(name: str, content: bytes) -> None:
    @kind(f"profile {name}.png")
    def _(path: Path) -> NDArray[Any]:
        block = b"icc\0\0" + zlib.compress(content)
        as_png(COLOUR, 2, chunk(b"iCCP", block))(path)
        return COLOUR

    @kind(f"profile {name}, 16 bits.png")
    def _(path: Path) -> NDArray[Any]:
        block = b"icc\0\0" + zlib.compress(content)
        as_png(DEEP, 2, chunk(b"iCCP", block))(path)
        return DEEP

    @kind(f"profile {name}, a photograph.jpg")
    def _(path: Path) -> Shows:
        Image.fromarray(COLOUR).save(path, quality=97, subsampling=0, icc_profile=content)
        return COLOUR, 6


for _name, _contents in PROFILES.items():
    _with_profile(_name, _contents[0])


@kind("profile that does not unpack.png")
def _(path: Path) -> NDArray[Any]:
    as_png(COLOUR, 2, chunk(b"iCCP", b"icc\0\0not packed"))(path)
    return COLOUR


@kind("profile for colours on grey.png")
def _(path: Path) -> NDArray[Any]:
    as_png(GREY, 0, chunk(b"iCCP", b"icc\0\0" + zlib.compress(profile())))(path)
    return GREY
