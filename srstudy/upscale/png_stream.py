"""PNG files written band by band: this needs almost no memory beyond the image itself.

OpenCV, which writes the PNG files of the pipeline, needs memory for two copies of the image and for
the whole file.
"""

import struct
import zlib
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

BAND = 64  # rows that are compressed together
COLOUR_TYPES = {1: 0, 3: 2, 4: 6}  # by the number of channels: grey, RGB, RGB and alpha
SUB = 1  # the filter: each value minus the value of the pixel before


def write_png_stream(
    file: IO[bytes], pixels: NDArray[Any], chunks: Mapping[bytes, bytes] | None = None
) -> None:
    """Write uint8 or uint16, (H, W), (H, W, 3) RGB or (H, W, 4) RGB and alpha, as PNG.

    chunks: the chunks before the pixels, by name. The same input always gives the same bytes.
    """
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    bits, colours = pixels.itemsize * 8, COLOUR_TYPES[channels]
    file.write(b"\x89PNG\r\n\x1a\n")
    _chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0))
    for name, content in (chunks or {}).items():
        _chunk(file, name, content)
    # Photographs repeat single values, not sequences: a full search takes longer and finds no more.
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)
    for top in range(0, height, BAND):
        rows = _filtered(pixels[top : top + BAND], channels * pixels.itemsize)
        _chunk(file, b"IDAT", packer.compress(rows.data))
    _chunk(file, b"IDAT", packer.flush())
    _chunk(file, b"IEND", b"", empty=True)


def _chunk(file: IO[bytes], name: bytes, content: bytes, empty: bool = False) -> None:
    if content or empty:
        file.write(struct.pack(">I", len(content)) + name)
        file.write(content)
        file.write(struct.pack(">I", zlib.crc32(content, zlib.crc32(name))))


def _filtered(band: NDArray[Any], step: int) -> NDArray[np.uint8]:
    """The bytes of some rows, with the filter type before each row; step: bytes per pixel."""
    ordered = np.ascontiguousarray(band, band.dtype.newbyteorder(">"))
    values = ordered.view(np.uint8).reshape(len(band), -1)
    rows = np.empty((len(band), values.shape[1] + 1), np.uint8)
    rows[:, 0] = SUB
    rows[:, 1 : step + 1] = values[:, :step]
    np.subtract(values[:, step:], values[:, :-step], out=rows[:, step + 1 :])
    return rows
