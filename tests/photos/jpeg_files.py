"""JPEG, WebP and BMP files of each kind."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from tests.photos.kinds import ALPHA, COLOUR, GREY, HEIGHT, WIDTH, Shows, cut, kind, rgba, three


def jpeg(path: Path, pixels: Any = COLOUR, **options: Any) -> Shows:
    """A JPEG file of high quality."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, format="JPEG", **{"quality": 97, "subsampling": 0, **options})
    return np.asarray(pixels), 6


KIND_OF_JPEG: dict[str, dict[str, Any]] = {
    "baseline": {},
    "progressive": {"progressive": True},
    "with halved chroma": {"subsampling": 2},
    "stored as RGB": {"keep_rgb": True},
    "with restarts": {"restart_marker_blocks": 1},
}
for _name, _options in KIND_OF_JPEG.items():
    kind(f"{_name}.jpg")(lambda path, options=_options: jpeg(path, **options))  # type: ignore[misc]


@kind("grey.jpg")
def _(path: Path) -> Shows:
    return jpeg(path, GREY)


@kind("cmyk.jpg")
def _(path: Path) -> Shows:
    jpeg(path, Image.fromarray(COLOUR).convert("CMYK"))
    return COLOUR, 8


@kind("ycck.jpg")
def _(path: Path) -> Shows:
    jpeg(path, Image.fromarray(COLOUR).convert("CMYK"))
    _as_ycck(path)
    with Image.open(path) as image:
        assert image.mode == "CMYK"
        return np.asarray(image.convert("RGB")), 0


def _as_ycck(path: Path) -> None:
    """Adobe's mark says: YCCK. The values stay, so that its colours are others."""
    data = bytearray(path.read_bytes())
    data[data.index(b"Adobe") + 11] = 2
    path.write_bytes(data)


def _turned_jpeg(orientation: int) -> None:
    @kind(f"orientation {orientation}.jpg")
    def _(path: Path) -> Shows:
        exif = Image.Exif()
        exif[0x0112] = orientation
        jpeg(path, exif=exif)
        image = Image.fromarray(COLOUR)
        image.getexif()[0x0112] = orientation
        return np.asarray(ImageOps.exif_transpose(image)), 6


for _orientation in range(1, 9):
    _turned_jpeg(_orientation)


@kind("junk for exif.jpg")
def _(path: Path) -> Shows:
    return jpeg(path, exif=b"Exif\0\0junk, of no use")


@kind("exif that ends early.jpg")
def _(path: Path) -> Shows:
    return jpeg(path, exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\1\x12")


@kind("preview behind.jpg")
def _(path: Path) -> Shows:
    images = [Image.fromarray(pixels) for pixels in (COLOUR, GREY)]
    images[0].save(path, "MPO", save_all=True, append_images=images[1:], quality=97, subsampling=0)
    return COLOUR, 6


@kind("more bytes behind.jpg")
def _(path: Path) -> Shows:
    shown = jpeg(path)
    path.write_bytes(path.read_bytes() + b"a film behind the photograph" * 9)
    return shown


@kind("cut short.jpg")
def _(path: Path) -> str:
    jpeg(path)
    return cut(path)


def _with_frame(path: Path, place: int, value: bytes, marker: int = 0xC0) -> None:
    """A JPEG file with other bytes in the header of its frame."""
    jpeg(path)
    data = bytearray(path.read_bytes())
    start = data.index(b"\xff\xc0")
    data[start + 1] = marker
    data[start + place : start + place + len(value)] = value
    path.write_bytes(data)


@kind("of 12 bits.jpg")
def _(path: Path) -> str:
    _with_frame(path, 4, b"\x0c", 0xC1)
    return "is a JPEG file with 12 bits per channel"


@kind("lossless.jpg")
def _(path: Path) -> str:
    _with_frame(path, 4, b"\x08", 0xC3)
    return "is a lossless JPEG file"


@kind("no height.jpg")
def _(path: Path) -> str:
    _with_frame(path, 5, b"\0\0")
    return "has no pixels"


# --- WebP, BMP ------------------------------------------------------------------------------------


@kind("lossy.webp")
def _(path: Path) -> Shows:
    Image.fromarray(COLOUR).save(path, quality=98)
    return COLOUR, 16


@kind("lossless.webp")
def _(path: Path) -> NDArray[Any]:
    Image.fromarray(COLOUR).save(path, lossless=True)
    return COLOUR


@kind("alpha.webp")
def _(path: Path) -> NDArray[Any]:
    Image.fromarray(rgba(COLOUR, ALPHA)).save(path, lossless=True, exact=True)
    return rgba(COLOUR, ALPHA)


@kind("animated.webp")
def _(path: Path) -> str:
    three(path)
    return "holds 3 images; allowed: one"


@kind("cut short.webp")
def _(path: Path) -> str:
    Image.fromarray(COLOUR).save(path, lossless=True)
    return cut(path)


def _bmp(mode: str) -> None:
    @kind(f"of mode {mode}.bmp")
    def _(path: Path) -> NDArray[Any]:
        image = Image.fromarray(COLOUR)
        image = image.quantize(32) if mode == "P" else image.convert(mode)
        image.save(path)
        return np.asarray(image.convert("L" if mode in "1L" else "RGB"))


for _mode in ("1", "L", "P", "RGB"):
    _bmp(_mode)


@kind("of 32 bits.bmp")
def _(path: Path) -> NDArray[Any]:
    Image.fromarray(rgba(COLOUR, ALPHA)).save(path)
    return COLOUR  # in its header nothing says that the fourth byte is alpha


def bmp(path: Path, values: NDArray[Any], masks: tuple[int, ...]) -> None:
    """A BMP file by hand: of each pixel a number, whose masks say where its channels are."""
    content, bits = values[::-1].tobytes(), values.itemsize * 8
    size = 40 if len(masks) == 3 else 108
    head = struct.pack("<IiiHHIIiiII", size, WIDTH, HEIGHT, 1, bits, 3, len(content), 0, 0, 0, 0)
    head = (head + struct.pack(f"<{len(masks)}I", *masks)).ljust(size, b"\0")
    place = 14 + len(head)
    file = struct.pack("<2sIHHI", b"BM", place + len(content), 0, 0, place)
    path.write_bytes(file + head + content)


@kind("with alpha.bmp")
def _(path: Path) -> NDArray[Any]:
    values = np.ascontiguousarray(rgba(COLOUR, ALPHA)[..., [2, 1, 0, 3]]).view("<u4")[..., 0]
    bmp(path, values, (0xFF0000, 0xFF00, 0xFF, 0xFF000000))
    return rgba(COLOUR, ALPHA)


@kind("of 5, 6 and 5 bits.bmp")
def _(path: Path) -> NDArray[Any]:
    red, green, blue = (plane.astype("<u2") for plane in np.moveaxis(COLOUR, -1, 0))
    bmp(path, red >> 3 << 11 | green >> 2 << 5 | blue >> 3, (0xF800, 0x7E0, 0x1F))
    top = [(red >> 3) * 255 // 31, (green >> 2) * 255 // 63, (blue >> 3) * 255 // 31]
    return np.dstack(top).astype(np.uint8)


@kind("cut short.bmp")
def _(path: Path) -> str:
    Image.fromarray(COLOUR).save(path)
    return cut(path)
