"""Stages `synthesize-train` and `synthesize-test`: HR images cropped to the scale, and their LR.

    python -m stages.synthesize t91 --scale 2 --role train
    python -m stages.synthesize set5 --scale 2 --role test

Both are PNG files that a person can open. A training set also gets downscaled copies, each
degraded like an image of its own: detail at more sizes to learn from.
"""

import argparse
from functools import partial as bind
from pathlib import Path

from stages.core.degradation import Kind, crop_to_multiple, degrade
from stages.core.errors import InputError
from stages.core.files import whole_folder
from stages.core.images import list_images, read_image
from stages.core.lr_folders import FULL, copy_folder, make_folders, write_pair
from stages.core.parallel import ordered_map
from stages.core.progress import progress
from stages.core.resize import imresize
from stages.core.running import run
from stages.core.scales import SCALES
from stages.core.settings.data import CopiesSettings, SynthesisSettings
from stages.core.settings.reader import read

# The networks' own bicubic enlargement mirrors two pixels at each edge.
LEAST_LR_SIDE = 2


def main() -> None:
    """Read every image, write its pair; the output folder appears when all are done."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset")
    parser.add_argument("--scale", type=int, choices=SCALES, required=True)
    parser.add_argument("--role", choices=("train", "test"), required=True)
    arguments = parser.parse_args()
    degradation = read(SynthesisSettings).degradation
    copies = read(CopiesSettings).copies if arguments.role == "train" else []

    paths = list_images(Path("data/raw") / arguments.dataset)
    output = Path(f"data/lr/x{arguments.scale}") / arguments.role / arguments.dataset
    with whole_folder(output) as partial:
        make_folders(partial, [FULL, *map(copy_folder, copies)])
        write = bind(_write_pairs, partial, arguments.scale, degradation, copies)
        title = f"synthesize {arguments.dataset} x{arguments.scale}"
        for _ in progress(ordered_map(write, paths), title, len(paths), "image"):
            pass
    print(f"{output}: {len(paths)} images, {degradation} degradation, {len(copies)} copies of each")


def _write_pairs(folder: Path, scale: int, kind: Kind, copies: list[float], path: Path) -> None:
    image = read_image(path)
    least = LEAST_LR_SIDE * scale
    if min(image.shape[:2]) < least:
        found = f"{image.shape[1]} x {image.shape[0]}"
        raise InputError(
            f"{path}: has {found} pixels; allowed at x{scale}: at least {least} x {least}"
        )
    write_pair(folder, FULL, path.stem, crop_to_multiple(image, scale), degrade(image, scale, kind))
    for factor in copies:
        smaller = imresize(image, factor)
        if min(smaller.shape[:2]) >= least:
            hr, lr = crop_to_multiple(smaller, scale), degrade(smaller, scale, kind)
            write_pair(folder, copy_folder(factor), path.stem, hr, lr)


if __name__ == "__main__":
    run(main)
