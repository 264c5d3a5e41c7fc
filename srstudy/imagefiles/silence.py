"""Suppresses messages while images are read, in one thread or in several: our own errors say it."""

import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager


class Silence:
    """Keeps a block of the whole process from the first thread that enters until the last has left.

    Such a block is made for one thread. If two threads overlap, the last to leave would restore
    the state that it found, that of the other thread: messages would stay suppressed forever.
    """

    def __init__(self, block: Callable[[], AbstractContextManager[object]]) -> None:
        self._block, self._lock, self._inside = block, threading.Lock(), 0
        self._held = ExitStack()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """A block without messages."""
        with self._lock:
            if not self._inside:
                self._held.enter_context(self._block())
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    self._held.close()


@contextmanager
def _without_stderr() -> Iterator[None]:
    """Libraries in C write there, past Python."""
    try:
        kept = os.dup(2)
    except OSError:  # the process has no stderr
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


silently = Silence(lambda: warnings.catch_warnings(action="ignore"))
# Of libtiff, which names no file and writes a line for each broken strip.
without_stderr = Silence(_without_stderr)
