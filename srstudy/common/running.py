"""How a stage runs: never twice at the same time, and wrong input ends it with one clear line."""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from srstudy.common import machine
from srstudy.common.errors import InputError


def run(main: Callable[[], None]) -> None:
    """Run a stage's `main`. An `InputError` ends it with one line on stderr and exit status 1.

    Any other exception is a bug of this project and keeps its traceback.
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
        # The program that read our output (`| head`) has ended: nobody reads a message.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        # TensorFlow's error for lack of memory. Compared by name, because some stages do not
        # import TensorFlow.
        if type(error).__name__ != "ResourceExhaustedError":
            raise
        sys.exit(_memory_line(error))


def _memory_line(error: Exception) -> str:
    what = str(error).partition("\n")[0]
    return f"error: there is not enough memory: {what or 'the system gives no more'}"


def _alone() -> AbstractContextManager[None]:
    """Refuse to run while the same command runs in the same folder.

    DVC locks the stages that it starts, but not one that is started by hand.
    """
    command = [Path(sys.argv[0]).stem, *sys.argv[1:]]
    name = hashlib.sha256("\0".join(command).encode()).hexdigest()[:16]
    return locked(Path(".dvc/tmp/running") / name, " ".join(command))


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold a lock file; raise `InputError` if `what` is already running.

    The system releases the lock when the process ends, for whatever reason.
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
                f"{what}: is already running as process {holder}; wait for its end or stop it"
            ) from None
        except OSError as error:
            raise InputError(f"{path.parent}: cannot be written: {error.strerror}") from error
        yield
