"""Files whose name says one thing and whose content another."""

import io
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image, features

from tests.photos.jpeg_files import jpeg
from tests.photos.kinds import (
    COLOUR,
    GREY,
    Shows,
    cut,
    kind,
    three,
)
from tests.photos.png_files import as_png


@kind("png by content.jpg")
def _(path: Path) -> NDArray[Any]:
    as_png(COLOUR, 2)(path)
    return COLOUR


@kind("jpeg by content.png")
def _(path: Path) -> Shows:
    return jpeg(path)


def _avif(path: Path) -> Shows | str:
    if not features.check("avif"):
        path.write_bytes(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + b"\0" * 90)
        return "is an AVIF file"
    Image.fromarray(COLOUR).save(path, format="AVIF", quality=98, subsampling="4:4:4")
    return COLOUR, 16


kind("avif by content.jpg")(_avif)
if features.check("avif"):
    kind("avif.avif")(_avif)

    @kind("cut short.avif")
    def _(path: Path) -> str:
        _avif(path)
        return cut(path)

    @kind("damaged.avif")
    def _(path: Path) -> str:
        _avif(path)
        data = bytearray(path.read_bytes())
        start = data.index(b"mdat") + 4
        data[start : start + 16] = b"\xff" * 16
        path.write_bytes(data)
        return "is not a complete image"

    @kind("animated.avif")
    def _(path: Path) -> str:
        three(path)
        return "holds 3 images; allowed: one"


def _other(name: str, content: bytes, found: str) -> None:
    @kind(name)
    def _(path: Path) -> str:
        path.write_bytes(content)
        return found


def _as(form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(COLOUR).save(file, format=form, **options)
    return file.getvalue()


_frames = {"save_all": True, "append_images": [Image.fromarray(GREY)]}
_other("gif.png", _as("GIF"), "is a GIF file")
_other("animated gif.png", _as("GIF", **_frames), "is a GIF file")
_other("heic.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 90, "is a HEIC file")
_other("heic by another brand.jpg", b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "is a HEIC file")
_other("film.jpg", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 90, "is a film")
if features.check("jpg_2000"):
    _other("jpeg 2000.jpg", _as("JPEG2000"), "is a JPEG 2000 file")
_other("jpeg xl.jpg", b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0" * 90, "is a JPEG XL file")
_other("photoshop.png", b"8BPS\0\1" + b"\0" * 90, "is a Photoshop file")
_other("pdf.png", b"%PDF-1.7\n" + b"\0" * 90, "is a PDF file")
_other("page.jpg", b"<!DOCTYPE html><html>404</html>", "is an HTML page")
_other("drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is an SVG file")
_other("exr.tif", b"v/1\x01" + b"\0" * 90, "is an OpenEXR file")
_other("raw.tif", b"II*\0\x10\0\0\0CR\2\0" + b"\0" * 90, "is a camera's raw file")
_other("zip.png", b"PK\3\4" + b"\0" * 90, "is a ZIP file")
_other("empty.png", b"", "is empty")
_other("empty.tif", b"", "is empty")
_other("zeros.jpg", b"\0" * 1000, "is not a complete image")
_other("text.png", b"no image at all\n", "is not a complete image")
_other("one byte.webp", b"R", "is not a complete image")
