"""Folders of images, and checks of paths that the file system may refuse."""

import os
from pathlib import Path

from srstudy.common.errors import InputError
from srstudy.imagefiles.listing import SUFFIXES


def images_in(folder: Path, recursive: bool, without: Path) -> tuple[list[Path], str]:
    """The images of a folder, sorted by name, and the number of skipped subfolders, in words.

    Hidden files and folders and the folder `without` are ignored. recursive: also the images of
    all subfolders; links to folders are not followed. `InputError` names a folder that has no image
    or cannot be read.
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
    return images, f"{others}, skipped" if left else ""


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
    """Whether it is a folder or a link to one."""
    try:
        return path.is_dir()
    except OSError:  # the name is too long
        return False


def is_file(path: Path) -> bool:
    """Whether it is a file or a link to one."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_there(path: Path) -> bool:
    """Whether a path exists, also as a broken link. `InputError` names an impossible path."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
    return True
