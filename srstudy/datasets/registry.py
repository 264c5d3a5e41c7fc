"""The registered data sets: one file data/registry/<name>.tsv each, with one row per file.

Columns: `file`, its name; `bytes` and `sha256`; `url`, its public address, or
`package:PACKAGE/path` for a file of an installed package; `mirror`, its path in a mirror. A file
that also belongs to another set has the mirror path of that set, so that a mirror holds each file
only once. Above the columns are notes, lines that begin with `#`: a description of the set, its
source and its terms.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from srstudy.common.errors import InputError
from srstudy.common.files import whole_file

FOLDER = Path("data/registry")
COLUMNS = ("file", "bytes", "sha256", "url", "mirror")
NOTE = "#"  # the first character of the lines above the columns
PACKAGE = "package:"
DIGITS = "mnist"  # the only data set without images to train or test on
SHOWN = 80  # characters of a wrong value, so that a message is one line


@dataclass(frozen=True)
class RegisteredFile:
    """One row: a file of a data set."""

    file: str
    size: int  # in bytes
    sha256: str
    url: str  # "" if only a mirror has the file
    mirror: str  # "" for a file of a package, which needs no mirror


def is_file_name(text: str) -> bool:
    """Whether it is the name of a visible file, without a path to another folder."""
    return text.isprintable() and not text.startswith(".") and bool(re.fullmatch(r"[^/\\]+", text))


def is_address(text: str) -> bool:
    """Whether it is the http or https address of a file, or `package:PACKAGE/path`."""
    if text.startswith(PACKAGE):
        package, _, path = text.removeprefix(PACKAGE).partition("/")
        return package.isidentifier() and _is_path(path)
    return text.isprintable() and bool(re.fullmatch(r"https?://[^\s/]+/\S+", text))


def _is_path(text: str) -> bool:
    return all(is_file_name(part) for part in text.split("/"))


FILE_NOTE = "a file name that is not hidden, without '/' and '\\'"
ADDRESS_NOTE = "http://..., https://... or package:PACKAGE/path"
ALLOWED: dict[str, tuple[Callable[[str], object], str]] = {
    "file": (is_file_name, FILE_NOTE),
    "bytes": (re.compile(r"[1-9][0-9]{0,14}").fullmatch, "a whole number of at least 1"),
    "sha256": (re.compile(r"[0-9a-f]{64}").fullmatch, "64 hex digits in lower case"),
    "url": (lambda text: not text or is_address(text), f"{ADDRESS_NOTE}, or empty"),
    "mirror": (lambda text: not text or _is_path(text), "a path inside the mirror"),
}


def registry_file(dataset: str) -> Path:
    """The file that registers a data set."""
    return FOLDER / f"{dataset}.tsv"


def registered_names() -> list[str]:
    """The names of all data sets, sorted; the files are only listed, not read."""
    return sorted(path.stem for path in FOLDER.glob("[!.]*.tsv"))


def read_registry(dataset: str) -> list[RegisteredFile]:
    """The files of a data set, in the order of its registry file.

    Raises `InputError` if the data set is unknown, or, with the line, if its file is wrong.
    """
    known = registered_names()
    if dataset not in known:
        allowed = ", ".join(known) or f"none, because {FOLDER} has no file"
        raise InputError(f"dataset {dataset!r} is not known; allowed: {allowed}")
    path = registry_file(dataset)
    above = len(registry_notes(dataset))
    header, *lines = _lines(path)[above:] or [""]
    if header.split("\t") != [*COLUMNS]:
        found, allowed = f"the columns {header!r:.{SHOWN}}", f"{', '.join(COLUMNS)}, with tabs"
        raise _fault(path, above + 1, found, allowed)
    if not lines:
        raise _fault(path, above + 2, "no row", "a row for each file")
    rows: list[RegisteredFile] = []
    first_lines: dict[str, int] = {}
    for number, line in enumerate(lines, above + 2):
        row = _row(path, number, line)
        first = first_lines.setdefault(row.file, number)
        if first != number:
            raise _fault(path, number, f"{row.file!r}, also in line {first}", "each name once")
        rows.append(row)
    return rows


def registry_notes(dataset: str) -> list[str]:
    """The lines above the columns of a data set's registry file; each begins with `#`."""
    return list(takewhile(lambda line: line.startswith(NOTE), _lines(registry_file(dataset))))


def write_registry(dataset: str, rows: Sequence[RegisteredFile], notes: Sequence[str] = ()) -> Path:
    """Write the registry file of a data set, with notes above its columns; return its path."""
    path = registry_file(dataset)
    lines = [*notes, "\t".join(COLUMNS)]
    lines += [f"{r.file}\t{r.size}\t{r.sha256}\t{r.url}\t{r.mirror}" for r in rows]
    with whole_file(path) as partial:
        partial.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def _lines(path: Path) -> list[str]:
    try:
        content = path.read_bytes()
        # Not splitlines(), which also splits at characters that a file name may contain.
        return content.decode("utf-8").replace("\r\n", "\n").removesuffix("\n").split("\n")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _fault(path, line, f"the byte 0x{content[error.start]:02x}", "UTF-8") from None


def _row(path: Path, number: int, line: str) -> RegisteredFile:
    values = line.split("\t")
    if len(values) != len(COLUMNS):
        raise _fault(path, number, f"{len(values)} columns", f"{len(COLUMNS)}, separated by tabs")
    for column, value in zip(COLUMNS, values, strict=True):
        is_allowed, note = ALLOWED[column]
        if not is_allowed(value):
            raise _fault(path, number, f"{column} {value!r:.{SHOWN}}", note)
    file, size, sha256, url, mirror = values
    if not mirror and not url.startswith(PACKAGE):
        raise _fault(path, number, "no mirror", f"no mirror only with {PACKAGE}PACKAGE/path")
    return RegisteredFile(file, int(size), sha256, url, mirror)


def _fault(path: Path, line: int, found: str, allowed: str) -> InputError:
    return InputError(f"{path}: line {line}: found {found}; allowed: {allowed}")
