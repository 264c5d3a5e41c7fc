"""The arguments of the command `upscale`: read before any slow import."""

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from srstudy.common.scales import SCALES
from srstudy.upscale.formats import FORMATS
from srstudy.upscale.models import DEFAULT, MODELS

DEVICES = ("auto", "cpu")
EXAMPLES = """examples:
  %(prog)s photo.jpg -o large.png                   twice the size
  %(prog)s photo.jpg -o large.jpg --scale 4 --quality 90
  %(prog)s photos/ scan.tif -o large/               folders and files, to a folder of PNG files
  %(prog)s photos/ -o large/ --format webp --recursive
  %(prog)s photos/ -o large/ --skip-existing        continues an interrupted run
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}; for all options: {self.prog} --help\n")


def read_arguments() -> argparse.Namespace:
    """The arguments of the command line; ends the program if they are wrong or ask for help."""
    installed = Path(sys.argv[0]).stem == "sr-upscale"
    parser = _Parser(
        prog="sr-upscale" if installed else "upscale",
        description="Restore photographs at 2, 3, 4 or 8 times their size with a trained network.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("inputs", nargs="+", type=_path, metavar="IN", help="image file or folder")
    add("-o", "--output", required=True, type=_path, metavar="OUT",
        help="for one image: a file, whose suffix gives the format; else a folder")  # fmt: skip
    add("--scale", type=int, choices=SCALES, help="default: 2")
    add(
        "--model",
        choices=MODELS,
        help=f"default: {DEFAULT}: photo for images that had lossy compression, else clean",
    )
    add("--weights", type=_path, metavar="FILE", help="another network: .onnx or .weights.h5")
    add("--self-ensemble", action="store_true",
        help="the mean over eight orientations, in eight times the time; only useful for a network "
        "that is not equivariant")  # fmt: skip
    add("--format", choices=FORMATS, help="format of the files in a folder; default: png")
    add("--quality", type=_quality, metavar="1..100",
        help="of JPEG, default: 95; of WebP, default: lossless")  # fmt: skip
    add("--recursive", action="store_true", help="include subfolders; OUT gets the same subfolders")
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument("--force", action="store_true", help="overwrite files that exist")
    existing.add_argument("--skip-existing", action="store_true",
                          help="skip images whose output file exists")  # fmt: skip
    add("--device", choices=DEVICES, default="auto",
        help="default: auto, a GPU if the installed ONNX Runtime can use one")  # fmt: skip
    return parser.parse_args()


def _path(text: str) -> Path:
    if not text:  # for Path, the current folder; in fact mostly a variable that is not set
        raise argparse.ArgumentTypeError("found ''; allowed: a path")
    return Path(text)


def _quality(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 1 <= value <= 100:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed: a whole number from 1 to 100")
    return value
