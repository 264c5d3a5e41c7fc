"""The speed of the networks of `upscale`, and of FSRCNN in OpenCV's dnn_superres: `make speed`.

Measured in one run on all cores of one idle machine: HR megapixels per second of each network
alone, on a luma plane of 1 HR megapixel, and of the whole command on one photograph in colour, from
its start to the written PNG. Medians of five rounds; in each round all of them take their turn,
because a machine's speed changes over time. OpenCV's contributed modules are installed into
.bench/, a separate Python environment. Writes docs/speed.csv, and docs/speed.md with its chart:
PSNR on Set5 over speed.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from srstudy.common.errors import InputError
from srstudy.common.running import run
from srstudy.datasets.download import fetch
from srstudy.imagefiles.reading import read_image
from srstudy.upscale.models import Model
from srstudy.upscale.upscaling import networks
from tools.bench import machine
from tools.commands import output
from tools.photo_cases import CLEAN, images
from tools.published import figures
from tools.robustness import MADE_BY, SCALES, bicubic, methods_of, scores, shipped
from tools.speed_page import BICUBIC, CHART, COMMAND, FSRCNN, NETWORK, PAGE, chart, page
from tools.timing import by_turns
from tools.writing import write_table, write_text

TABLE = Path("docs/speed.csv")
PACKAGES, BENCH = Path("tools/speed-requirements.lock"), Path(".bench")
SET, PHOTO = "set5", "sample-test/astronaut.png"
SIDE = 1024  # HR pixels, for a network alone
ROUNDS = 5


@dataclass(frozen=True)
class Measurement:
    """What is measured: `pixels`, the number of HR pixels of one call of `run`.

    run returns its own time in seconds, or None: then the whole call counts. psnr: of `model` on
    SET, in dB.
    """

    model: str
    scale: int
    what: str
    psnr: object
    pixels: int
    run: Callable[[], float | None]


def main() -> None:
    """Measure; write table, page and chart."""
    # With it, Python would compile our files at each start of the command: no user has that.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    python = prepared()
    rows: list[dict[str, object]] = []
    with TemporaryDirectory() as folder:
        fetch(Path(PHOTO).parent.name, Path(folder) / Path(PHOTO).parent)
        for scale in SCALES:
            wanted = [interpolation(scale), *fsrcnn(python, scale, Path(folder))]
            for model in shipped():
                wanted += ours(model, scale, Path(folder))
            rows += measured(wanted)
    found = pd.DataFrame([{**row, "machine": machine()} for row in rows])
    write_table(TABLE, found)
    write_text(CHART, chart(found))
    write_text(PAGE, page(found))
    print(PAGE.read_text("utf-8"))


def measured(wanted: Sequence[Measurement]) -> list[dict[str, object]]:
    """A row of the table for each measurement; the first round does not count."""
    rounds = by_turns([one.run for one in wanted], ROUNDS, seconds)
    rows = []
    for one, taken in zip(wanted, np.median(rounds, axis=0), strict=True):
        speed = float(f"{one.pixels / taken / 1e6:.4g}")
        print(f"{one.model} x{one.scale}, {one.what}: {speed} HR megapixels a second", flush=True)
        rows.append(
            {
                **{"model": one.model, "scale": one.scale, "what": one.what},
                **{"megapixels_per_second": speed, "psnr": one.psnr},
            }
        )
    return rows


def seconds(run: Callable[[], float | None]) -> float:
    """The time of one call: the one that it returns, or else that of the whole call."""
    start = time.perf_counter()
    own = run()
    return time.perf_counter() - start if own is None else own


def prepared() -> str:
    """The Python of .bench, which has only the packages in PACKAGES; installed if missing."""
    python, done = BENCH / "bin/python", BENCH / "installed"
    wanted = PACKAGES.read_bytes()
    if not done.is_file() or done.read_bytes() != wanted:
        print(f"installing OpenCV's contributed modules into {BENCH} ...", flush=True)
        shutil.rmtree(BENCH, ignore_errors=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        for command in (
            [sys.executable, "-m", "venv", str(BENCH)],
            [str(python), *install, "--require-hashes", "-r", str(PACKAGES)],
        ):
            if subprocess.run(command, check=False).returncode:
                raise InputError(f"{PACKAGES}: cannot be installed into {BENCH}: see above")
        done.write_bytes(wanted)
    return str(python)


def interpolation(scale: int) -> Measurement:
    """MATLAB's bicubic interpolation in this project."""
    luma = plane(scale).astype(np.float32)
    psnr = scores(bicubic(scale), images(SET), [CLEAN])[0]["psnr"]

    def run() -> None:
        MADE_BY.interpolation.planes(luma, scale)

    return Measurement(BICUBIC, scale, NETWORK, psnr, SIDE**2, run)


def fsrcnn(python: str, scale: int, folder: Path) -> list[Measurement]:
    """FSRCNN in OpenCV, with random weights; with its published PSNR."""
    graph, script = folder / f"x{scale}.pb", [python, "-m", "tools.speed_fsrcnn"]
    output(sys.executable, "-m", "tools.fsrcnn_graph", str(scale), str(graph))
    wanted = (FSRCNN, SET, f"x{scale}")
    (psnr,) = (f.text for f in figures("psnr") if (f.method, f.test_set, f.scale) == wanted)

    def alone() -> float:
        return float(output(*script, "alone", str(graph), str(SIDE // scale)))

    def command() -> None:
        files = [str(folder / PHOTO), str(folder / "large.png")]
        output(*script, "photo", str(graph), str(scale), *files)

    return [
        Measurement(FSRCNN, scale, NETWORK, psnr, SIDE**2, alone),
        Measurement(FSRCNN, scale, COMMAND, psnr, pixels(folder, scale), command),
    ]


def ours(model: Model, scale: int, folder: Path) -> list[Measurement]:
    """One of our networks, alone and in the command; [] if there is no file for the scale."""
    methods = [method for method in methods_of(model) if method.scale == scale]
    if not methods:
        return []
    (network,) = networks(scale, model, "cpu")
    luma = plane(scale)
    psnr = scores(methods[0], images(SET), [CLEAN])[0]["psnr"]

    def alone() -> None:
        network.restore_luma(luma)

    def command() -> None:
        words = [sys.executable, "-m", "srstudy.upscale", str(folder / PHOTO), "--device", "cpu"]
        words += ["-o", str(folder / "large.png"), "--force"]
        output(*words, "--scale", str(scale), "--model", model)

    return [
        Measurement(model, scale, NETWORK, psnr, SIDE**2, alone),
        Measurement(model, scale, COMMAND, psnr, pixels(folder, scale), command),
    ]


def plane(scale: int) -> np.ndarray:
    """An LR luma plane, uint8, that gives SIDE x SIDE pixels."""
    side = SIDE // scale
    return np.random.default_rng(0).integers(0, 256, (side, side), np.uint8)


def pixels(folder: Path, scale: int) -> int:
    """The number of pixels of the enlarged photograph."""
    height, width = read_image(folder / PHOTO).shape[:2]
    return height * width * scale**2


if __name__ == "__main__":
    run(main)
