"""What a system is asked that not every system answers: each question with an answer elsewhere.

Written for Linux. What macOS lacks (prctl, /proc, the cores of a process) has a fallback here. The
fallbacks are tested on Linux, where the calls are taken away; they were not tested on macOS.
"""

import ctypes
import fcntl
import os
import signal
import sys
import threading
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1  # of linux/prctl.h
LOOK_EVERY_S = 0.5  # for the parent, where the system does not tell of its end
PROCESSOR = Path("/proc/cpuinfo")
# What the NVIDIA driver puts there; a container may have the first alone.
NVIDIA = (Path("/dev/nvidia0"), Path("/proc/driver/nvidia"))


def cores() -> int:
    """How many cores this process may use; where the system does not tell, all of them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def has_nvidia_device() -> bool:
    """Whether the driver of an NVIDIA GPU is at work here."""
    return any(path.exists() for path in NVIDIA)


def processor(description: Path = PROCESSOR) -> dict[str, str]:
    """What Linux says of the first processor, by its keys in lower case; elsewhere {}."""
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
    """Have this process killed when its parent is: else it would work on for nobody.

    DVC, killed, would leave its stage in a folder that may be gone.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)  # killed before we could ask
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_S)
    os._exit(1)


def lock(descriptor: int) -> None:
    """Lock an open file until the process ends, or raise BlockingIOError: another one has it."""
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
