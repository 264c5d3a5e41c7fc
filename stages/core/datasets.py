"""The datasets that can be fetched: those of data/registry.tsv, and the embedded photographs.

The registry has a row for each file: its SHA-256 and its public address. A mirror named by the
environment variable SR_MIRROR, a folder or a URL that serves `<dataset>/<file>`, is asked first.
Whatever its source, a file counts only when its SHA-256 is right.
"""

import csv
import importlib.util
import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial as bind
from pathlib import Path

import pooch
import requests
import urllib3

from stages.core.errors import InputError
from stages.core.files import whole_folder
from stages.core.progress import progress

REGISTRY = Path("data/registry.tsv")
MIRROR_VARIABLE = "SR_MIRROR"
RETRIES = 2  # after a failed try, each with a longer pause (pooch's own)
TIMEOUT_S = (10, 30)  # to connect, and between two pieces of the answer
WHOLE_S = 600  # for one file: a server that drips on and on is given up
PIECE = 1 << 16

# Photographs that scikit-image ships in its wheel.
EMBEDDED = {
    "sample": (
        "chelsea.png",
        "rocket.jpg",
        "motorcycle_left.png",
        "hubble_deep_field.jpg",
        "ihc.png",
        "brick.png",
        "gravel.png",
    ),
    "sample-test": ("astronaut.png", "coffee.png", "camera.png"),
}


@dataclass(frozen=True)
class RemoteFile:
    """One row of the registry."""

    dataset: str
    file: str
    size: int  # in bytes
    sha256: str
    url: str


def read_registry(path: Path = REGISTRY) -> list[RemoteFile]:
    """All rows of the registry."""
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t"))
        return [
            RemoteFile(r["dataset"], r["file"], int(r["bytes"]), r["sha256"], r["url"])
            for r in rows
        ]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"{path}: is no registry (dataset, file, bytes, sha256, url): {error}"
        ) from error


def registered_names() -> list[str]:
    """The names of the registry's datasets."""
    return list(dict.fromkeys(row.dataset for row in read_registry()))


def fetch(dataset: str, folder: Path) -> int:
    """Bring all files of a dataset into a new folder, and say how many they are.

    `InputError` if the dataset is unknown, or a file can be had nowhere with the right content.
    """
    if dataset in EMBEDDED:
        return _copy_embedded(dataset, folder)
    rows = [row for row in read_registry() if row.dataset == dataset]
    if not rows:
        known = ", ".join([*registered_names(), *EMBEDDED])
        raise InputError(f"dataset {dataset!r} is not known; allowed: {known}")
    stop = threading.Event()
    with whole_folder(folder) as partial, ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(_fetch_file, row, partial, stop) for row in rows]
        try:
            for future in progress(futures, f"download {dataset}", len(rows), "file"):
                future.result()
        finally:
            stop.set()  # one has failed, or Ctrl-C: the others do not go on
            pool.shutdown(wait=True, cancel_futures=True)
    return len(rows)


def _copy_embedded(dataset: str, folder: Path) -> int:
    # Found without importing the package: that would start half of SciPy.
    spec = importlib.util.find_spec("skimage")
    assert spec is not None and spec.origin is not None
    source = Path(spec.origin).parent / "data"
    with whole_folder(folder) as partial:
        for name in EMBEDDED[dataset]:
            shutil.copyfile(source / name, partial / name)
    return len(EMBEDDED[dataset])


def _fetch_file(row: RemoteFile, folder: Path, stop: threading.Event) -> None:
    tried = []
    for source in _sources(row):
        failure = _try_source(source, row, folder, stop)
        if failure is None:
            return
        tried.append(f"{source} ({failure})")
    raise InputError(
        f"{row.dataset}/{row.file} could not be had. Tried: {'; '.join(tried)}. Either set "
        f"{MIRROR_VARIABLE} to a folder or URL that holds {row.dataset}/{row.file}, "
        "or run `make demo`, which needs no download."
    )


def _sources(row: RemoteFile) -> list[str]:
    mirror = os.environ.get(MIRROR_VARIABLE, "").strip()
    if not mirror:
        return [row.url]
    if "://" in mirror:
        return [f"{mirror.rstrip('/')}/{row.dataset}/{row.file}", row.url]
    # A relative mirror is meant from the project's folder, which in a temporary DVC experiment
    # is not the current one; DVC tells it in DVC_ROOT.
    root = Path(os.environ.get("DVC_ROOT", "."))
    return [str(root / Path(mirror).expanduser() / row.dataset / row.file), row.url]


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


def _try_source(source: str, row: RemoteFile, folder: Path, stop: threading.Event) -> str | None:
    """Fetch one file from one place; None when it is there and right, else what was wrong."""
    target = folder / row.file
    try:
        if "://" not in source:
            shutil.copyfile(source, target)
            if pooch.file_hash(str(target), alg="sha256") != row.sha256:
                return "wrong SHA-256"
        else:
            pooch.create(
                path=folder,
                base_url="",
                registry={row.file: row.sha256},
                urls={row.file: source},
                retry_if_failed=RETRIES,
            ).fetch(row.file, downloader=bind(_download, row.size, stop))
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
