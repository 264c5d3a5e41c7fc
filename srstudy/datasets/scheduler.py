"""The connection to the scheduler of a Dask cluster."""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from srstudy.common.errors import InputError

if TYPE_CHECKING:
    from distributed import Client

PROTOCOLS = ("tcp://", "tls://")
ALLOWED = "allowed: tcp://host:8786, or the path of a scheduler file"
ANSWER_S = 5  # longest wait for the scheduler's answer
WORKER_S = 10  # longest wait for the first worker
# Dask's own, and those of its event loop, in which an interrupt can end what has not yet begun.
LOGS = ("distributed", "distributed.client", "tornado.application", "asyncio")


@contextmanager
def connected(address: str, named: str, start: str) -> Iterator["Client"]:
    """A client of a scheduler, for a `with` block.

    address: for example tcp://host:8786, or the path of the scheduler's file; for messages, named:
    where the address was given, and start: how a worker is started. Raises `InputError` if Dask is
    not installed, the scheduler cannot be reached, or it has no worker.
    """
    if find_spec("distributed") is None:
        raise InputError(f"{named}: found {address}, but Dask is not installed; run: make cluster")
    from distributed import Client
    from distributed import TimeoutError as NoWorker

    # Our own line reports errors, so these logs are switched off.
    for name in LOGS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = Client(_scheduler(address), timeout=ANSWER_S)
    except (OSError, ValueError, TypeError) as error:  # TypeError: tls:// without Dask's settings
        what = " ".join(str(error).split())
        raise InputError(f"{named}: found {address}: {what}; {ALLOWED}") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=WORKER_S)
        except NoWorker:
            raise InputError(
                f"{named}: {client.scheduler.address} has no worker; {start}"
            ) from None
        yield client


def _scheduler(address: str) -> str:
    """The address of the scheduler; a relative path is relative to the folder of the project."""
    if address.startswith(PROTOCOLS):
        return address
    if "://" in address:
        raise ValueError("is of another protocol")
    try:
        path = Path(os.environ.get("DVC_ROOT", ".")) / Path(address).expanduser()
        found = json.loads(path.read_text("utf-8"))["address"]
    except RuntimeError as error:  # ~ of an unknown user
        raise ValueError(str(error)) from error
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, str):
        raise ValueError("is not a scheduler file")
    return found
