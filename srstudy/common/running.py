"""How a stage runs: alone, and ended by one clear line where something given to it is wrong."""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from srstudy.common import machine
from srstudy.common.errors import InputError


def run(main: Callable[[], None]) -> None:
    """Run a stage's `main`; end an `InputError` with its line on stderr and exit status 1.

    Any other exception is a defect of ours and keeps its traceback.
    """
    try:
        if "DVC_STAGE" in os.environ:
            machine.end_with(os.getppid())
        with _alone():
            main()
    except InputError as error:
        sys.exit("\n".join(f"error: {line}" for line in str(error).splitlines()))
    except MemoryError as error:
        sys.exit(_memory_line(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output (`| head`) has gone; nothing is left to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        # TensorFlow's word for it, by name: light stages do not import TensorFlow.
        if type(error).__name__ != "ResourceExhaustedError":
            raise
        sys.exit(_memory_line(error))


def _memory_line(error: Exception) -> str:
    what = str(error).partition("\n")[0]
    return f"error: there is not enough memory: {what or 'no more is given out'}"


def _alone() -> AbstractContextManager[None]:
    """Refuse to run beside the same command in the same folder.

    DVC locks its stages itself, but not against one that was started by hand.
    """
    command = [Path(sys.argv[0]).stem, *sys.argv[1:]]
    name = hashlib.sha256("\0".join(command).encode()).hexdigest()[:16]
    return locked(Path(".dvc/tmp/running") / name, " ".join(command))


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold a lock file, or raise `InputError`: `what` is running already.

    The system gives the lock back when the process ends, however it ends.
    """
    with ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            stack.callback(os.close, lock)
            machine.lock(lock)
            os.ftruncate(lock, 0)
            os.write(lock, str(os.getpid()).encode())
        except BlockingIOError:
            holder = path.read_text("ascii")
            raise InputError(
                f"{what}: is running already, as process {holder}; wait for its end or stop it"
            ) from None
        except OSError as error:
            raise InputError(f"{path.parent}: cannot be written: {error.strerror}") from error
        yield
