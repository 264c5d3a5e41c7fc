"""The parts of `make bench` that are measured inside one process: each prints its rows as JSON.

python -m tools.bench_steps training      (in the folder that tools/bench.py has made)
"""

import stages.core.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from unittest.mock import patch as replaced

import cv2
import h5py
import keras
import numpy as np
import tensorflow as tf

from stages import patch
from stages.core.batches import Batches
from stages.core.inference import restore_luma
from stages.core.losses import loss
from stages.core.precision import precision_here
from stages.core.patches import PatchFile
from stages.core.settings.reader import read
from stages.core.settings.training import NetworkSettings
from stages.core.trainer import Schedule, Trainer, choose_strategy, one_core_for_each_part
from stages.core.upscaling import enlarge, networks
from stages.core.weights import Architecture

Row = tuple[str, str, str]
SCALE, STEPS, LR_SIDE, MATRIX = 2, 40, 512, 4096


def main() -> None:
    """Run one part; its rows are the last line that is printed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts: dict[str, Callable[[], list[Row]]] = {
        "training": training,
        "extraction": extraction,
        "inference": inference,
        "upscaling": upscaling,
    }
    parser.add_argument("part", choices=parts)
    print(json.dumps(parts[parser.parse_args().part]()))


def once(function: Callable[[], object]) -> float:
    """The time of a call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def seconds(function: Callable[[], object], repeats: int = 5) -> float:
    """The median time of a call, the first one left out."""
    function()
    return statistics.median(once(function) for _ in range(repeats))


def by_turns(functions: Sequence[Callable[[], object]], rounds: int = 5) -> list[list[float]]:
    """The time of each function in each round: the machine's own speed changes while they run.

    The round that warms up is left out.
    """
    return [[once(function) for function in functions] for _ in range(1 + rounds)][1:]


def training() -> list[Row]:
    """The training step's arithmetic over a large matmul's, and what reading the data costs."""
    one_core_for_each_part()
    settings = read(NetworkSettings)
    with PatchFile(Path(f"data/patches/x{SCALE}.h5"), SCALE) as patches:
        size = getattr(settings.network_size, settings.network).model_dump()
        architecture = Architecture(settings.network, SCALE, size, patches.degradation)
        schedule = Schedule(
            1, settings.learning_rate[SCALE], 0, 1, settings.ema, settings.optimizer
        )
        precision = precision_here(settings.precision)
        objective = partial(loss, settings.loss, 0.0)
        trainer = Trainer(architecture, schedule, objective, precision, 1, choose_strategy())
        batches = Batches(patches, settings.batch_size[SCALE], 1, settings.flips_and_rotations)
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
        flops = 3 * convolution_flops(architecture, fixed[0].shape)
    matrix = tf.cast(tf.random.normal((MATRIX, MATRIX)), precision)
    # TensorFlow divides one matmul among the threads that it has: here one core's worth.
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


def convolution_flops(architecture: Architecture, shape: tuple[int, ...]) -> int:
    """Multiplications and additions of one forward pass; every layer works on LR pixels."""
    kernels = [
        layer.kernel.shape
        for layer in architecture.build().layers
        if isinstance(layer, keras.layers.Conv2D)
    ]
    return sum(2 * math.prod(kernel) for kernel in kernels) * math.prod(shape)


def extraction() -> list[Row]:
    """The stage `patch` over a plain copy of the same bytes through h5py."""
    command = ["patch", "--scale", str(SCALE), "--dataset", "bench1"]

    def cut() -> None:
        unseen = StringIO()
        with replaced("sys.argv", command), redirect_stdout(unseen), redirect_stderr(unseen):
            patch.main()

    source = Path(f"data/patches/x{SCALE}.h5")

    def copy() -> None:
        with h5py.File(source, "r") as old, h5py.File("copy.h5", "w") as new:
            for name in ("train/lr", "train/hr"):
                new.create_dataset(name, data=old[name][:], chunks=old[name].chunks)

    taken, plain = seconds(cut, 3), seconds(copy, 3)
    megabytes = Path("copy.h5").stat().st_size / 1e6
    return [
        (
            "patch extraction over a plain h5py copy, MB/s",
            f"{plain / taken:.2f}",
            f"{megabytes / taken:.0f} of {megabytes / plain:.0f} MB/s; it decodes and cuts as well",
        )
    ]


def inference() -> list[Row]:
    """Restoring against OpenCV's bicubic, and against FSRCNN written in the same framework."""
    settings = read(NetworkSettings)
    lr = np.random.default_rng(0).integers(0, 256, (LR_SIDE, LR_SIDE), np.uint8)
    rows = []
    for scale in (2, 4):
        side = LR_SIDE * scale
        times = [
            seconds(lambda s=side: cv2.resize(lr, (s, s), interpolation=cv2.INTER_CUBIC))  # type: ignore[misc]
        ]
        for network in (settings.network, "fsrcnn"):
            size = getattr(settings.network_size, network).model_dump()
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
    """`upscale` against its own network, run plainly on the luma of the whole image."""
    steps, rows = networks(2), []
    for side, how in ((LR_SIDE, "one tile"), (3 * LR_SIDE, "tiled")):
        grey = np.random.default_rng(0).integers(0, 256, (side, side), np.uint8)
        images = {"grey": grey, "colour": np.dstack([grey, grey.T, grey[::-1]])}
        runs: list[Callable[[], object]] = [partial(steps[0].restore_luma, grey)]
        runs += [partial(enlarge, image, steps) for image in images.values()]
        rounds = by_turns(runs, 15 if how == "one tile" else 5)
        plain, *taken = zip(*rounds, strict=True)
        speed, alone = (2 * side) ** 2 / 1e6, statistics.median(plain)
        for kind, times in zip(images, taken, strict=True):
            # Within a round, as between rounds the machine's own speed changes by per cents.
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
    main()
