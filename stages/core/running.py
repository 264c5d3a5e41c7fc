"""How a stage runs: alone, and ended by one clear line where something given to it is wrong."""

import fcntl
import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stages.core.errors import InputError


def run(main: Callable[[], None]) -> None:
    """Run a stage's `main`; end an `InputError` with its line on stderr and exit status 1.

    Any other exception is a defect of ours and keeps its traceback.
    """
    try:
        with _alone():
            main()
    except InputError as error:
        sys.exit("\n".join(f"error: {line}" for line in str(error).splitlines()))
    except MemoryError as error:
        sys.exit(f"error: there is not enough memory: {error or 'no more is given out'}")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output (`| head`) has gone; nothing is left to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


@contextmanager
def _alone() -> Iterator[None]:
    """Refuse to run beside the same command in the same folder.

    DVC locks its stages itself, but where only DVC was killed, its stage runs on. The system
    gives the lock back when the process ends, however it ends.
    """
    command = [Path(sys.argv[0]).stem, *sys.argv[1:]]
    folder = Path(".dvc/tmp/running")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256("\0".join(command).encode()).hexdigest()[:16]
        lock = (folder / name).open("a+", encoding="ascii")
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise InputError(
                f"{' '.join(command)}: is running here already, as process {lock.read().strip()}; "
                "wait for its end or stop it"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
