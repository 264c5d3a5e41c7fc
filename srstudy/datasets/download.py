"""Bringing a registered data set in: from a mirror, a public address or an installed package.

A mirror named by the environment variable SR_MIRROR, a folder or a URL that serves the paths of
the registry's `mirror` column, is asked first. Whatever its source, a file counts only when its
SHA-256 is right.
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
RETRIES = 2  # after a failed try, each with a longer pause (pooch's own)
TIMEOUT_S = (10, 30)  # to connect, and between two pieces of the answer
WHOLE_S = 600  # for one file: a server that drips on and on is given up
PIECE = 1 << 16
AT_ONCE = 4  # files

Item = TypeVar("Item")
Result = TypeVar("Result")


def fetch(dataset: str, folder: Path) -> int:
    """Bring all files of a data set into a new folder, and say how many they are.

    `InputError` if the data set is unknown, its registry file is wrong, or a file can be had
    nowhere with the right content; then there is no folder.
    """
    rows = read_registry(dataset)
    with whole_folder(folder) as partial:
        for_each_file(bind(_fetch_file, dataset, partial), rows, f"download {dataset}")
    return len(rows)


def for_each_file(
    work: Callable[[threading.Event, Item], Result], items: Sequence[Item], title: str
) -> list[Result]:
    """What `work(stop, item)` gives for each item, in their order; some run at the same time.

    stop is set when one has failed or Ctrl-C was pressed: the others shall not go on.
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
    raise InputError(f"{dataset}/{row.file} could not be had. {what}. {_help(dataset, row)}")


def _help(dataset: str, row: RegisteredFile) -> str:
    if row.url.startswith(PACKAGE):
        return "Run `make setup`: it installs the version of the package that ships this file."
    without = "leave the warm-up out (mnist.seeds: [])" if dataset == DIGITS else "run `make demo`"
    return (
        f"Either set {MIRROR_VARIABLE} to a folder or URL that holds {row.mirror}, "
        f"or {without}, which needs no download."
    )


def _sources(row: RegisteredFile) -> list[str]:
    """Where to look for a file, in that order: URLs, `package:...` and paths."""
    public = [row.url] if row.url else []
    mirror = os.environ.get(MIRROR_VARIABLE, "").strip()
    if not mirror or not row.mirror:
        return public
    if "://" in mirror:
        return [f"{mirror.rstrip('/')}/{quote(row.mirror)}", *public]
    # A relative mirror is meant from the project's folder, which in a temporary DVC experiment
    # is not the current one; DVC tells it in DVC_ROOT.
    root = Path(os.environ.get("DVC_ROOT", "."))
    try:
        return [str(root / Path(mirror).expanduser() / row.mirror), *public]
    except RuntimeError as error:  # ~NAME, where nobody has that name
        raise InputError(f"{MIRROR_VARIABLE}: found {mirror!r}: {error}") from None


class _BrokenOff(requests.RequestException):
    """What has come is not the file, for a reason in few words. Pooch tries again after it."""


class _Stopped(Exception):
    """Nobody waits for this download any more. Pooch does not try again after it."""


def _download(size: int, stop: threading.Event, url: str, file: str, _: object) -> None:
    """Pooch's downloader, but bounded in time and bytes, and stopped when nobody waits for it."""
    if stop.is_set():
        raise _Stopped
    end, left = time.monotonic() + WHOLE_S, size
    as_is = {"Accept-Encoding": "identity"}
    request = requests.get(url, stream=True, timeout=TIMEOUT_S, headers=as_is)
    with request as answer, Path(file).open("wb") as target:
        answer.raise_for_status()
        try:
            # read1: what has come so far. `iter_content` would wait for a whole piece of a drip.
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
    """Bring one file from one place; None when it is there and right, else what was wrong.

    source: a URL, `package:PACKAGE/path` or a path. size: the most bytes to take from a URL.
    sha256: None where any content is right.
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
    except ValueError as error:  # pooch's word for content that has another hash
        return "wrong SHA-256" if "hash" in str(error) else str(error)
    return None


def _in_package(address: str) -> Path | None:
    """The file that `package:PACKAGE/path` means; None where there is no such package."""
    package, _, path = address.removeprefix(PACKAGE).partition("/")
    # Found without importing the package: to start scikit-image would start half of SciPy.
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0]) / path if folders else None
