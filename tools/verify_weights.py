"""Score the networks of `upscale --model clean`, `photo` and `fast` again from their files.

    python -m tools.verify_weights [SET ...]

It fetches the test sets (all four, if none is named), makes LR with the degradation of each
network, restores it with the files of weights/, each image as a whole, and prints the mean PSNR and
its difference from docs/long-recipe.csv, photo-recipe.csv and fast-recipe.csv. The exit status is 1
if a difference is more than 0.01 dB.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from srstudy.common.errors import InputError
from srstudy.common.running import run
from srstudy.datasets.download import fetch
from srstudy.imagefiles.listing import list_images
from srstudy.imagefiles.reading import read_image
from srstudy.images.pairs import Pair
from srstudy.scoring.restoring import restore
from srstudy.upscale.runtime import Network, load_network
from tools import fast_recipe, long_recipe, photo_recipe
from tools.parts import METHOD, Study
from tools.repeats import TEST_SETS, read_rows

STUDIES = (long_recipe.STUDY, photo_recipe.STUDY, fast_recipe.STUDY)
TOLERANCE = 0.01  # dB: the files have weights of 16 bits


def main() -> None:
    """Print a line for each network and test set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words = f"default: {' '.join(TEST_SETS)}"
    parser.add_argument("test_sets", nargs="*", default=TEST_SETS, metavar="SET", help=words)
    apart, test_sets = 0, parser.parse_args().test_sets
    if unknown := [name for name in test_sets if name not in TEST_SETS]:
        raise InputError(f"SET: found {unknown[0]}; allowed: {', '.join(TEST_SETS)}")
    shipped = [(study, scale) for study in STUDIES for scale in shipped_scales(study)]
    if not shipped:
        raise InputError("weights: holds no networks; allowed: those from git")
    expected = {
        (study.model, test_set, scale): committed(study, test_set, scale)
        for study, scale in shipped
        for test_set in test_sets
    }
    networks = [
        (study.model, load_network(study.network(scale), "cpu")) for study, scale in shipped
    ]
    for test_set in test_sets:
        with TemporaryDirectory() as folder:
            fetch(test_set, Path(folder) / test_set)
            images = list_images(Path(folder) / test_set)
            for model, network in networks:
                made_by, scale = network.degradation, network.scale
                found = score((made_by.pair(read_image(p), scale) for p in images), network)
                difference = found - expected[model, test_set, scale]
                apart += not abs(difference) <= TOLERANCE  # also if it is NaN
                print(
                    f"{model} {test_set} x{scale}: {found:.4f} dB ({difference:+.4f})", flush=True
                )
    if apart:
        tables = ", ".join(dict.fromkeys(str(study.table) for study, _ in shipped))
        sys.exit(f"{apart} scores differ by more than {TOLERANCE} dB from {tables}")


def shipped_scales(study: Study) -> list[int]:
    """The scales for which a study has a network file."""
    scales = dict.fromkeys(part.scale for part in study.parts.values())
    return [scale for scale in scales if study.network(scale).is_file()]


def committed(study: Study, test_set: str, scale: int) -> float:
    """The mean PSNR in the table of the study; `InputError` if it has none."""
    rows = read_rows(study.table, {"test_set", "scale", "method", "psnr"})
    if rows.empty:
        raise InputError(
            f"{study.table}: found no rows; allowed: those from git, in the project's folder"
        )
    mine = (rows["test_set"] == test_set) & (rows["scale"] == scale) & (rows["method"] == METHOD)
    if not mine.any():
        raise InputError(
            f"{study.table}: found no row of {test_set} x{scale}; run: make {study.name}"
        )
    return float(rows[mine]["psnr"].iloc[0])


def score(pairs: Iterable[Pair], network: Network) -> float:
    """The mean PSNR of a network over images, each restored as a whole."""
    made_by, scale, found = network.degradation, network.scale, []
    for lr, hr in pairs:
        restored = restore(network.restore_luma, lr, scale, made_by)
        found.append(made_by.protocol.psnr(hr, restored, scale))
    return float(np.mean(found))


if __name__ == "__main__":
    run(main)
