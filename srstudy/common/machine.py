"""Questions to the operating system that only Linux answers, each with a fallback.

macOS lacks prctl, /proc and the list of cores that a process may use. The fallbacks are tested on
Linux, with these calls removed; they were not tested on macOS.
"""

import ctypes
import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PR_SET_PDEATHSIG = 1  # of linux/prctl.h
LOOK_EVERY_S = 0.5  # time between two looks for the parent process, without prctl
PROCESSOR = Path("/proc/cpuinfo")
# Made by the NVIDIA driver; a container may have only the first.
NVIDIA = (Path("/dev/nvidia0"), Path("/proc/driver/nvidia"))


def cores() -> int:
    """The number of cores that this process may use; of all cores, if the system does not tell."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def one_core() -> Iterator[None]:
    """For a `with` block: the libraries that count the cores meanwhile find one, and start as many
    threads. Without effect, if the system lets no process choose its cores."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def has_nvidia_device() -> bool:
    """Whether this machine has the driver of an NVIDIA GPU."""
    return any(path.exists() for path in NVIDIA)


def processor(description: Path = PROCESSOR) -> dict[str, str]:
    """Linux's description of the first processor, with keys in lower case; {} on other systems."""
    said: dict[str, str] = {}
    try:
        lines = description.read_text("utf-8", "replace").splitlines()
    except OSError:
        return said
    for line in lines:
        key, _, value = line.partition(":")
        said.setdefault(key.strip().lower(), value.strip())
    return said


def end_with(parent: int) -> None:
    """Make sure that this process is killed when its parent process ends.

    If only DVC were killed, its stage would run on, in a folder that may no longer exist. parent:
    the process id of the parent.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)  # the parent ended before the call of prctl
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_S)
    os._exit(1)


def lock(descriptor: int) -> None:
    """Lock an open file until this process ends; BlockingIOError if another process has done so."""
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
