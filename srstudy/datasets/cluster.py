"""The map over the workers of a Dask cluster, which may run on several machines.

The environment variable SR_CLUSTER names the scheduler. Each worker runs in the folder of the
study, which all machines share, and with the same code and packages. So it finds the same files by
the same relative paths and writes the same bytes. This is checked before any work, and again with
each item, because workers may join later.
"""

import hashlib
import json
import pickle
import secrets
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import cv2
import numpy as np
import PIL

from srstudy.common.errors import InputError
from srstudy.common.files import whole_file
from srstudy.datasets.parallel import CLUSTER, UNDER_WAY
from srstudy.datasets.scheduler import connected

if TYPE_CHECKING:
    from distributed import Client, Future

Item = TypeVar("Item")
Result = TypeVar("Result")

LOOK_EVERY_S = 5  # time between two counts of the workers
WITHOUT_WORKERS_S = 60  # longest time without a worker
TOKENS = Path(".dvc/tmp/cluster")
HOW = "start every worker in the study's folder: python -m dask worker ADDRESS"


def _code() -> str:
    """A hash of the study's code and of the package versions that can change pixels.

    A worker computes it at its start.
    """
    versions = [*sys.version_info[:2], np.__version__, cv2.__version__, PIL.__version__]
    whole = hashlib.sha256(json.dumps(versions).encode())
    root = Path(__file__).parents[2]
    for path in sorted([*(root / "srstudy").rglob("*.py"), *(root / "stages").glob("*.py")]):
        whole.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return whole.hexdigest()


CODE = _code()


def map_over(
    address: str, function: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[Result]:
    """`map` over the workers of a cluster: results in order, few items in progress at a time.

    address: of the scheduler, for example tcp://host:8786, or the path of its scheduler file. An
    exception of an item is raised instead of its result. If a worker is killed, other workers
    repeat its items. Raises `InputError` if Dask is not installed, if the scheduler or its workers
    cannot be reached, or if a worker has another folder, other code or other packages.
    """
    with connected(address, CLUSTER, HOW) as client, _token() as token:
        _check(client, token)
        pending: deque[Future] = deque()
        threads = _Threads(client, address)
        try:
            for item in items:
                call = _pickled(_work, token, CODE, function, item)
                pending.append(client.submit(pickle.loads, call, pure=False))
                if len(pending) > UNDER_WAY * threads.number():
                    yield _result(pending.popleft(), threads, address)
            while pending:
                yield _result(pending.popleft(), threads, address)
        finally:
            client.cancel(list(pending))


@contextmanager
def _token() -> Iterator[Path]:
    """A new file in the study's folder: only workers in this folder find it."""
    token = TOKENS / secrets.token_hex(16)
    with whole_file(token) as partial:
        partial.write_text(token.name)
    try:
        yield token
    finally:
        token.unlink(missing_ok=True)


def _check(client: "Client", token: Path) -> None:
    call = _pickled(_fault, token, CODE)
    found = client.run(pickle.loads, call, on_error="return")
    faults = [f"{worker} {_words(fault)}" for worker, fault in sorted(found.items()) if fault]
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise InputError(f"{CLUSTER}: the worker {faults[0]}{more}; {HOW}")
    count = f"{len(found)} worker{'s' * (len(found) != 1)}"
    print(f"on {count} of {client.scheduler.address}", flush=True)


def _words(fault: str | Exception) -> str:
    return fault if isinstance(fault, str) else f"cannot load the study: {fault}"


def _fault(token: Path, code: str) -> str | None:
    """On a worker: how its folder or code differs from the study's, or None."""
    if not token.is_file():
        return f"works in another folder, {Path.cwd()}"
    if code != CODE:
        return "has other code or other packages than the study has now"
    return None


def _work(token: Path, code: str, function: Callable[[Item], Result], item: Item) -> Result:
    if fault := _fault(token, code):
        raise InputError(f"{CLUSTER}: a worker {fault}; {HOW}")
    return function(item)


class _Call:
    """A function call that is executed when its pickle is loaded.

    Dask unpickles a task already in the scheduler, which does not need to have the study's code.
    So the task is only bytes and the function `pickle.loads`.
    """

    def __init__(self, function: Callable[..., Any], arguments: Sequence[Any]) -> None:
        self._call = (function, tuple(arguments))

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call


def _pickled(function: Callable[..., Any], *arguments: Any) -> bytes:
    import cloudpickle  # comes with Dask; it can pickle a stage's own functions, of __main__

    return cloudpickle.dumps(_Call(function, arguments))


class _Threads:
    """The number of threads of all workers together, updated from time to time."""

    def __init__(self, client: "Client", address: str) -> None:
        self._client, self._address = client, address
        self._asked = self._seen = time.monotonic()
        self._number = sum(client.nthreads().values())

    def number(self) -> int:
        """At least 1. Raises `InputError` if there was no worker for a while."""
        now = time.monotonic()
        if now - self._asked >= LOOK_EVERY_S:
            self._asked, self._number = now, sum(self._client.nthreads().values())
        if self._number:
            self._seen = now
        elif now - self._seen > WITHOUT_WORKERS_S:
            raise InputError(f"{CLUSTER}: {self._address} has lost all of its workers; {HOW}")
        return max(1, self._number)


def _result(future: "Future", threads: _Threads, address: str) -> Any:
    from concurrent.futures import CancelledError

    from distributed import KilledWorker, wait
    from distributed import TimeoutError as NotYet

    try:
        while not future.done():
            threads.number()
            try:
                wait([future], timeout=LOOK_EVERY_S)
            except NotYet:
                continue
        return future.result()
    except KilledWorker:
        raise InputError(
            f"{CLUSTER}: the workers of {address} were killed repeatedly at the same item: "
            "do they have enough memory?"
        ) from None
    except (CancelledError, OSError) as error:
        if isinstance(error, OSError) and future.status == "error":
            raise  # the error of the item itself
        raise InputError(f"{CLUSTER}: the scheduler {address} has ended") from None
