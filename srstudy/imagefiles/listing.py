"""The image files of a folder."""

from pathlib import Path

from PIL import features

from srstudy.common.errors import InputError

# Pillow's wheels have it since 11.3, other builds may not.
HAS_AVIF = "avif" in features.modules and bool(features.check("avif"))
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", *[".avif"] * HAS_AVIF)


def list_images(folder: Path) -> list[Path]:
    """The image files of a folder in the order of their names; hidden files are passed over.

    `InputError` names a folder that is missing or empty, what in it is not an image by its suffix,
    and two files that differ in suffix only: outputs are named by the stem.
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
            # Outputs are named by it, in JSON and HDF5 files, which hold UTF-8 alone.
            raise InputError(f"{str(path)!r}: allowed: a name in UTF-8")
        if path.is_dir() or path.suffix.lower() not in SUFFIXES:
            what = "a folder" if path.is_dir() else "not an image by its suffix"
            raise InputError(f"{path}: is {what}; allowed: {', '.join(SUFFIXES)}")
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
