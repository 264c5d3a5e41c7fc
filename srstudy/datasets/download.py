"""Fetching a registered data set from a mirror, a public address or an installed package.

The environment variable SR_MIRROR can name a mirror, which is tried first: a folder or a URL with
the paths in the `mirror` column of the registry. A file from any source is used only if its SHA-256
is correct.
"""

import importlib.util
import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial as bind
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import pooch
import requests
import urllib3

from srstudy.common.errors import InputError
from srstudy.common.files import whole_folder
from srstudy.common.progress import progress
from srstudy.datasets.registry import DIGITS, PACKAGE, RegisteredFile, read_registry

MIRROR_VARIABLE = "SR_MIRROR"
RETRIES = 2  # after a failed attempt; pooch makes each pause longer
TIMEOUT_S = (10, 30)  # to connect, and between two pieces of the answer
WHOLE_S = 600  # for one whole file, against servers that send too slowly
PIECE = 1 << 16
AT_ONCE = 4  # files at the same time

Item = TypeVar("Item")
Result = TypeVar("Result")


def fetch(dataset: str, folder: Path) -> int:
    """Fetch all files of a data set into a new folder; return their number.

    Raises `InputError` if the data set is unknown, its registry file is wrong, or no source has a
    file with the correct content; then there is no folder.
    """
    rows = read_registry(dataset)
    with whole_folder(folder) as partial:
        for_each_file(bind(_fetch_file, dataset, partial), rows, f"download {dataset}")
    return len(rows)


def for_each_file(
    work: Callable[[threading.Event, Item], Result], items: Sequence[Item], title: str
) -> list[Result]:
    """The results of `work(stop, item)` for all items, in order; several run at the same time.

    stop is set if one of them failed or Ctrl-C was pressed: then the others must stop.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(work, stop, item) for item in items]
        try:
            return [f.result() for f in progress(futures, title, len(items), "file")]
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _fetch_file(dataset: str, folder: Path, stop: threading.Event, row: RegisteredFile) -> None:
    tried = []
    for source in _sources(row):
        failure = try_source(source, folder / row.file, row.size, row.sha256, stop)
        if failure is None:
            return
        tried.append(f"{source} ({failure})")
    what = f"Tried: {'; '.join(tried)}" if tried else "It has no public address"
    raise InputError(f"{dataset}/{row.file} could not be fetched. {what}. {_help(dataset, row)}")


def _help(dataset: str, row: RegisteredFile) -> str:
    if row.url.startswith(PACKAGE):
        return "Run `make setup`: it installs the package version that contains this file."
    without = "leave out the warm-up (mnist.seeds: [])" if dataset == DIGITS else "run `make demo`"
    return (
        f"Either set {MIRROR_VARIABLE} to a folder or URL that holds {row.mirror}, "
        f"or {without}, which needs no download."
    )


def _sources(row: RegisteredFile) -> list[str]:
    """The sources of a file, in the order to try: URLs, `package:...` and paths."""
    public = [row.url] if row.url else []
    mirror = os.environ.get(MIRROR_VARIABLE, "").strip()
    if not mirror or not row.mirror:
        return public
    if "://" in mirror:
        return [f"{mirror.rstrip('/')}/{quote(row.mirror)}", *public]
    # A relative mirror is relative to the folder of the project. In a temporary DVC experiment,
    # this is not the current folder, but DVC gives it in DVC_ROOT.
    root = Path(os.environ.get("DVC_ROOT", "."))
    try:
        return [str(root / Path(mirror).expanduser() / row.mirror), *public]
    except RuntimeError as error:  # ~NAME for an unknown user
        raise InputError(f"{MIRROR_VARIABLE}: found {mirror!r}: {error}") from None


class _BrokenOff(requests.RequestException):
    """The received bytes are not the file, for a short reason. Pooch tries again after it."""


class _Stopped(Exception):
    """This download is no longer needed. Pooch does not try again after it."""


def _download(size: int, stop: threading.Event, url: str, file: str, _: object) -> None:
    """Pooch's downloader with limits of time and bytes; it stops if `stop` is set."""
    if stop.is_set():
        raise _Stopped
    end, left = time.monotonic() + WHOLE_S, size
    as_is = {"Accept-Encoding": "identity"}
    request = requests.get(url, stream=True, timeout=TIMEOUT_S, headers=as_is)
    with request as answer, Path(file).open("wb") as target:
        answer.raise_for_status()
        try:
            # read1 returns the bytes so far. `iter_content` would wait until a piece is full.
            while piece := answer.raw.read1(PIECE):
                left -= len(piece)
                if left < 0:
                    raise _BrokenOff(f"more than its {size} bytes")
                target.write(piece)
                if stop.is_set():
                    raise _Stopped
                if time.monotonic() > end:
                    raise requests.Timeout
        except urllib3.exceptions.HTTPError as error:
            raise _BrokenOff(type(error).__name__) from error


def try_source(
    source: str, target: Path, size: int, sha256: str | None, stop: threading.Event
) -> str | None:
    """Fetch one file from one source; return None if it is correct, else the fault in words.

    source: a URL, `package:PACKAGE/path` or a path. size: the most bytes to accept from a URL.
    sha256: None if any content is allowed.
    """
    try:
        if "://" in source:
            pooch.create(
                path=target.parent,
                base_url="",
                registry={target.name: sha256},
                urls={target.name: source},
                retry_if_failed=RETRIES,
            ).fetch(target.name, downloader=bind(_download, size, stop))
            return None
        path = _in_package(source) if source.startswith(PACKAGE) else Path(source)
        if path is None:
            return "is not installed"
        shutil.copyfile(path, target)
        if sha256 not in (None, pooch.file_hash(str(target), alg="sha256")):
            return "wrong SHA-256"
    except _BrokenOff as error:
        return str(error)
    except requests.HTTPError as error:
        return f"HTTP {getattr(error.response, 'status_code', 'error')}"
    except requests.RequestException as error:
        return type(error).__name__
    except OSError as error:
        return error.strerror or str(error)
    except ValueError as error:  # raised by pooch if the content has another hash
        return "wrong SHA-256" if "hash" in str(error) else str(error)
    return None


def _in_package(address: str) -> Path | None:
    """The path of the file `package:PACKAGE/path`; None if the package is not installed."""
    package, _, path = address.removeprefix(PACKAGE).partition("/")
    # The package is not imported: scikit-image would import a large part of SciPy.
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0]) / path if folders else None
