"""The speed of networks of several sizes in ONNX Runtime: `python -m tools.fast_tried`.

It measures `sesr` with fresh weights, exported in the form for `upscale`, on a luma plane that
gives 1 HR megapixel. Writes docs/fast-tried.csv: HR megapixels per second of processor time of one
core, the best of several rounds. Processor time is used instead of wall-clock time, so that other
work on the machine has little influence.
"""

import srstudy.backend.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime
import pandas as pd

from srstudy.common.running import run
from srstudy.export.onnx_files import save_onnx
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.sizes import sizes
from srstudy.networks.shared.weights import save
from tools.bench import machine
from tools.costs import multiply_adds, parameters
from tools.fast_recipe import NETWORK, SCALES
from tools.writing import write_table

TABLE = Path("docs/fast-tried.csv")
SIDE = 1000  # of the HR plane
# Channels and layers, and the width of the kernels at both ends.
TRIED = ((16, 11), (24, 6), (24, 7), (24, 8), (24, 10), (32, 6))
ENDS, ROUNDS = 3, 12


def main() -> None:
    """Measure every size; write and print the table."""
    rows = [row for scale in SCALES for row in measured(scale, TRIED)]
    table = pd.DataFrame(rows)
    write_table(TABLE, table)
    print(table.drop(columns="machine").to_string(index=False))


def measured(
    scale: int, tried: Sequence[tuple[int, int]], side: int = SIDE, rounds: int = ROUNDS
) -> list[dict[str, object]]:
    """A row for each size: its cost and its speed."""
    plane = np.random.default_rng(0).random((1, side // scale, side // scale, 1), np.float32)
    rows: list[dict[str, object]] = []
    functions = []
    for channels, layers in tried:
        size = sizes(NETWORK, {"channels": channels, "layers": layers, "ends": ENDS})
        architecture = Architecture(NETWORK, scale, size, "matlab")
        session, model = _session(architecture), architecture.build()
        functions.append(lambda session=session: session.run(None, {"lr": plane}))
        row: dict[str, object] = {"scale": scale, "channels": channels, "layers": layers}
        row |= {"parameters": parameters(model), "multiply_adds": multiply_adds(model, scale)}
        rows.append(row)
    megapixels = plane.size * scale**2 / 1e6
    for row, seconds in zip(rows, best_times(functions, rounds), strict=True):
        speed = round(megapixels / seconds, 2)
        row |= {"megapixels_per_core_second": speed, "machine": machine()}
    return rows


def best_times(functions: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """The least processor time of each function in seconds, in alternating rounds.

    The first round is a warm-up and does not count.
    """
    times: list[list[float]] = []
    for _ in range(1 + rounds):
        times.append([])
        for function in functions:
            start = time.process_time()
            function()
            times[-1].append(time.process_time() - start)
    return [min(of_one) for of_one in zip(*times[1:], strict=True)]


def _session(architecture: Architecture) -> onnxruntime.InferenceSession:
    """The exported network on one thread: more threads would use processor time while waiting."""
    with TemporaryDirectory() as folder:
        source, target = Path(folder) / "fresh.weights.h5", Path(folder) / "network.onnx"
        model = architecture.build()
        save(source, model, architecture, steps=0)
        save_onnx(target, model, architecture, source, half=True)
        content = target.read_bytes()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_mem_pattern = False  # as in `upscale`
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(content, options)


if __name__ == "__main__":
    run(main)
