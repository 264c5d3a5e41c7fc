"""Command `upscale`: restore photographs at 2, 3, 4 or 8 times their size with a trained network.

    python -m srstudy.upscale photo.jpg -o large.png --scale 4
    python -m srstudy.upscale photos/ more.tif -o large/

It is not a stage of the pipeline: it needs no data, no training and no TensorFlow, only weights/.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def main() -> None:
    """Restore file by file. If a file fails, it is named, the others continue, and the exit status
    is 1."""
    with _ended_by_interrupt():
        from srstudy.upscale.arguments import read_arguments

        arguments = read_arguments()
        from srstudy.upscale.batch import run  # imports NumPy, OpenCV and ONNX Runtime
    try:
        run(arguments)
        if sys.stdout:
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the program that read our output (`| head`) has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


@contextmanager
def _ended_by_interrupt() -> Iterator[None]:
    """Ctrl-C ends the process at once: in imports, Python would show where, or something false."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # not if it is ignored, as in a background job
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def command() -> None:
    """`main` as a process: after it, nothing is left to do but to end.

    Python would first take down its modules and those of ONNX Runtime: a tenth of the time of a
    small photograph.
    """
    main()
    os._exit(0)


if __name__ == "__main__":
    command()
