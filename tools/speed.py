"""The speed of the networks of `upscale`, and of FSRCNN in OpenCV's dnn_superres: `make speed`.

Measured in one run on all cores of one idle machine: HR megapixels per second of each network
alone, on a luma plane of 1 HR megapixel, and of the whole command on one photograph in colour, from
its start to the written PNG. Medians of five runs. OpenCV's contributed modules are installed into
.bench/, a separate Python environment. Writes docs/speed.csv, and docs/speed.md with its chart:
PSNR on Set5 over speed.
"""

import shutil
import subprocess
import sys
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
from tools.timing import seconds
from tools.writing import write_table, write_text

TABLE = Path("docs/speed.csv")
PACKAGES, BENCH = Path("tools/speed-requirements.lock"), Path(".bench")
SET, PHOTO = "set5", "sample-test/astronaut.png"
SIDE = 1024  # HR pixels, for a network alone

Row = dict[str, object]


def main() -> None:
    """Measure; write table, page and chart."""
    python = prepared()
    rows: list[Row] = []
    with TemporaryDirectory() as folder:
        fetch(Path(PHOTO).parent.name, Path(folder) / Path(PHOTO).parent)
        for scale in SCALES:
            rows += [interpolation(scale), *fsrcnn(python, scale, Path(folder))]
            for model in shipped():
                rows += ours(model, scale, Path(folder))
    found = pd.DataFrame([{**row, "machine": machine()} for row in rows])
    write_table(TABLE, found)
    write_text(CHART, chart(found))
    write_text(PAGE, page(found))
    print(PAGE.read_text("utf-8"))


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


def interpolation(scale: int) -> Row:
    """MATLAB's bicubic interpolation in this project."""
    luma = plane(scale).astype(np.float32)
    taken = seconds(lambda: MADE_BY.interpolation.planes(luma, scale))
    psnr = scores(bicubic(scale), images(SET), [CLEAN])[0]["psnr"]
    return row(BICUBIC, scale, NETWORK, SIDE**2 / taken, psnr)


def fsrcnn(python: str, scale: int, folder: Path) -> list[Row]:
    """FSRCNN in OpenCV, with random weights; with its published PSNR."""
    graph, script = folder / f"x{scale}.pb", [python, "-m", "tools.speed_fsrcnn"]
    output(sys.executable, "-m", "tools.fsrcnn_graph", str(scale), str(graph))
    alone = output(*script, "alone", str(graph), str(scale), str(SIDE // scale))
    files = [str(folder / PHOTO), str(folder / "large.png")]
    taken = seconds(lambda: output(*script, "photo", str(graph), str(scale), *files))
    wanted = (FSRCNN, SET, f"x{scale}")
    (psnr,) = (f.text for f in figures("psnr") if (f.method, f.test_set, f.scale) == wanted)
    return [
        row(FSRCNN, scale, NETWORK, float(alone) * 1e6, psnr),
        row(FSRCNN, scale, COMMAND, pixels(folder, scale) / taken, psnr),
    ]


def ours(model: Model, scale: int, folder: Path) -> list[Row]:
    """One of our networks, alone and in the command; [] if there is no file for the scale."""
    methods = [method for method in methods_of(model) if method.scale == scale]
    if not methods:
        return []
    (network,) = networks(scale, model, "cpu")
    luma = plane(scale)
    alone = seconds(lambda: network.restore_luma(luma))
    command = [sys.executable, "-m", "srstudy.upscale", str(folder / PHOTO), "--device", "cpu"]
    command += ["-o", str(folder / "large.png"), "--force"]
    command += ["--scale", str(scale), "--model", model]
    taken = seconds(lambda: output(*command))
    psnr = scores(methods[0], images(SET), [CLEAN])[0]["psnr"]
    return [
        row(model, scale, NETWORK, SIDE**2 / alone, psnr),
        row(model, scale, COMMAND, pixels(folder, scale) / taken, psnr),
    ]


def row(model: str, scale: int, what: str, per_second: float, psnr: object) -> Row:
    """A row of the table; per_second: HR pixels per second."""
    speed = float(f"{per_second / 1e6:.4g}")
    print(f"{model} x{scale}, {what}: {speed} HR megapixels a second", flush=True)
    return {
        **{"model": model, "scale": scale, "what": what, "megapixels_per_second": speed},
        "psnr": psnr,
    }


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
