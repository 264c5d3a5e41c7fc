"""The kind of a file that cannot be read as an image, for error messages."""

import struct

MAX_PIXELS = 200_000_000  # a larger image would need gigabytes of memory in every stage
TOO_LARGE = f"has more than {MAX_PIXELS} pixels"

# The first bytes of other kinds of files, and the name of each kind.
BEGINNINGS = {
    b"GIF8": "a GIF file",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 file",
    b"\xff\x4f\xff\x51": "a JPEG 2000 file",
    b"\0\0\0\x0cJXL ": "a JPEG XL file",
    b"\xff\x0a": "a JPEG XL file",
    b"8BPS": "a Photoshop file",
    b"%PDF": "a PDF file",
    b"v/1\x01": "an OpenEXR file",
    b"#?RA": "a Radiance HDR file",
    b"FUJIFILM": "a camera's raw file",
    b"\0\0\x01\0": "an icon file",
    b"PK\x03\x04": "a ZIP file",
    b"\x1f\x8b": "a gzip file",
    b"<svg": "an SVG file",
    b"<!DO": "an HTML page",
    b"<!do": "an HTML page",
    b"<htm": "an HTML page",
}
# Brands of ISO base media files: the four bytes after "ftyp" tell the kind.
BRANDS = {b"avif": "an AVIF file", b"avis": "an AVIF file", b"crx ": "a camera's raw file"}
IS_AVIF = "is an AVIF file"
HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


class Unreadable(Exception):
    """An image that cannot be read. The message follows the file's name."""


def unreadable_kind(data: bytes) -> str | None:
    """What a file that failed to load is, such as "is a GIF file"; None: broken or unknown.

    Only for files that failed: it cannot tell whether a file is readable.
    """
    if not data:
        return "is empty"
    if data[4:8] == b"ftyp":
        kind = "a HEIC file" if data[8:12] in HEIC else BRANDS.get(data[8:12], "a film")
        # A file may list several brands; any of them may be AVIF's.
        listed = data[16 : int.from_bytes(data[:4])]
        return f"is {BRANDS[b'avif'] if b'avif' in listed else kind}"
    for beginning, kind in BEGINNINGS.items():
        if data.startswith(beginning):
            return f"is {kind}"
    if data[12:16] == b"IHDR" and 0 in struct.unpack_from(">II", data.ljust(24, b"\1"), 16):
        return "has no pixels"
    return _of_jpeg(data) if data[:3] == b"\xff\xd8\xff" else None


def _of_jpeg(data: bytes) -> str | None:
    place = 2
    while data[place : place + 1] == b"\xff" and place + 10 < len(data):
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # start of frame
            if data[place + 4] != 8:
                return f"is a JPEG file with {data[place + 4]} bits per channel"
            if marker in (0xC3, 0xC7, 0xCB, 0xCF):
                return "is a lossless JPEG file"
            return "has no pixels" if 0 in struct.unpack_from(">HH", data, place + 5) else None
        place += 2 + length
    return None
