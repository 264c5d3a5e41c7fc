"""TIFF files: finding the one image of a file, checking its kind, and reading rare kinds.

Pillow reads 8 bits. OpenCV reads 16 bits, interleaved grey or RGB. tifffile reads what both would
refuse or read wrongly.
"""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srstudy.imagefiles.kinds import MAX_PIXELS, TOO_LARGE, Unreadable
from srstudy.imagefiles.lab import srgb_of_lab
from srstudy.imagefiles.tags import Tags, directories

# Tags, by their numbers.
SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT = 254, 255, 256, 257
BITS, COMPRESSION, PHOTOMETRIC = 258, 259, 262
OFFSETS, SAMPLES, COUNTS, PLANAR, INNER, EXTRA, FORMAT = 273, 277, 279, 284, 330, 338, 339
TILE_OFFSETS, TILE_COUNTS = 324, 325
WHITE_IS_0, BLACK_IS_0, RGB, LAB = 0, 1, 2, 8
COLOURS = {3: "a palette", 4: "a mask", 5: "CMYK", 6: "YCbCr", 9: "ICC L*a*b*", 10: "ITU L*a*b*",
           32803: "a camera's raw values", 34892: "a camera's raw values"}  # fmt: skip
CODECS = {1: "", 8: "", 32946: "", 32773: "", 5: "LZW", 6: "JPEG", 7: "JPEG"}  # "": tifffile's own
ASSOCIATED, UNASSOCIATED = 1, 2


@dataclass(frozen=True)
class TiffImage:
    """One image of a file: its number, counted from 0, and its tags."""

    number: int
    tags: Tags

    def numbers(self, tag: int, default: int = 0) -> tuple[int, ...]:
        """The values of a tag."""
        entry = self.tags.get(tag)
        return tuple(map(int, entry.numbers if entry else ())) or (default,)

    def number_of(self, tag: int, default: int = 0) -> int:
        """The first value of a tag."""
        return self.numbers(tag, default)[0]

    @property
    def is_deep(self) -> bool:
        """Whether a channel has 16 bits."""
        return self.numbers(BITS, 1)[0] == 16

    @property
    def is_lab(self) -> bool:
        """Whether the values are L*a*b*."""
        return self.number_of(PHOTOMETRIC) == LAB

    @property
    def alpha(self) -> int:
        """`ASSOCIATED` (colours are premultiplied by alpha), `UNASSOCIATED`, or 0: no alpha."""
        kind = self.number_of(EXTRA)
        return kind if kind in (ASSOCIATED, UNASSOCIATED) else 0

    @property
    def is_for_opencv(self) -> bool:
        """Whether OpenCV reads the 16-bit values correctly."""
        interleaved = self.number_of(PLANAR, 1) == 1
        kind = (self.number_of(PHOTOMETRIC), self.number_of(SAMPLES, 1))
        return interleaved and kind in ((BLACK_IS_0, 1), (RGB, 3), (RGB, 4))


def only_image(data: bytes) -> TiffImage:
    """The one image of a TIFF file; thumbnails and masks are ignored.

    Raises `Unreadable` if there are several images, or if the image's kind is not supported.
    """
    if data[8:10] == b"CR":  # Canon's raw format
        raise Unreadable("is a camera's raw file; allowed: an image made from it")
    found = [TiffImage(number, tags) for number, tags in enumerate(directories(data))]
    whole = [image for image in found if not _is_beside(image)]
    if len(found) == 1 and INNER not in found[0].tags:
        whole = found  # a thumbnail without a larger image is the image itself
    if len(whole) > 1:
        raise Unreadable(f"holds {len(whole)} images; allowed: one")
    if not whole:
        what = "is not a complete image" if not found else "holds only thumbnails"
        raise Unreadable(f"{what}; allowed: one image")
    _refuse_other_kinds(whole[0])
    return whole[0]


def _is_beside(image: TiffImage) -> bool:
    """Whether the image belongs to another one: as its reduced version or its mask."""
    return bool(image.number_of(SUBFILE) & (1 | 4)) or image.number_of(OLD_SUBFILE) == 2


def _refuse_other_kinds(image: TiffImage) -> None:
    formats = set(image.numbers(FORMAT, 1)) - {1, 4}  # 1: unsigned, 4: undefined
    bits, colours = set(image.numbers(BITS, 1)), image.number_of(PHOTOMETRIC)
    said = " and ".join(map(str, sorted(bits)))
    if formats:
        what = "floating-point" if formats & {3, 6} else "signed"
        raise Unreadable(f"holds {what} values of {said} bits; allowed: 8 or 16 bits per channel")
    if len(bits) > 1 or max(bits) > 16 or 8 < max(bits) < 16:
        raise Unreadable(f"holds values of {said} bits; allowed: 8 or 16 bits per channel")
    if image.is_deep and colours not in (WHITE_IS_0, BLACK_IS_0, RGB, LAB):
        what = COLOURS.get(colours, "values of a rare kind")
        raise Unreadable(f"holds {what} with 16 bits; allowed: 8 bits, or RGB or grey")
    if 0 in (image.number_of(WIDTH), image.number_of(HEIGHT)):
        raise Unreadable("has no pixels")
    if image.number_of(WIDTH) * image.number_of(HEIGHT) > MAX_PIXELS:
        raise Unreadable(TOO_LARGE)


def read_tiff(data: bytes, image: TiffImage) -> NDArray[Any]:
    """The pixels of an 8-bit or 16-bit image: (H, W), (H, W, 2) grey and alpha, (H, W, 3 or 4).

    Raises `Unreadable` if the image is truncated, or if its compression needs another reader.
    """
    import logging

    import tifffile  # these imports take a third of a second, and few files need them

    colours = image.number_of(PHOTOMETRIC)
    if colours not in (WHITE_IS_0, BLACK_IS_0, RGB, LAB) or max(image.numbers(BITS, 1)) < 8:
        what = COLOURS.get(colours, "values of a rare kind")
        raise Unreadable(f"holds {what}; allowed: RGB, grey, L*a*b*, 8 or 16 bits per channel")
    codec = CODECS.get(image.number_of(COMPRESSION, 1), "an unsupported method")
    if codec:
        raise Unreadable(
            f"holds values of a rare kind, compressed by {codec}; allowed: Deflate or uncompressed"
        )
    _refuse_cut_short(data, image)
    # Suppress tifffile's messages on stderr: our own error reports the fault.
    logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            pixels: Any = file.pages[image.number].asarray()
    except MemoryError:
        raise
    except Exception as error:  # tifffile's errors for broken files have no other common base
        raise Unreadable("is not a complete image; allowed: an undamaged TIFF file") from error
    return _arranged(pixels, image)


def _refuse_cut_short(data: bytes, image: TiffImage) -> None:
    """Refuse a truncated file: tifffile would return zeros for some missing pixels."""
    places = image.numbers(OFFSETS, 0) if OFFSETS in image.tags else image.numbers(TILE_OFFSETS)
    counts = image.numbers(COUNTS, 0) if COUNTS in image.tags else image.numbers(TILE_COUNTS)
    ends = [place + count for place, count in zip(places, counts, strict=False)]
    if len(places) != len(counts) or not all(counts) or max(ends) > len(data):
        raise Unreadable("is not a complete image; allowed: a file with all strips or tiles")


def _arranged(pixels: NDArray[Any], image: TiffImage) -> NDArray[Any]:
    count = image.number_of(SAMPLES, 1)
    if image.number_of(PLANAR, 1) == 2 and count > 1:
        pixels = np.moveaxis(pixels, 0, -1)
    shape = (image.number_of(HEIGHT), image.number_of(WIDTH), count)
    if pixels.dtype not in (np.uint8, np.uint16) or pixels.size != np.prod(shape):
        raise Unreadable("is not a complete image; allowed: 8 or 16 bits per channel")
    pixels = pixels.reshape(shape)
    own = 3 if image.number_of(PHOTOMETRIC) in (RGB, LAB) else 1
    if count < own:
        raise Unreadable(f"holds {count} channels; allowed: {own} for this kind of colour")
    colours, alpha = pixels[..., :own], pixels[..., own : own + (1 if image.alpha else 0)]
    if image.number_of(PHOTOMETRIC) == WHITE_IS_0:
        colours = np.iinfo(pixels.dtype).max - colours
    if image.is_lab:
        colours = srgb_of_lab(colours)
    elif alpha.size and image.alpha == ASSOCIATED:
        colours = divided_by_alpha(colours, alpha)
    pixels = np.concatenate([colours, alpha], axis=-1)
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels


def divided_by_alpha(colours: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """The colours (H, W, C) that were premultiplied by alpha (H, W, 1)."""
    most = np.iinfo(colours.dtype).max
    whole = colours * (most / np.maximum(alpha, 1))
    return np.rint(np.minimum(whole, most)).astype(colours.dtype)
