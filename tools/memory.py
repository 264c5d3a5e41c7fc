"""The time of a command, and the largest own memory of any of its processes.

Own memory is the anonymous memory of Linux (RssAnon). The pages of files that are only mapped or
read do not count: the system drops them if it needs memory. Linux does not record the maximum of
RssAnon, so it is sampled.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

EVERY_S = 0.05
PROCESSES = Path("/proc")


@dataclass(frozen=True)
class Measured:
    """The cost of a command. own_mib: of its largest process; output: its stdout."""

    seconds: float
    own_mib: float
    output: str


def measured(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Measured:
    """Run a command in a folder; if it fails, end the program with its whole output."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        ended, start = threading.Event(), time.monotonic()
        # In a new session, by which all its processes are found, also those of its children.
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        with ThreadPoolExecutor(1) as pool:
            largest = pool.submit(_largest, process.pid, ended)
            try:
                status = process.wait()
                seconds = time.monotonic() - start
            finally:
                ended.set()
                if process.returncode is None:  # Ctrl-C does not reach another session
                    os.killpg(process.pid, signal.SIGKILL)
        output.seek(0)
        errors.seek(0)
        if status:
            said = f"{output.read()}{errors.read()}".strip()
            sys.exit(f"{' '.join(command)}: status {status}\n{said}")
        return Measured(seconds, largest.result() / 2**20, output.read())


def own_memory(process: str) -> int:
    """The own memory of a process, in bytes; 0 if the process has ended."""
    with suppress(OSError):
        for line in (PROCESSES / process / "status").read_text("utf-8").splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0


def _largest(session: int, ended: threading.Event) -> int:
    """The largest own memory of a process of a session, in bytes, sampled until it has ended."""
    largest = 0
    while not ended.wait(EVERY_S):
        for process in filter(str.isdigit, (path.name for path in PROCESSES.iterdir())):
            with suppress(ProcessLookupError):
                if os.getsid(int(process)) == session:
                    largest = max(largest, own_memory(process))
    return largest
