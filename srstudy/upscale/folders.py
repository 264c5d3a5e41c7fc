"""Where images lie and where they go: folders, and names that a file system may not take."""

import os
from pathlib import Path

from srstudy.common.errors import InputError
from srstudy.imagefiles.listing import SUFFIXES


def images_in(folder: Path, recursive: bool, without: Path) -> tuple[list[Path], str]:
    """The images of a folder, in the order of their names, and how many folders in it were passed
    over, in words; none of hidden files and folders, nor of the folder `without`.

    recursive: with those of its subfolders, whatever their depth; links to folders are not
    followed. `InputError` names a folder without an image, or that cannot be read.
    """
    images: list[Path] = []
    left: list[Path] = []
    try:
        _collect(folder, recursive, os.path.realpath(without), images, left)
    except OSError as error:
        raise InputError(f"{error.filename or folder}: cannot be read: {error.strerror}") from error
    others = f"linked folders: {len(left)}" if recursive else f"subfolders: {len(left)}"
    if not images:
        more = f", or --recursive; {others}" if left and not recursive else ""
        raise InputError(f"{folder}: holds no image; allowed: {', '.join(SUFFIXES)}{more}")
    return images, f"{others}, passed over" if left else ""


def _collect(
    folder: Path, recursive: bool, without: str, images: list[Path], left: list[Path]
) -> None:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if os.path.realpath(path) == without:
                continue
            if recursive and not path.is_symlink():
                _collect(path, recursive, without, images, left)
            else:
                left.append(path)
        elif path.suffix.lower() in SUFFIXES:
            images.append(path)


def is_folder(path: Path) -> bool:
    """Whether it is a folder, or links to one."""
    try:
        return path.is_dir()
    except OSError:  # too long a name
        return False


def is_file(path: Path) -> bool:
    """Whether it is a file, or links to one."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_there(path: Path) -> bool:
    """Whether a name is taken, by a link to nothing too. `InputError` names one that cannot be."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
    return True
