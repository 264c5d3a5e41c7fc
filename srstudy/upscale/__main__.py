"""Command `upscale`: restore photographs at 2, 3, 4 or 8 times their size with a trained network.

    python -m srstudy.upscale photo.jpg -o large.png --scale 4
    python -m srstudy.upscale photos/ more.tif -o large/

It is not a stage of the pipeline: it needs no data, no training and no TensorFlow, only weights/.
"""

import os
import sys

from srstudy.upscale.arguments import read_arguments


def main() -> None:
    """Restore file by file. If a file fails, it is named, the others continue, and the exit status
    is 1."""
    arguments = read_arguments()
    try:
        from srstudy.upscale.batch import run  # imports NumPy, OpenCV and ONNX Runtime

        run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the program that read our output (`| head`) has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def command() -> None:
    """`main` as a process: after it, nothing is left to do but to end.

    Python would first take down its modules and those of ONNX Runtime: a tenth of the time of a
    small photograph.
    """
    main()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    command()
