"""Python's warnings kept back while images are read, by one thread or by several."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


class Silence:
    """Keeps warnings back from the first thread that enters until the last has left.

    `warnings.catch_warnings` by itself is for one thread: of two, the one that leaves last would
    put back what it found, which is the other's silence, for good.
    """

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Within this block nothing is warned of."""
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
