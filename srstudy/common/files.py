"""Outputs are written completely or not at all. JSON has the same bytes every time."""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from srstudy.common.errors import InputError

# Bytes that HDF5 may still hold in its caches (chunks, file structure) before it writes them.
HELD_BACK = 8 << 20
# The attribute of a network's file (HDF5 or ONNX) that holds the JSON description of the network.
NETWORK_ATTRIBUTE = "network"


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A new folder to write to; it replaces `path` when the block ends without an error.

    If there was a folder before, a kill between the two last renames leaves no `path`: the old
    folder is then `.partial-before-NAME`, complete, and the next call puts it back before it
    begins. Stages that DVC runs never come to this: it removes their outputs before they start.
    """
    partial, before = _partials(path)
    with _as_input_error(path):
        _tidy(path, partial, before)
        partial.mkdir(parents=True)
        try:
            yield partial
            # Renamed in one step. If it were deleted file by file, a kill could leave half of it.
            if path.exists():
                path.rename(before)
            partial.rename(path)
        finally:
            _tidy(path, partial, before)


def _tidy(path: Path, partial: Path, before: Path) -> None:
    """Put the folder before back if there is no `path`; remove what else is left."""
    shutil.rmtree(partial, ignore_errors=True)
    if before.exists():
        # It is renamed before it is deleted: so a folder named `before` is always complete.
        before.rename(partial if path.exists() else path)
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A file name beside `path` to write to; the file replaces `path` if there was no error."""
    partial, _ = _partials(path)
    with _as_input_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def ensure_room(folder: Path, size: int) -> None:
    """Raise OSError if the folder's disk has less free space than `size` bytes.

    Needed for HDF5 files: on a full disk HDF5 reports nothing, and crashes when it closes the file.
    """
    if shutil.disk_usage(folder).free < size + HELD_BACK:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def _as_input_error(path: Path) -> Iterator[None]:
    """An error of the system inside the block, such as a full disk, becomes an `InputError`.

    It names `path`, or the file that the block read, if the error is about that one.
    """
    try:
        yield
    except OSError as error:
        if error.strerror is None:
            raise
        other = error.filename
        if not isinstance(other, str) or _belongs_to(path, Path(other)):
            raise InputError(f"{path}: cannot be written: {error.strerror}") from error
        raise InputError(f"{other}: cannot be read or written: {error.strerror}") from error


def _belongs_to(path: Path, other: Path) -> bool:
    """Whether `other` is a folder above `path`, or is or is in `path` or one of its partials."""
    return path.is_relative_to(other) or any(
        other.is_relative_to(own) for own in (path, *_partials(path))
    )


def _partials(path: Path) -> list[Path]:
    return [path.with_name(f".partial-{before}{path.name}") for before in ("", "before-")]


def write_json(path: Path, content: Any) -> None:
    """Write a complete JSON file, easy to read and to compare: indented, in the given order."""
    with whole_file(path) as partial:
        partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


def read_json(path: Path) -> Any:
    """The content of a JSON file. `InputError` if the file is missing or broken."""
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path}: is not valid JSON: {error}") from error
