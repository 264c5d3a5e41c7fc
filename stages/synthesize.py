"""Stages `synthesize-train` and `synthesize-test`: cropped HR images and their LR images.

    python -m stages.synthesize --dataset t91 --scale 2 --role train
    python -m stages.synthesize --dataset set5 --scale 2 --role test

HR images are cropped to a multiple of the scale. All are PNG files that any viewer opens. A
training set also gets downscaled copies, each degraded like a separate image: so the network learns
from detail at more sizes. Of a copy, only the luma is kept, because training uses only luma. If a
degradation has random strengths, they are drawn for each training image and copy; test images
always have the fixed strength.
"""

from functools import partial as bind
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srstudy.common.command_line import parse
from srstudy.common.errors import InputError
from srstudy.common.files import whole_folder
from srstudy.common.params import read
from srstudy.common.progress import progress
from srstudy.common.running import run
from srstudy.datasets.lr_folders import FULL, copy_folder, make_folders, write_pair
from srstudy.datasets.parallel import ordered_map
from srstudy.datasets.settings import DownscaledCopiesSettings
from srstudy.degradations.shared.degradation import StrengthSource, degradation
from srstudy.degradations.shared.settings import StrengthSettings, SynthesisSettings
from srstudy.imagefiles.listing import list_images
from srstudy.imagefiles.reading import read_image
from srstudy.images.interpolation import LEAST_SIDE
from srstudy.images.pairs import Pair
from srstudy.images.resize import imresize


def main() -> None:
    """Read every image and write its pair; the output folder appears when all are done."""
    arguments = parse(__doc__, "dataset", "scale", "role")
    dataset, scale, role = arguments.dataset, arguments.scale, arguments.role
    name = read(SynthesisSettings).degradation
    copies = read(DownscaledCopiesSettings).downscaled_copies if role == "train" else []
    source = _strength_source() if role == "train" else None

    paths = list_images(Path("data/raw") / dataset)
    output = Path(f"data/lr/x{scale}") / role / dataset
    with whole_folder(output) as partial:
        make_folders(partial, [FULL, *map(copy_folder, copies)])
        write = bind(_write_pairs, partial, scale, name, copies, source)
        pairs = ordered_map(write, paths)
        for _ in progress(pairs, f"synthesize {dataset} x{scale}", len(paths), "image"):
            pass
    print(f"{output}: {len(paths)} images, {name} degradation, {len(copies)} copies of each")


def _strength_source() -> StrengthSource:
    settings = read(StrengthSettings)
    return StrengthSource(settings.strength_seed, settings.strengths)


def _write_pairs(
    folder: Path,
    scale: int,
    name: str,
    copies: list[float],
    source: StrengthSource | None,
    path: Path,
) -> None:
    image, made_by = read_image(path), degradation(name)
    least = LEAST_SIDE * scale
    if min(image.shape[:2]) < least:
        found = f"{image.shape[1]} x {image.shape[0]}"
        raise InputError(
            f"{path}: has {found} pixels; allowed at x{scale}: at least {least} x {least}"
        )

    def pair(pixels: NDArray[np.uint8], part: str) -> Pair:
        if source is None:
            return made_by.pair(pixels, scale)
        return made_by.training_pair(pixels, scale, (path.stem, part), source)

    write_pair(folder, FULL, path.stem, pair(image, FULL))
    for factor in copies:
        smaller = imresize(image, factor)
        if min(smaller.shape[:2]) >= least:
            part = copy_folder(factor)
            luma = Pair(*map(made_by.protocol.training_luma, pair(smaller, part)))
            write_pair(folder, part, path.stem, luma)


if __name__ == "__main__":
    run(main)
