"""The networks of `upscale --model clean`, scored again from their files.

    python -m tools.verify_weights [SET ...]

Fetches the test sets (all four, if none is named), makes LR, restores it by the files of weights/,
each image as a whole, and prints the mean PSNR and its difference from docs/long-recipe.csv. Ends
with status 1 where that is more than 0.01 dB.
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
from srstudy.upscale.models import SCALES_OF
from srstudy.upscale.runtime import Network, networks
from tools.long_recipe import METHOD, TABLE
from tools.repeats import TEST_SETS, read_rows

TOLERANCE = 0.01  # dB: the files have weights of 16 bits


def main() -> None:
    """A line for each scale and test set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words = f"default: {' '.join(TEST_SETS)}"
    parser.add_argument("test_sets", nargs="*", default=TEST_SETS, metavar="SET", help=words)
    apart, test_sets = 0, parser.parse_args().test_sets
    if unknown := [name for name in test_sets if name not in TEST_SETS]:
        raise InputError(f"SET: found {unknown[0]}; allowed: {', '.join(TEST_SETS)}")
    expected = {test_set: committed(test_set) for test_set in test_sets}
    shipped = [
        network for scale in SCALES_OF["clean"] for network in networks(scale, "clean", "cpu")
    ]
    for test_set in test_sets:
        with TemporaryDirectory() as folder:
            fetch(test_set, Path(folder) / test_set)
            images = list_images(Path(folder) / test_set)
            for network in shipped:
                made_by, scale = network.degradation, network.scale
                found = score((made_by.pair(read_image(p), scale) for p in images), network)
                difference = found - expected[test_set][scale]
                apart += not abs(difference) <= TOLERANCE  # also where it is no number
                print(f"{test_set} x{scale}: {found:.4f} dB ({difference:+.4f})", flush=True)
    if apart:
        sys.exit(f"{apart} are further than {TOLERANCE} dB from {TABLE}")


def committed(test_set: str) -> dict[int, float]:
    """The mean PSNR of each scale, of docs/long-recipe.csv; `InputError` where it lacks one."""
    rows = read_rows(TABLE, {"test_set", "scale", "method", "psnr"})
    if rows.empty:
        raise InputError(
            f"{TABLE}: found no rows; allowed: those from git, in the project's folder"
        )
    mine = rows[(rows["test_set"] == test_set) & (rows["method"] == METHOD)]
    found = dict(zip(mine["scale"], mine["psnr"], strict=True))
    if missing := [f"x{scale}" for scale in SCALES_OF["clean"] if scale not in found]:
        raise InputError(
            f"{TABLE}: found no row of {test_set} {', '.join(missing)}; run: make long"
        )
    return found


def score(pairs: Iterable[Pair], network: Network) -> float:
    """The mean PSNR of a network over images, each restored as a whole."""
    made_by, scale, found = network.degradation, network.scale, []
    for lr, hr in pairs:
        restored = restore(network.restore_luma, lr, scale, made_by)
        found.append(made_by.protocol.psnr(hr, restored, scale))
    return float(np.mean(found))


if __name__ == "__main__":
    run(main)
