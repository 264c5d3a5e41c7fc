"""Outputs that appear whole or not at all, and JSON that is the same bytes every time."""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from srstudy.common.errors import InputError

# What HDF5 may hold back before it writes: its caches of chunks and of the file's structure.
HELD_BACK = 8 << 20
# The name under which a file of a network, HDF5 or ONNX, has the JSON that describes it.
NETWORK_ATTRIBUTE = "network"


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A new folder to write into; it takes the place of `path` when the block ends well."""
    partial, before = (path.with_name(f".partial-{kind}{path.name}") for kind in ("", "before-"))
    with _clear_words(path):
        for left in (partial, before):
            shutil.rmtree(left, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            yield partial
            # Moved away at once, not deleted file by file: a kill would leave half of it.
            if path.exists():
                path.rename(before)
            partial.rename(path)
        finally:
            for left in (partial, before):
                shutil.rmtree(left, ignore_errors=True)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to; the file takes the place of `path` when all went well."""
    partial = path.with_name(f".partial-{path.name}")
    with _clear_words(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def ensure_room(folder: Path, size: int) -> None:
    """Raise OSError where a disk has no room for so many bytes.

    For HDF5 files: where the disk is full, HDF5 does not report it but crashes when it closes the
    file.
    """
    if shutil.disk_usage(folder).free < size + HELD_BACK:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def _clear_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.strerror is None:
            raise
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error


def write_json(path: Path, content: Any) -> None:
    """Write JSON whole, for people and for diffs: indented, in the order given."""
    with whole_file(path) as partial:
        partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


def read_json(path: Path) -> Any:
    """The content of a JSON file; `InputError` names a file that is missing or broken."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON: {error}") from error
