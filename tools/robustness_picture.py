"""Crops of compressed or noisy photographs, each enlarged by several networks.

    python -m tools.robustness_picture              bicubic, clean, photo: docs/photographs.png
    python -m tools.robustness_picture clean pilot.onnx -o pilot.png

There is a line for each crop and case, and a column for bicubic interpolation, for each network,
and for the original. Crops are shown at twice their size, without interpolation.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from srstudy.common.files import whole_file
from srstudy.common.running import run
from srstudy.imagefiles.png import write_png
from srstudy.imagefiles.reading import read_image
from tools.photo_cases import Image, images, spoiled
from tools.robustness import MADE_BY, Method, bicubic, methods_of, shipped
from tools.robustness_page import PICTURE

SCALE, SIDE, ZOOM, GAP, CAPTION = 2, 84, 2, 4, 18  # in pixels, except the scale and the zoom
SETS, CASES = "set5+set14", ("jpeg50", "noise10")
SHOWN = ("clean", "photo")
# Image, and top and left of the crop in HR pixels: an edge in colour, skin, and text.
PLACES = (("butterfly_GT", 60, 120), ("woman_GT", 60, 70), ("ppt3", 330, 34))
WHITE = 255


def main() -> None:
    """Draw the picture; networks of other scales are left out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    there = [model for model in SHOWN if model in shipped()]
    parser.add_argument(
        "networks", nargs="*", default=there, metavar="NETWORK", help=f"default: {' '.join(there)}"
    )
    parser.add_argument("-o", "--output", type=Path, default=PICTURE, help="default: %(default)s")
    arguments = parser.parse_args()
    found = [method for name in arguments.networks for method in methods_of(name)]
    methods = [bicubic(SCALE), *(method for method in found if method.scale == SCALE)]
    with whole_file(arguments.output) as partial:
        write_png(partial, picture(methods))
    print(f"{arguments.output}: {arguments.output.stat().st_size} bytes")


def picture(methods: list[Method]) -> Image:
    """The picture with all lines, uint8 (height, width, 3)."""
    files = {path.stem: path for path in images(SETS)}
    lines = []
    for name, top, left in PLACES:
        lr, hr = MADE_BY.pair(read_image(files[name]), SCALE)
        for case in CASES:
            given = spoiled(lr, case, name)
            versions = {method.name: method.restore(given) for method in methods}
            crops = [
                panel(f"{case}: {label}", image[top : top + SIDE, left : left + SIDE])
                for label, image in {**versions, "original": hr}.items()
            ]
            lines.append(np.concatenate(crops, axis=1))
    return np.concatenate(lines)


def panel(caption: str, crop: Image) -> Image:
    """A crop, uint8 (SIDE, SIDE, 3), with its caption above and white around it."""
    side = SIDE * ZOOM
    framed = np.full((CAPTION + side + GAP, side + GAP, 3), WHITE, np.uint8)
    framed[CAPTION : CAPTION + side, :side] = crop.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)
    at = (2, CAPTION - 5)
    cv2.putText(framed, caption, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return framed


if __name__ == "__main__":
    run(main)
