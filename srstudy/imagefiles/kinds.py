"""What a file is that is no image for us, in a few words."""

import struct

# How files of other kinds begin, and their names in a sentence.
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
# Brands of ISO base media files, which name the kind behind "ftyp".
BRANDS = {b"avif": "an AVIF file", b"avis": "an AVIF file", b"crx ": "a camera's raw file"}
IS_AVIF = "is an AVIF file"
HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


class Unreadable(Exception):
    """What is wrong with an image, in words that follow its name."""


def unreadable_kind(data: bytes) -> str | None:
    """What bytes are that no reader takes, as "is a GIF file"; None: a broken image, or anything.

    For a file that has failed, not for a judgement beforehand.
    """
    if not data:
        return "is empty"
    if data[4:8] == b"ftyp":
        kind = "a HEIC file" if data[8:12] in HEIC else BRANDS.get(data[8:12], "a film")
        # Of several brands any may be the one that says it.
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
                return f"is a JPEG file of {data[place + 4]} bits a channel"
            if marker in (0xC3, 0xC7, 0xCB, 0xCF):
                return "is a JPEG file of the lossless kind"
            return "has no pixels" if 0 in struct.unpack_from(">HH", data, place + 5) else None
        place += 2 + length
    return None
