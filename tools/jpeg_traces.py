"""How reliably `upscale` detects from pixels that an image was a JPEG file: docs/jpeg-traces.csv.

    python -m tools.jpeg_traces [SET ...]

There are rows for each set: its unchanged images; their LR at x2 and x4 by MATLAB's bicubic, which
was never a JPEG file; and the LR at x2 as JPEG at several qualities. Thresholds were chosen on t91
and bsd200. The files of bsd200 and bsd100 are themselves JPEG of quality 95. Rows of other sets are
kept.
"""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from srstudy.common.errors import InputError
from srstudy.common.files import whole_file
from srstudy.common.running import run
from srstudy.datasets.download import fetch
from srstudy.degradations.shared.degradation import degradation
from srstudy.imagefiles.listing import list_images
from srstudy.imagefiles.reading import read_image
from srstudy.images.jpeg import decoded_jpeg
from srstudy.upscale.jpeg_traces import ENOUGH, LEAST_SIDE, evidence

SETS = ("t91", "bsd200", "set5", "set14", "bsd100")
TABLE = Path("docs/jpeg-traces.csv")
QUALITIES = (30, 50, 75, 85, 90, 95)
SUBSAMPLING = {
    "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
}
Image = NDArray[np.uint8]


class Row(NamedTuple):
    """images: those of at least 64 pixels on a side; told: the number of them detected as JPEG;
    least, largest: the range of the evidence."""

    set: str
    case: str
    images: int
    told: int
    least: str
    largest: str


def main() -> None:
    """Measure the sets and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=SETS, metavar="SET")
    chosen = parser.parse_args().sets
    if unknown := [name for name in chosen if name not in SETS]:
        raise InputError(f"SET: found {unknown[0]}; allowed: {', '.join(SETS)}")
    for name in chosen:
        with TemporaryDirectory() as folder:
            fetch(name, Path(folder) / name)
            rows = measured(name, list_images(Path(folder) / name))
        write([*(row for row in read_table() if row.set != name), *rows])
        print(*(",".join(map(str, row)) for row in rows), sep="\n", flush=True)


def measured(name: str, paths: list[Path]) -> list[Row]:
    """The rows of a set of image files."""
    found: dict[str, list[float]] = {}
    for path in paths:
        for case, image in cases(read_image(path)):
            values = found.setdefault(case, [])
            if min(image.shape[:2]) >= LEAST_SIDE:
                values.append(evidence(image))
    return [
        Row(name, case, len(v), sum(e >= ENOUGH for e in v), f"{min(v):.0f}", f"{max(v):.0f}")
        for case, v in found.items()
        if v
    ]


def cases(image: Image) -> Iterator[tuple[str, Image]]:
    """The versions of an image that are measured, with their names."""
    yield "as it is", image
    lr = {scale: degradation("matlab").degrade(image, scale) for scale in (2, 4)}
    for scale, small in lr.items():
        yield f"LR x{scale}", small
    for sampling, factor in SUBSAMPLING.items():
        for quality in QUALITIES:
            yield f"JPEG {quality} {sampling}", decoded_jpeg(lr[2], quality, factor)


def read_table() -> list[Row]:
    """The rows of the table so far."""
    if not TABLE.exists():
        return []
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [
            Row(name, case, int(images), int(told), *ends)
            for name, case, images, told, *ends in list(csv.reader(file))[1:]
        ]


def write(rows: list[Row]) -> None:
    """Write the table, in the order of the sets."""
    ordered = sorted(rows, key=lambda row: SETS.index(row.set))
    with whole_file(TABLE) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Row._fields)
        writer.writerows(ordered)


if __name__ == "__main__":
    run(main)
