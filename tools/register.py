"""Register a data set: write data/registry/NAME.tsv, with the size and SHA-256 of every file.

python -m tools.register NAME FOLDER [--url BASE]
python -m tools.register NAME LIST

FOLDER has the files; BASE is the public address of this folder. Without BASE, the rows have no
address, and only a mirror (SR_MIRROR) can provide the set. LIST is a text file with one address per
line (http://..., https://... or package:PACKAGE/path); empty lines and lines that start with # are
skipped. Every address is tried, and every file is read completely. If anything is wrong, nothing is
written. Notes, lines above the columns that begin with #, are written by hand; --force keeps them.
"""

import argparse
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial as bind
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote, unquote

import pooch
from pydantic import TypeAdapter, ValidationError

from srstudy.common.errors import InputError
from srstudy.common.running import run
from srstudy.datasets.download import MIRROR_VARIABLE, for_each_file, try_source
from srstudy.datasets.registry import (
    ADDRESS_NOTE,
    FILE_NOTE,
    PACKAGE,
    RegisteredFile,
    is_address,
    is_file_name,
    read_registry,
    registered_names,
    registry_file,
    registry_notes,
    write_registry,
)
from srstudy.datasets.settings import NAME_NOTE, Name
from srstudy.imagefiles.listing import SUFFIXES
from srstudy.imagefiles.reading import read_image

LARGEST = 1 << 30  # bytes: limit for a file of unknown size


@dataclass(frozen=True)
class Candidate:
    """A file to be registered."""

    where: str  # its name in error messages
    file: str
    url: str  # "" if there is none
    path: Path | None = None  # None: it is downloaded from its url


@dataclass(frozen=True)
class Content:
    """The content of a candidate, or the reason why it is refused."""

    size: int = 0  # in bytes
    sha256: str = ""
    fault: str = ""  # "" if it is accepted


def main() -> None:
    """Check all files, then write the registry file or name every fault."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog="docs/guide/extending.md, 'A data set', has an example.",
    )
    parser.add_argument("name", help="the name of the data set in params.yaml")
    parser.add_argument("source", type=Path, help="a folder of files, or a list of addresses")
    parser.add_argument("--url", default="", help="the public address of the folder")
    parser.add_argument("--any", action="store_true", help="also accept files that are not images")
    parser.add_argument("--force", action="store_true", help="replace a set's files, not its notes")
    arguments = parser.parse_args()
    pooch.get_logger().setLevel("WARNING")  # its lines name temporary files

    name, source = arguments.name, arguments.source
    check_name(name, taken=not arguments.force)
    if source.is_dir():
        candidates = list(in_folder(source, arguments.url))
    elif arguments.url:
        raise InputError(f"--url: is only for a folder; {source} is not a folder")
    else:
        candidates = list(in_list(source))
    places = mirror_places(name)
    contents = examined(name, candidates, images=not arguments.any)
    rows = [_row(name, *both, places) for both in zip(candidates, contents, strict=True)]
    notes = registry_notes(name) if name in registered_names() else []
    path = write_registry(name, rows, notes)
    print("\n".join(report(path, name, rows)))


def check_name(name: str, taken: bool) -> None:
    """Raise `InputError` for a name that params.yaml would refuse, or that exists already."""
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        raise InputError(f"NAME: found {name!r}; allowed: {NAME_NOTE}") from None
    if taken and name in registered_names():
        raise InputError(f"{registry_file(name)}: exists already; --force replaces it")


def in_folder(folder: Path, base: str) -> Iterator[Candidate]:
    """The files of a folder, sorted by name; hidden files are skipped."""
    base = base.rstrip("/")
    if base and (not re.match("https?:", base) or not is_address(f"{base}/x")):
        raise InputError(f"--url: found {base!r}; allowed: http://... or https://...")
    try:
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror}") from error
    if not paths:
        raise InputError(f"{folder}: holds no file")
    for path in paths:
        url = f"{base}/{quote(path.name, errors='surrogateescape')}" if base else ""
        yield Candidate(_shown(str(path)), path.name, url, path)


def in_list(path: Path) -> Iterator[Candidate]:
    """The files of a list of addresses, in its order."""
    try:
        lines = [line.strip() for line in path.read_text("utf-8").split("\n")]
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: is neither a folder nor a list of addresses: {why}") from error
    addresses = [(n, line) for n, line in enumerate(lines, 1) if line and line[0] != "#"]
    if not addresses:
        raise InputError(f"{path}: holds no address; allowed: {ADDRESS_NOTE}, one per line")
    for number, url in addresses:
        file = unquote(re.split("[?#]", url)[0].rpartition("/")[2])
        yield Candidate(f"{path}: line {number}: {_shown(url)}", file, url)


def _shown(text: str) -> str:
    return text if text.isprintable() else repr(text)


def mirror_places(name: str) -> dict[str, str]:
    """The mirror paths of the files of all other data sets, by their SHA-256."""
    others = [row for other in registered_names() if other != name for row in read_registry(other)]
    return {row.sha256: row.mirror for row in others if row.mirror}


def examined(name: str, candidates: Sequence[Candidate], images: bool) -> list[Content]:
    """The contents of all candidates; `InputError` has a line for each that is refused.

    images: whether each file must be a readable image.
    """
    with TemporaryDirectory() as folder:
        work = bind(_content, Path(folder), images)
        contents = for_each_file(work, list(enumerate(candidates)), f"register {name}")
    faults = []
    firsts: dict[tuple[str, str], Candidate] = {}
    for candidate, content in zip(candidates, contents, strict=True):
        fault = content.fault
        keys = [("name", candidate.file), ("content", content.sha256)]
        if images:  # the stages name their files by the stem of an image
            keys.insert(1, ("name without the suffix", Path(candidate.file).stem))
        for kind, key in keys:
            first = firsts.setdefault((kind, key), candidate)
            if first is not candidate and not fault:
                fault = f"has the same {kind} as {first.where}; allowed: each once"
        if fault:
            faults.append(f"{candidate.where}: {fault}")
    if faults:
        raise InputError("\n".join(faults))
    return contents


def _content(
    folder: Path, images: bool, stop: threading.Event, numbered: tuple[int, Candidate]
) -> Content:
    number, candidate = numbered
    fault = _name_fault(candidate, images)
    if fault:
        return Content(fault=fault)
    downloaded = folder / str(number)  # by number: two addresses may end in the same name
    path = candidate.path or downloaded
    try:
        if candidate.path is None:
            failure = try_source(candidate.url, downloaded, LARGEST, None, stop)
            if failure:
                return Content(fault=f"could not be fetched ({failure})")
        if not path.is_file() or not path.stat().st_size:
            return Content(fault="is empty" if path.is_file() else "is not a file")
        content = Content(path.stat().st_size, pooch.file_hash(str(path), alg="sha256"))
        if images:
            read_image(path)
        if candidate.path and candidate.url:
            its = (content.size, content.sha256)
            failure = try_source(candidate.url, downloaded, *its, stop)
            if failure:
                return Content(*its, f"{candidate.url} could not be fetched ({failure})")
        return content
    except OSError as error:
        return Content(fault=f"cannot be read: {error.strerror}")
    except InputError as error:
        return Content(fault=str(error).removeprefix(f"{path}: "))
    finally:
        downloaded.unlink(missing_ok=True)


def _name_fault(candidate: Candidate, images: bool) -> str:
    if candidate.path is None and not is_address(candidate.url):
        return f"is not an address; allowed: {ADDRESS_NOTE}"
    if not is_file_name(candidate.file):
        return f"has the file name {candidate.file!r}; allowed: {FILE_NOTE}"
    if images and Path(candidate.file).suffix.lower() not in SUFFIXES:
        return f"has no image suffix; allowed: {', '.join(SUFFIXES)} (or any, with --any)"
    return ""


def _row(
    name: str, candidate: Candidate, content: Content, places: Mapping[str, str]
) -> RegisteredFile:
    file, url = candidate.file, candidate.url
    place = places.get(content.sha256, f"{name}/{file}")
    in_package = url.startswith(PACKAGE)
    return RegisteredFile(file, content.size, content.sha256, url, "" if in_package else place)


def report(path: Path, name: str, rows: Sequence[RegisteredFile]) -> Iterator[str]:
    """Lines about the registered set and the next steps."""
    yield f"{path}: {len(rows)} files, {sum(row.size for row in rows)} bytes"
    others = [row for row in rows if row.mirror and row.mirror != f"{name}/{row.file}"]
    if others:
        yield f"{len(others)} of them are also in other sets: a mirror keeps each file only once"
    if not all(row.url for row in rows):
        example = next(row.mirror for row in rows if not row.url)
        yield (
            f"no public addresses: it can be downloaded only if {MIRROR_VARIABLE} names a folder "
            f"or URL that holds {example} and the other files"
        )
    yield f"now add {name} to `datasets` in params.yaml, and the file to git: git add {path}"


if __name__ == "__main__":
    run(main)
