"""The image files of a folder."""

from pathlib import Path

from PIL import features

from srstudy.common.errors import InputError

# Pillow's wheels read AVIF since 11.3; other builds may not.
HAS_AVIF = "avif" in features.modules and bool(features.check("avif"))
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", *[".avif"] * HAS_AVIF)


def list_images(folder: Path) -> list[Path]:
    """The image files of a folder, sorted by name; hidden files are ignored.

    `InputError` if the folder is missing or empty, if it holds anything without an image suffix,
    or if two names differ only in their suffix (an output's name is made from the stem alone).
    """
    try:
        if not folder.is_dir():
            raise InputError(f"{folder}: there is no such folder; allowed: a folder of images")
        paths = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror}") from error
    if not paths:
        raise InputError(f"{folder}: holds no file; allowed: {', '.join(SUFFIXES)}")
    stems: dict[str, Path] = {}
    for path in paths:
        if not _is_utf8(path.name):
            # Output names are made from it, also in JSON and HDF5 files, which need UTF-8.
            raise InputError(f"{str(path)!r}: allowed: a name in UTF-8")
        if path.is_dir() or path.suffix.lower() not in SUFFIXES:
            what = "is a folder" if path.is_dir() else "has no image suffix"
            raise InputError(f"{path}: {what}; allowed: {', '.join(SUFFIXES)}")
        other = stems.setdefault(path.stem, path)
        if other is not path:
            raise InputError(f"{path}: has the same stem as {other.name}; allowed: each stem once")
    return paths


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
