"""Suppresses Python's warnings while images are read, in one thread or in several."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


class Silence:
    """Suppresses warnings from the first thread that enters until the last thread has left.

    `warnings.catch_warnings` is made for one thread. If two threads overlap, the last to leave
    would restore the state that it found, the suppression of the other thread: warnings would stay
    suppressed forever.
    """

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """A block without warnings."""
        with self._lock:
            if not self._inside:
                self._warnings = warnings.catch_warnings(action="ignore")
                self._warnings.__enter__()
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    self._warnings.__exit__(None, None, None)


silently = Silence()
