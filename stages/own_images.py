"""Stage `own_images`: copy a folder of your own images to data/raw as 8-bit PNG files.

    python -m stages.own_images mine photos/

Every image is read here. So a file that is not an image is reported before any other work.
"""

import argparse
from functools import partial as bind
from pathlib import Path

from srstudy.common.files import whole_folder
from srstudy.common.progress import progress
from srstudy.common.running import run
from srstudy.datasets.parallel import ordered_map
from srstudy.imagefiles.listing import list_images
from srstudy.imagefiles.png import write_png
from srstudy.imagefiles.reading import read_image


def main() -> None:
    """Check and convert; data/raw/<name> appears only if all images were read."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()

    paths = list_images(arguments.folder)
    output = Path("data/raw") / arguments.name
    with whole_folder(output) as partial:
        converted = ordered_map(bind(_convert, partial), paths)
        for _ in progress(converted, f"import {arguments.name}", len(paths), "image"):
            pass
    print(f"{output}: {len(paths)} images")


def _convert(folder: Path, path: Path) -> None:
    write_png(folder / f"{path.stem}.png", read_image(path))


if __name__ == "__main__":
    run(main)
