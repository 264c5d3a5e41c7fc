"""Points of a sweep on the workers of a Dask cluster, each in its own clone of the study.

A worker needs the packages of the study and of `make cluster`, and access to the git remote and the
DVC remote. It does not need this folder: this module is sent to the worker. So it imports modules
of the study only on the client's side, inside functions.
"""

import ctypes
import fcntl
import hashlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CLONES = "~/.cache/sr-study/clones"
SECONDS = 10  # longest time to reach the scheduler


def on_workers(address: str, orders: Mapping[str, Any], done: Callable[[str, str], None]) -> None:
    """Run all orders, by the names of their points; call `done(name, fault)` when each one ends.

    fault: empty after success. If a worker is killed, another one repeats its point. Raises
    `InputError` if Dask is not installed or no scheduler answers.
    """
    from srstudy.common.errors import InputError

    try:
        import cloudpickle
        from distributed import Client, as_completed
    except ImportError as error:
        raise InputError(f"--cluster: found no package {error.name}; run: make cluster") from error
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    try:
        client = Client(address, timeout=SECONDS)
    except (OSError, ValueError) as error:
        what = str(error).partition("\n")[0]
        raise InputError(f"--cluster {address}: no scheduler answers: {what}") from error
    with client:
        futures = {
            # A lambda cannot be imported by name, so Dask sends it together with this module.
            client.submit(lambda order: work(order), order, key=f"{name}-{os.getpid()}"): name
            for name, order in orders.items()
        }
        ending, waiting = as_completed(futures), False
        while ending.count():
            for future in ending.next_batch(block=False):
                # Faults of Dask itself: all workers of a point died, or the scheduler ended.
                fault = future.result() if future.status == "finished" else _words(future)
                done(futures[future], fault)
            alone = not client.scheduler_info(n_workers=1)["workers"]
            if alone and not waiting:
                print(f"{address}: has no workers now; the points wait for workers", flush=True)
            waiting = alone
            time.sleep(SECONDS / 10)


def _words(future: Any) -> str:
    try:
        what = f"{future.exception()!r}"
    except BaseException as error:  # Dask raises the error of a cancelled future
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        what = f"{error!r}"
    return f"Dask gave up: {what.partition(chr(10))[0]}"


def work(order: Mapping[str, Any]) -> str:
    """On a worker: run one point in a free clone and share it; return the fault, "" if none.

    order: `url`, `commit`, `who` (git's settings), `clones`, `grid` (the sweep's text), `part`.
    """
    where = hashlib.sha256(order["url"].encode()).hexdigest()[:8]
    clones = Path(order["clones"]).expanduser() / f"{socket.gethostname()}-{where}"
    clones.mkdir(parents=True, exist_ok=True)
    log = clones / f"{order['name']}.log"
    with _free_clone(clones) as clone, log.open("w") as said:
        try:
            _at_commit(clone, order, clones / "cache", said)
        except subprocess.CalledProcessError:
            # A killed git can leave a broken clone.
            shutil.rmtree(clone, ignore_errors=True)
            try:
                _at_commit(clone, order, clones / "cache", said)
            except subprocess.CalledProcessError as error:
                return f"{' '.join(error.cmd)}: failed; {_where(log)}"
        grid = clone / ".dvc/tmp/sweep.yaml"
        grid.parent.mkdir(exist_ok=True)
        grid.write_text(order["grid"], "utf-8")
        command = [sys.executable, "-m", "tools.sweep", str(grid), "--part", order["part"]]
        try:
            _run([*command, "--share"], clone, said)
        except subprocess.CalledProcessError:
            lines = log.read_text("utf-8", errors="replace").splitlines()
            found = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
            return f"{found[0] if found else 'it ended without a message'}; {_where(log)}"
    return ""


def _where(log: Path) -> str:
    return f"its whole output: {log} on {socket.gethostname()}"


@contextmanager
def _free_clone(clones: Path) -> Iterator[Path]:
    """The folder of the first clone that is not in use; the lock ends with this process."""
    for number in itertools.count(1):
        with (clones / f"{number}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield clones / str(number)
            return


def _at_commit(clone: Path, order: Mapping[str, Any], cache: Path, said: Any) -> None:
    """Make the clone if it is missing, and check out the commit."""
    if not (clone / ".git").is_dir():
        _run(["git", "clone", "--no-checkout", order["url"], str(clone)], clone.parent, said)
    for left in (clone / ".git").glob("*.lock"):  # from a killed git; no other process works here
        left.unlink()
    for key, value in order["who"].items():
        _run(["git", "config", key, value], clone, said)
    _run(["git", "fetch", "origin"], clone, said)
    _run(["git", "checkout", "--force", "--detach", order["commit"]], clone, said)
    if not (clone / ".dvc/config.local").is_file():
        # All clones of this machine share one cache: data are made or fetched only once.
        _run(["dvc", "config", "--local", "cache.dir", str(cache)], clone, said)


def _run(command: list[str], folder: Path, said: Any) -> None:
    """Run a command that ends with this worker; its output goes to `said`."""
    parent = os.getpid()
    prctl = ctypes.CDLL(None).prctl  # loaded here: the new process must not wait for a lock

    def bound() -> None:
        prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)

    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        command,
        cwd=folder,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=said,
        env={**os.environ, "PATH": path},
        preexec_fn=bound,
    )
