"""The PSNR on the 30 held-out images that are used to choose recipes (data/held-out.txt).

    python -m tools.held_out models/x2-plain.weights.h5 models/x4-plain.weights.h5

It prints a line for each network: the mean over the images of each set and over all images. Luma is
as in the study, but not rounded to 8 bits. The score has no meaning for a network that was trained
on one of these images. The default share of T91 holds them out, and so does `validation_list:
true`.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

import srstudy.backend.quiet  # noqa: F401  (it silences TensorFlow's start)
from srstudy.common.errors import InputError
from srstudy.common.running import run
from srstudy.datasets.download import fetch
from srstudy.datasets.registry import read_registry
from srstudy.degradations.shared.degradation import degradation
from srstudy.imagefiles.reading import read_image
from srstudy.images.pairs import crop_to_multiple
from srstudy.images.psnr import psnr
from srstudy.networks.shared.inference import restore_luma
from srstudy.networks.shared.weights import load
from srstudy.patches.grid import HELD_OUT, read_list

# All of these images are in one registered set, which has images of the two others.
DATASET, PARTS = "t290", ("t91", "bsd200")


def main() -> None:
    """Fetch the images if they are missing, and score each network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", nargs="+", type=Path, metavar="WEIGHTS")
    rows = [scores(path) for path in parser.parse_args().weights]
    print(pd.DataFrame(rows).round(3).to_csv(index=False), end="")


def scores(path: Path) -> dict[str, object]:
    """The scale, and the means for each set and over all images, in dB."""
    model, architecture = load(path)
    made_by, scale = degradation(architecture.degradation), architecture.scale
    protocol, found = made_by.protocol, dict[str, float]()
    for image in images():
        hr = crop_to_multiple(read_image(image), scale)
        restored = restore_luma(model, protocol.luma(made_by.degrade(hr, scale)))
        planes = (protocol.luma(hr), np.clip(restored, 0, 255).astype(np.float64))
        one, other = (protocol.crop(plane, scale) for plane in planes)
        found[image.stem] = psnr(one, other)
    values = pd.Series(found)
    # NaN for a set without an image in the list.
    means = {name: values[values.index.isin(_stems(name))].mean() for name in PARTS}
    return {"weights": path, "scale": scale, "images": len(found), **means, "all": values.mean()}


def images() -> list[Path]:
    """The files of the held-out images, in the order of the list."""
    folder = Path("data/raw") / DATASET
    if not folder.is_dir():
        folder = Path("data/held-out") / DATASET  # not in DVC: another study may not use this set
    if not folder.is_dir():
        fetch(DATASET, folder)
    files = {path.stem: path for path in folder.iterdir()}
    names = read_list(HELD_OUT, DATASET)
    if not names:
        raise InputError(f"{HELD_OUT}: found no image; allowed: images of {DATASET}")
    if missing := [name for name in names if name not in files]:
        raise InputError(f"{HELD_OUT}: found {missing[0]}; allowed: images of {DATASET}")
    return [files[name] for name in names]


def _stems(dataset: str) -> list[str]:
    return [Path(row.file).stem for row in read_registry(dataset)]


if __name__ == "__main__":
    run(main)
