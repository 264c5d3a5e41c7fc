"""Time and memory of the data stages and a short training on large images: `make large-data`.

    python -m tools.large_data --images 400 --steps 200 --folder large

It makes images of 2040 x 1356 pixels (the size of DIV2K's) from scikit-image's photographs, all
different, and runs the stages at x2 with DVC in a separate study folder. The code is that of this
working tree; params.yaml is the default, except for the images. It prints the time of each stage,
the largest own memory of any of its processes (tools/memory.py), and the size of the patch file.
400 images need about 8 GB of disk space.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial as bind
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from srstudy.common.progress import progress
from srstudy.common.running import run
from srstudy.common.yaml_file import load_yaml
from srstudy.datasets.download import fetch
from srstudy.datasets.parallel import ordered_map
from srstudy.imagefiles.listing import list_images
from srstudy.imagefiles.png import write_png
from srstudy.imagefiles.reading import read_image
from srstudy.images.orientations import ORIENTATIONS, turned
from srstudy.images.resize import imresize
from srstudy.training.settings import FRESH
from tools.bench import machine
from tools.memory import Measured, measured

WIDTH, HEIGHT, SCALE, SEED = 2040, 1356, 2, 1
NAME, PHOTOS = "large", "photos"
STAGES = (
    "validate",
    f"own_images@{NAME}",
    f"synthesize-train@{SCALE}",
    f"patch@{SCALE}",
    "pretrain",  # the first training, with the requested number of steps
)
# Variables of a git hook, of make, or of a cluster in this folder: they do not concern the study.
FOREIGN = ("GIT_", "DVC_", "MAKE", "SR_CLUSTER")


def main() -> None:
    """Make the images and the study, run the stages, print their time and memory."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="a new folder, kept; default: a temporary one")
    arguments = parser.parse_args()
    if arguments.images < 2 or arguments.steps < 1:
        parser.error("allowed: at least 2 images, because one is held out, and at least 1 step")
    if arguments.folder and arguments.folder.exists():
        parser.error(f"--folder: found {arguments.folder}; allowed: a folder that does not exist")
    if arguments.folder:
        arguments.folder.mkdir(parents=True)
        report(arguments.folder.resolve(), arguments.images, arguments.steps)
    else:
        with tempfile.TemporaryDirectory() as folder:
            report(Path(folder), arguments.images, arguments.steps)


def report(study: Path, images: int, steps: int) -> None:
    """Run everything in an empty folder; print a line for each stage and one for the patch file."""
    print(f"{images} images of {WIDTH} x {HEIGHT}, {steps} steps, on {machine()}", flush=True)
    make_images(study / PHOTOS, images)
    make_study(study, steps)
    for stage, taken in run_stages(study):
        print(f"{stage}: {taken.seconds:.1f} s, {taken.own_mib:.0f} MiB own memory", flush=True)
    size = (study / f"data/patches/x{SCALE}.h5").stat().st_size / 1e6
    print(f"patch file: {size:.1f} MB, {size / images:.2f} MB an image")


def make_images(folder: Path, count: int) -> None:
    """Write `count` different images; they are the same in every run."""
    folder.mkdir()
    with tempfile.TemporaryDirectory() as name:
        fetch("sample", Path(name) / "sample")
        photos = [read_image(path) for path in list_images(Path(name) / "sample")]
    written = ordered_map(bind(_write_image, folder, photos), range(count))
    for _ in progress(written, "make images", count, "image"):
        pass


def _write_image(folder: Path, photos: list[NDArray[np.uint8]], number: int) -> None:
    """Write an image that blends two photographs from left to right.

    Both are tiled, rotated and shrunk.
    """
    random = np.random.default_rng([SEED, number])
    chosen = random.choice(len(photos), 2, replace=False)
    one, other = (_tiled(photos[i], random).astype(np.float32) for i in chosen)
    share = np.linspace(0, 1, WIDTH, dtype=np.float32)[:, None]
    blended = np.rint(one * (1 - share) + other * share).astype(np.uint8)
    write_png(folder / f"{number:05d}.png", blended)


def _tiled(photo: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """A photograph as RGB (HEIGHT, WIDTH, 3), mirrored at its edges until the size is reached."""
    tile = photo if photo.ndim == 3 else np.dstack([photo] * 3)
    tile = imresize(turned(tile, int(random.integers(ORIENTATIONS))), random.uniform(0.6, 1))
    tile = np.concatenate([tile, tile[::-1]])
    tile = np.concatenate([tile, tile[:, ::-1]], axis=1)
    tile = np.roll(tile, random.integers(tile.shape[:2]), axis=(0, 1))
    rows, columns = np.arange(HEIGHT) % tile.shape[0], np.arange(WIDTH) % tile.shape[1]
    return tile[np.ix_(rows, columns)]


def make_study(study: Path, steps: int) -> None:
    """Copy this working tree's code, committed or not; set the images as the training set."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, check=True, capture_output=True, text=True).stdout
    for source in map(Path, filter(None, names.split("\0"))):
        # The results are not copied: they belong to other images.
        if source.is_file() and str(source) != "dvc.lock" and source.parts[0] != "metrics":
            target = study / source
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    values = load_yaml(study / "params.yaml")
    values |= {
        "scales": [SCALE],
        "cascade_scales": [],
        "datasets": [],
        "own_images": {NAME: PHOTOS},
    }
    values |= {"train_set": NAME, "test_sets": [NAME]}
    # Only one image is held out: each must be restored at every point of the learning curve.
    values |= {"validation_share": None, "validation_images": 1, "validation_list": False}
    values |= {"start_from": FRESH, "pretrain_epochs": None, "pretrain_steps": steps}
    (study / "params.yaml").write_text(yaml.safe_dump(values), "utf-8")
    subprocess.run(["git", "init", "--quiet", study], check=True, env=_environment(study))


def run_stages(study: Path) -> Iterator[tuple[str, Measured]]:
    """Run each stage; yield its time and memory, with those of DVC itself included."""
    for stage in STAGES:
        # Without a copy in DVC's cache, which would double the disk space.
        command = ["dvc", "repro", "--quiet", "--no-commit", "--single-item", stage]
        yield stage, measured(command, study, _environment(study))


def _environment(study: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    own = {"PATH": path, "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(study / ".dvc/site")}
    return kept | own


if __name__ == "__main__":
    run(main)
