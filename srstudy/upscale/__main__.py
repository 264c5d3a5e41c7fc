"""Command `upscale`: photographs restored at 2, 3, 4 or 8 times their size by a trained network.

    python -m srstudy.upscale photo.jpg -o large.png --scale 4
    python -m srstudy.upscale photos/ more.tif -o large/

No stage of the pipeline: it needs no data, no training and no TensorFlow, only weights/.
"""

import os
import sys

from srstudy.upscale.arguments import read_arguments


def main() -> None:
    """Restore file by file; a file that fails is named and the others go on, to exit status 1."""
    arguments = read_arguments()
    try:
        from srstudy.upscale.batch import run  # NumPy, OpenCV and the runtime start here

        run(arguments)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our lines (`| head`) has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
