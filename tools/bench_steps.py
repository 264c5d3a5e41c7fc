"""The parts of `make bench` that each run in one process and print their rows as JSON.

python -m tools.bench_steps scoring
"""

import srstudy.backend.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

import argparse
import json
import math
import statistics
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from unittest.mock import patch as replaced

import cv2
import h5py
import numpy as np
import tensorflow as tf

from srstudy.backend.devices import choose_strategy, one_core_for_each_part
from srstudy.backend.precision import precision_here
from srstudy.common.params import read
from srstudy.common.running import run
from srstudy.images.pairs import Pair
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.inference import restore_luma
from srstudy.networks.shared.sizes import sizes
from srstudy.patches.batches import Batches
from srstudy.patches.reading import PatchFile
from srstudy.training.recipe import Recipe
from srstudy.training.settings import NetworkSettings
from srstudy.training.trainer import Trainer
from srstudy.upscale.runtime import networks
from srstudy.upscale.upscaling import restore_photo
from stages import patch
from tools.bench_scoring import scoring
from tools.costs import multiply_adds
from tools.timing import by_turns, seconds

Row = tuple[str, str, str]
SCALE, STEPS, LR_SIDE, MATRIX = 2, 40, 512, 4096
PATCHES = Path(f"data/patches/x{SCALE}.h5")
CUT, BATCH = 20_000, 64  # the most patches to cut, and the number in a batch
WHERE = (
    "inference, upscaling and scoring run in any folder with a params.yaml, the others only in the "
    "folder that `make bench` makes. upscaling takes the longest: some minutes on two cores."
)


def main() -> None:
    """Run one part; the last printed line has its rows."""
    parts: dict[str, Callable[[], list[Row]]] = {
        "training": training,
        "patches": patches,
        "extraction": extraction,
        "inference": inference,
        "upscaling": upscaling,
        "scoring": scoring,
    }
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog=WHERE)
    parser.add_argument("part", choices=parts)
    print(json.dumps(parts[parser.parse_args().part]()))


def training() -> list[Row]:
    """FLOP/s of a training step over that of a large matmul, and the cost of reading the data."""
    one_core_for_each_part()
    settings = read(NetworkSettings)
    recipe = Recipe.of(settings, SCALE, steps=STEPS)
    with PatchFile(PATCHES, SCALE) as file:
        architecture = recipe.architecture(file.degradation)
        precision = precision_here(settings.precision)
        trainer = Trainer(recipe, architecture, precision, choose_strategy())
        batches = Batches(file, recipe.batch_size, recipe.seed, recipe.augment)
        fixed = batches.at(0)

        def on_fixed() -> None:
            for _ in range(STEPS):
                trainer.step(fixed, 1e-4)

        def on_data() -> None:
            for batch in batches.ahead(0, STEPS):
                trainer.step(batch, 1e-4)

        pairs = by_turns([on_fixed, on_data], 4)
        step = statistics.median(fixed_time for fixed_time, _ in pairs) / STEPS
        starving = statistics.median(data / fixed_time for fixed_time, data in pairs)
        count, height, width, _ = fixed.hr.shape
        # The backward pass costs two forward passes; a multiply-add is two operations.
        flops = 3 * 2 * count * multiply_adds(architecture.build(), SCALE, height, width)
    matrix = tf.cast(tf.random.normal((MATRIX, MATRIX)), precision)
    # TensorFlow divides a matmul among the threads of one operation, here one core.
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(matrix, matrix)))
    cores = tf.config.threading.get_inter_op_parallelism_threads()
    peak = cores * 2 * MATRIX**3 / seconds(product, 3)
    return [
        (
            f"training step x{SCALE}, convolutions' FLOP/s over a matmul's",
            f"{flops / step / peak:.2f}",
            f"{flops / step / 1e9:.0f} of {peak / 1e9:.0f} GFLOP/s, {precision}, "
            f"{step * 1e3:.1f} ms a step",
        ),
        ("step with data over step on one fixed batch", f"{starving:.3f}", ""),
    ]


def patches() -> list[Row]:
    """Speed of patches from the memory map over h5py's own slicing, and the size of the file."""
    with PatchFile(PATCHES, SCALE) as mapped, h5py.File(PATCHES, "r") as file:
        count, size = len(mapped), int(file.attrs["patch_size"])
        order = np.random.default_rng(0).permutation(count)[:CUT]
        batches = np.array_split(order, math.ceil(len(order) / BATCH))
        places, images = file["places"][:], [file[f"train/{i}"] for i in range(len(file["train"]))]
        sides = [[group[side] for side in Pair._fields] for group in images]

        def by_h5py() -> None:
            for image, top, left in places[order].tolist():
                for dataset, f in zip(sides[image], (SCALE, 1), strict=True):
                    dataset[top // f : (top + size) // f, left // f : (left + size) // f]

        rounds = by_turns([lambda: [mapped.patches(batch) for batch in batches], by_h5py])
        ours, plain = (len(order) / statistics.median(times) for times in zip(*rounds, strict=True))
        stored = count * (size**2 + (size // SCALE) ** 2) / 1e6
        planes = sum(dataset.nbytes for dataset in datasets(file)) / 1e6
    whole = PATCHES.stat().st_size / 1e6
    return [
        (
            f"patches of {size} x {size} a second through the memory map, over h5py's own slicing",
            f"{ours / plain:.1f}",
            f"{ours:,.0f} of {plain:,.0f}, LR and HR, in batches of {BATCH}",
        ),
        (
            "patch file's size over its planes' bytes",
            f"{whole / planes:.3f}",
            f"{whole:.1f} of {planes:.1f} MB; the patches, each stored: {stored:.1f} MB",
        ),
    ]


def datasets(file: h5py.File) -> list[h5py.Dataset]:
    """The planes of a patch file."""
    groups = [group for parent in ("train", "validation") for group in file[parent].values()]
    return [group[side] for group in groups for side in Pair._fields]


def extraction() -> list[Row]:
    """The speed of stage `patch` over that of a plain copy of the same bytes with h5py."""
    command = ["patch", "--scale", str(SCALE), "--dataset", "bench1"]

    def cut() -> None:
        with replaced("sys.argv", command), redirect_stdout(StringIO()):
            patch.main()

    def copy() -> None:
        with h5py.File(PATCHES, "r") as old, h5py.File("copy.h5", "w") as new:
            for dataset in [*datasets(old), old["places"]]:
                new.create_dataset(dataset.name, data=dataset[:])

    taken, plain = seconds(cut, 3), seconds(copy, 3)
    megabytes = Path("copy.h5").stat().st_size / 1e6
    return [
        (
            "patch extraction over a plain h5py copy, MB/s",
            f"{plain / taken:.2f}",
            f"{megabytes / taken:.0f} of {megabytes / plain:.0f} MB/s; it decodes and converts too",
        )
    ]


def inference() -> list[Row]:
    """Speed over that of OpenCV's bicubic, and over that of FSRCNN in the same framework."""
    settings = read(NetworkSettings)
    chosen = (settings.network, Recipe.of(settings, SCALE).size)
    lr = np.random.default_rng(0).integers(0, 256, (LR_SIDE, LR_SIDE), np.uint8)
    rows = []
    for scale in (2, 4):
        side = LR_SIDE * scale
        times = [
            seconds(lambda s=side: cv2.resize(lr, (s, s), interpolation=cv2.INTER_CUBIC))  # type: ignore[misc]
        ]
        for network, size in (chosen, ("fsrcnn", sizes("fsrcnn", {}))):
            model = Architecture(network, scale, size, "matlab").build()
            times.append(seconds(lambda m=model: restore_luma(m, lr)))  # type: ignore[misc]
        bicubic, ours, fsrcnn = (side**2 / 1e6 / taken for taken in times)
        rows += [
            (
                f"inference x{scale}, MP/s over OpenCV's bicubic",
                f"{ours / bicubic:.4f}",
                f"{ours:.2f} of {bicubic:.0f} HR megapixels a second, float32",
            ),
            (
                f"inference x{scale}, MP/s over FSRCNN's",
                f"{ours / fsrcnn:.2f}",
                f"{fsrcnn:.2f} MP/s",
            ),
        ]
    return rows


def upscaling() -> list[Row]:
    """The speed of `upscale` over that of its network alone on the luma of the whole image."""
    steps, rows = networks(2, "plain"), []
    for side, how in ((LR_SIDE, "one tile"), (3 * LR_SIDE, "tiled")):
        grey = np.random.default_rng(0).integers(0, 256, (side, side), np.uint8)
        images = {"grey": grey, "colour": np.dstack([grey, grey.T, grey[::-1]])}
        runs: list[Callable[[], object]] = [partial(steps[0].restore_luma, grey)]
        runs += [partial(restore_photo, image, steps) for image in images.values()]
        rounds = by_turns(runs, 9 if how == "one tile" else 3)
        plain, *taken = zip(*rounds, strict=True)
        speed, alone = (2 * side) ** 2 / 1e6, statistics.median(plain)
        for kind, times in zip(images, taken, strict=True):
            # Within a round: between rounds, the speed of the machine changes by some per cent.
            ratio = statistics.median(a / b for a, b in zip(plain, times, strict=True))
            rows.append(
                (
                    f"upscale x2, {kind}, {how}, MP/s over the network's alone",
                    f"{ratio:.3f}",
                    f"{speed / statistics.median(times):.2f} of {speed / alone:.2f} HR megapixels "
                    "a second",
                )
            )
    return rows


if __name__ == "__main__":
    run(main)
