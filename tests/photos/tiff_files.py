"""TIFF files of each kind."""

import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from tests.photos.kinds import (
    ALPHA,
    COLOUR,
    DEEP,
    DEEP_ALPHA,
    DEEP_GREY,
    GREY,
    Shows,
    cut,
    kind,
    profile,
    rgba,
)


def tiff(path: Path, pixels: NDArray[Any], **kind: Any) -> None:
    """A TIFF file of one image."""
    planar = kind.pop("planarconfig", "contig" if pixels.ndim == 3 else None)
    kind.setdefault("photometric", "rgb" if pixels.ndim == 3 else "minisblack")
    tifffile.imwrite(path, pixels, planarconfig=planar, metadata=None, **kind)


def _simple_tiff(name: str, pixels: NDArray[Any], shown: NDArray[Any] | str, **how: Any) -> None:
    @kind(f"{name}.tif")
    def _(path: Path) -> NDArray[Any] | str:
        tiff(path, pixels, **how)
        return shown


def _multiplied(colours: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    most = np.iinfo(colours.dtype).max
    planes = colours if colours.ndim == 3 else colours[..., None]
    product = np.rint(planes * (alpha[..., None] / most)).astype(colours.dtype)
    return np.dstack([product, alpha])


for _order, _ending in (("<", "little-endian"), (">", "big-endian")):
    for _bits, _grey, _colours in ((8, GREY, COLOUR), (16, DEEP_GREY, DEEP)):
        _base = f"{_bits} bits {_ending}"
        _simple_tiff(f"grey {_base}", _grey, _grey, byteorder=_order)
        _simple_tiff(f"colour {_base}", _colours, _colours, byteorder=_order)
        _most = np.iinfo(_grey.dtype).max
        _simple_tiff(f"0 as white {_base}", _most - _grey, _grey, byteorder=_order,
                     photometric="miniswhite")  # fmt: skip
        _simple_tiff(f"in planes {_base}", np.moveaxis(_colours, -1, 0).copy(), _colours,
                     byteorder=_order, planarconfig="separate", photometric="rgb")  # fmt: skip
for _bits, _grey, _colours, _alpha in (
    (8, GREY, COLOUR, ALPHA),
    (16, DEEP_GREY, DEEP, DEEP_ALPHA),
):
    _base = f"{_bits} bits"
    _simple_tiff(f"deflated {_base}", _colours, _colours, compression="zlib", predictor=True)
    _simple_tiff(f"tiled {_base}", _colours, _colours, tile=(16, 16))
    _simple_tiff(f"in strips {_base}", _colours, _colours, rowsperstrip=5)
    _simple_tiff(f"of 8-byte places {_base}", _colours, _colours, bigtiff=True)
    _simple_tiff(f"alpha {_base}", rgba(_colours, _alpha), rgba(_colours, _alpha),
                 extrasamples=["unassalpha"])  # fmt: skip
    _simple_tiff(f"grey alpha {_base}", np.dstack([_grey, _alpha]), rgba(_grey, _alpha),
                 photometric="minisblack", extrasamples=["unassalpha"])  # fmt: skip
    _simple_tiff(f"fourth channel of nothing {_base}", rgba(_colours, _alpha), _colours,
                 extrasamples=["unspecified"])  # fmt: skip
    _simple_tiff(f"alpha in planes {_base}", np.moveaxis(rgba(_colours, _alpha), -1, 0).copy(),
                 rgba(_colours, _alpha), extrasamples=["unassalpha"], planarconfig="separate",
                 photometric="rgb")  # fmt: skip


def _associated(bits: int, grey: NDArray[Any], colours: NDArray[Any], alpha: NDArray[Any]) -> None:
    for name, plane in (("grey", grey), ("colour", colours)):

        @kind(f"{name} multiplied by alpha {bits} bits.tif")
        def _(path: Path, plane: NDArray[Any] = plane) -> Shows:
            how = "rgb" if plane.ndim == 3 else "minisblack"
            values = _multiplied(plane, alpha)
            tiff(path, values, photometric=how, extrasamples=["assocalpha"])
            return rgba(plane, alpha), 3  # rounded twice; alpha is 100 at the least


_associated(8, GREY, COLOUR, ALPHA)
_associated(16, DEEP_GREY, DEEP, DEEP_ALPHA)
_simple_tiff("alpha and a mask 16 bits", np.dstack([DEEP, DEEP_ALPHA, DEEP_GREY]),
             rgba(DEEP, DEEP_ALPHA), extrasamples=["unassalpha", "unspecified"])  # fmt: skip


@kind("lzw 16 bits.tif")
def _(path: Path) -> NDArray[Any]:
    cv2.imwrite(str(path), DEEP[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 5])
    return DEEP


def _by_pillow(name: str, image: Image.Image, shown: NDArray[Any], off: int, **how: Any) -> None:
    @kind(f"{name}.tif")
    def _(path: Path) -> Shows:
        image.save(path, **how)
        return shown, off


_bilevel = Image.fromarray(GREY).convert("1")
_palette = Image.fromarray(COLOUR).quantize(32)
_by_pillow("lzw", Image.fromarray(COLOUR), COLOUR, 0, compression="tiff_lzw")
_by_pillow("packbits", Image.fromarray(COLOUR), COLOUR, 0, compression="packbits")
_by_pillow("fax", _bilevel, np.asarray(_bilevel.convert("L")), 0, compression="group4")
_by_pillow("palette", _palette, np.asarray(_palette.convert("RGB")), 0)
_by_pillow("jpeg inside", Image.fromarray(COLOUR), COLOUR, 16, compression="jpeg", quality=98)
_by_pillow("ycbcr", Image.fromarray(COLOUR).convert("YCbCr"), COLOUR, 3)
_by_pillow("cmyk", Image.fromarray(COLOUR).convert("CMYK"), COLOUR, 1)
_by_pillow("cmyk with a profile of colours", Image.fromarray(COLOUR).convert("CMYK"), COLOUR, 1,
           icc_profile=profile())  # fmt: skip


def lab(colours: NDArray[np.uint8], deep: bool) -> NDArray[Any]:
    """sRGB as L*a*b* (D50), as TIFF stores it."""
    v = colours / 255
    linear = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
    matrix = [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169],
              [0.0139322, 0.0971045, 0.7141733]]  # fmt: skip
    xyz = linear @ np.transpose(matrix) / [0.96422, 1, 0.82521]
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = np.moveaxis(f, -1, 0)
    most, unit, signed = (65535, 256, np.int16) if deep else (255, 1, np.int8)
    lightness = np.rint((116 * y - 16) * most / 100).astype(np.uint16 if deep else np.uint8)
    rest = np.rint(np.dstack([500 * (x - y), 200 * (y - z)]) * unit).astype(signed)
    return np.dstack([lightness, rest.view(lightness.dtype)])


LAB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


@kind("lab 8 bits.tif")
def _(path: Path) -> Shows:
    tiff(path, lab(COLOUR, False), photometric="cielab", iccprofile=LAB_PROFILE)
    return COLOUR, 6  # as far apart as two neighbours of 8 bits


@kind("lab 16 bits.tif")
def _(path: Path) -> Shows:
    tiff(path, lab(COLOUR, True), photometric="cielab", iccprofile=LAB_PROFILE)
    return COLOUR.astype(np.uint16) * 257, 20


@kind("lab by Pillow.tif")
def _(path: Path) -> Shows:
    spaces = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    image = ImageCms.profileToProfile(Image.fromarray(COLOUR), *spaces, outputMode="LAB")
    assert image is not None
    image.save(path)
    return COLOUR, 6


_simple_tiff("icc lab", lab(COLOUR, False), "holds ICC L*a*b*; allowed", photometric="icclab")
_cmyk_16 = rgba(DEEP, DEEP_GREY)
_simple_tiff("cmyk 16 bits", _cmyk_16, "holds CMYK with 16 bits", photometric="separated")
for _form, _said in (
    (np.int8, "signed values of 8 bits"), (np.int16, "signed values of 16 bits"),
    (np.int32, "signed values of 32 bits"), (np.uint32, "values of 32 bits"),
    (np.float16, "floating-point values of 16 bits"),
    (np.float32, "floating-point values of 32 bits"),
    (np.float64, "floating-point values of 64 bits"),
):  # fmt: skip
    for _what, _values in (("grey", GREY // 2), ("colour", COLOUR // 2)):
        _simple_tiff(f"{_what} of {_form.__name__}", _values.astype(_form),
                     f"holds {_said}; allowed: 8 or 16 bits per channel")  # fmt: skip


@kind("grey of 12 bits.tif")
def _(path: Path) -> str:
    tiff(path, DEEP_GREY)
    _set_tag(path, 258, 12)
    return "holds values of 12 bits; allowed: 8 or 16 bits per channel"


@kind("no width.tif")
def _(path: Path) -> str:
    tiff(path, GREY)
    _set_tag(path, 256, 0)
    return "has no pixels"


@kind("bomb.tif")
def _(path: Path) -> str:
    tiff(path, DEEP_GREY, photometric="miniswhite")
    for tag in (256, 257):
        _set_tag(path, tag, 60_000)
    return "has more than 200000000 pixels"


@kind("rare compression 16 bits.tif")
def _(path: Path) -> str:
    tiff(path, 65535 - DEEP_GREY, photometric="miniswhite")
    _set_tag(path, 259, 5)
    return "holds values of a rare kind, compressed by LZW; allowed: Deflate"


def _set_tag(path: Path, tag: int, value: int) -> None:
    """Another value of a tag, of the first image."""
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages.first.tags[tag].overwrite(value)


def _pages(path: Path, *images: tuple[NDArray[Any], int]) -> None:
    """A TIFF file of several images, each with what it is: 0 one of them, 1 a smaller copy."""
    with tifffile.TiffWriter(path) as file:
        for pixels, subfile in images:
            file.write(pixels, photometric="rgb", subfiletype=subfile, metadata=None)


@kind("thumbnail behind.tif")
def _(path: Path) -> NDArray[Any]:
    _pages(path, (COLOUR, 0), (COLOUR[::4, ::4] // 2, 1))
    return COLOUR


@kind("thumbnail before.tif")
def _(path: Path) -> NDArray[Any]:
    _pages(path, (COLOUR[::4, ::4] // 2, 1), (COLOUR, 0))
    return COLOUR


@kind("thumbnail before 16 bits.tif")
def _(path: Path) -> NDArray[Any]:
    _pages(path, (DEEP[::4, ::4] // 2, 1), (DEEP, 0))
    return DEEP


@kind("mask behind.tif")
def _(path: Path) -> NDArray[Any]:
    _pages(path, (COLOUR, 0), (COLOUR // 2, 2))
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[1].tags[254].overwrite(4)  # type: ignore[union-attr]
    return COLOUR


@kind("marked as a thumbnail, alone.tif")
def _(path: Path) -> NDArray[Any]:
    _pages(path, (COLOUR, 1))
    return COLOUR


@kind("pages.tif")
def _(path: Path) -> str:
    _pages(path, (COLOUR, 0), (COLOUR // 2, 0), (COLOUR // 3, 0), (COLOUR[::4, ::4], 1))
    return "holds 3 images; allowed: one"


@kind("pages 16 bits.tif")
def _(path: Path) -> str:
    _pages(path, (DEEP, 0), (DEEP // 2, 0))
    return "holds 2 images; allowed: one"


@kind("thumbnails alone.tif")
def _(path: Path) -> str:
    _pages(path, (COLOUR, 1), (COLOUR[::4, ::4], 1))
    return "holds only thumbnails"


@kind("orientation 6, white as 0, 16 bits.tif")
def _(path: Path) -> NDArray[Any]:
    tiff(path, 65535 - DEEP_GREY, photometric="miniswhite", extratags=[(274, 3, 1, 6, True)])
    return np.rot90(DEEP_GREY, -1)


def _cut_tiff(name: str, pixels: NDArray[Any], **how: Any) -> None:
    @kind(f"cut short {name}.tif")
    def _(path: Path) -> str:
        tiff(path, pixels, **how)
        return cut(path)


_cut_tiff("8 bits", COLOUR)
_cut_tiff("16 bits", DEEP)
_cut_tiff("white as 0, 16 bits", DEEP_GREY, photometric="miniswhite")
_cut_tiff("white as 0, 16 bits, deflated", DEEP_GREY, photometric="miniswhite", compression="zlib")


@kind("its directory lost.tif")
def _(path: Path) -> str:
    tiff(path, COLOUR)
    path.write_bytes(b"II*\0\xff\xff\xff\x7f" + path.read_bytes()[8:])
    return "is not a complete image"


@kind("a directory that leads to itself.tif")
def _(path: Path) -> NDArray[Any]:
    tiff(path, COLOUR)
    with tifffile.TiffFile(path) as file:
        start = file.pages.first.offset
        count = len(file.pages.first.tags)
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, start + 2 + 12 * count, start)
    path.write_bytes(data)
    return COLOUR
