"""Speed, as ratios that are measured side by side in one run: `make bench`.

It uses photographs embedded in a package, in a temporary folder; each part runs in separate
processes. Writes docs/benchmarks.csv and, from it, docs/benchmarks.md; then docs/rates.csv and the
table of docs/scaling.md (tools/rates.py). No result counts as a failure.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import cv2
import pandas as pd
import yaml

from srstudy.common.machine import cores, processor
from srstudy.common.running import run
from srstudy.common.yaml_file import load_yaml
from srstudy.datasets.download import fetch
from srstudy.imagefiles.listing import list_images
from srstudy.imagefiles.reading import read_image
from srstudy.scoring.tables import markdown
from srstudy.training.settings import FRESH
from tools.memory import Measured, measured
from tools.writing import write_table, write_text

Row = tuple[str, str, str]
COLUMNS = ("measured", "ratio", "note")
ROOT = Path.cwd()
TABLE, PAGE = Path("docs/benchmarks.csv"), Path("docs/benchmarks.md")
SPEED = Path("docs/speed.md")
IMAGES, SIDE = 91, 160  # the number of images in T91, and about their size
FACTORS = (1, 10, 100)  # the number of images is multiplied by these, in separate folders
LARGEST = FACTORS[-1]
# The parts in tools/bench_steps.py.
PARTS = ("training", "patches", "extraction", "inference", "upscaling", "scoring")
LIGHT = (
    *("validate", "download", "own_images", "shared", "synthesize", "patch"),
    *("bicubic", "compare", "summarize", "report"),
)
HEAVY = ("pretrain", "train", "evaluate", "ensemble", "cascade", "mnist")
# The vector instructions that decide the speed of a training, by processor flag, best first.
VECTORS = {
    "amx_bf16": "AMX",
    "avx512_bf16": "AVX-512 with bfloat16",
    "avx512f": "AVX-512",
    "avx2": "AVX2",
}


def main() -> None:
    """Measure every part, write table and page."""
    start = time.monotonic()
    rows: list[Row] = [*start_ups(), *dvc_with_nothing_to_do()]
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder)
        make_study(study)
        rows += growth(study)
        for part in PARTS:
            lines = python(study, "-m", "tools.bench_steps", part).output.splitlines()
            rows += [(name, ratio, note) for name, ratio, note in json.loads(lines[-1])]
    day, taken = f"{datetime.now(UTC):%Y-%m-%d}", f"{time.monotonic() - start:.0f}"
    found = pd.DataFrame(rows, columns=[*COLUMNS])
    write_table(TABLE, found.assign(machine=machine(), day=day, seconds_in_all=taken))
    write_text(PAGE, page(read_rows()))
    print(PAGE.read_text("utf-8"))
    print(python(ROOT, "-m", "tools.rates").output)


def read_rows() -> pd.DataFrame:
    """The rows of docs/benchmarks.csv, all as text: a ratio has the digits that it was given."""
    return pd.read_csv(TABLE, dtype=str, keep_default_na=False)


def page(rows: pd.DataFrame) -> str:
    """The page of the benchmarks, from the rows of one run."""
    run = rows.iloc[0]
    table = markdown(["measured", "ratio", ""], rows[[*COLUMNS]].values.tolist())
    return (
        f"# Benchmarks\n\nWritten by `make bench` on {run['day']} in {run['seconds_in_all']} s, on "
        f"{run['machine']}. The same as CSV: [{TABLE.name}]({TABLE.name}).\n\n{table}"
        f"{speed_link()}"
    )


def speed_link() -> str:
    """The line that links the page of `make speed`, if that was run."""
    if not SPEED.is_file():
        return ""
    link = f"[{SPEED.name}]({SPEED.name})"
    return f"\nQuality over speed of the models of `upscale`, by `make speed`: {link}.\n"


def machine() -> str:
    """The processor, its vector instructions, the usable cores, and the memory."""
    said = processor()
    flags = said.get("flags", "").split()
    computes = next((words for flag, words in VECTORS.items() if flag in flags), "no AVX2")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = said.get("model name") or platform.processor() or "?"
    return f"{cores()} cores of {model} ({platform.machine()}, {computes}), {memory:.0f} GiB"


def make_study(study: Path) -> None:
    """Write photographs of the size of T91, and settings that need no download."""
    fetch("sample", study / "photos")
    shutil.copytree("data/registry", study / "data/registry")  # because `scoring` fetches them too
    photos = [read_image(path) for path in list_images(study / "photos")]
    for factor in FACTORS:
        folder = study / f"data/raw/bench{factor}"
        folder.mkdir(parents=True)
        for number in range(IMAGES * factor):
            photo = photos[number % len(photos)]
            top = number * 37 % (photo.shape[0] - SIDE)
            left = number * 53 % (photo.shape[1] - SIDE)
            crop = photo[top : top + SIDE, left : left + SIDE]
            cv2.imwrite(str(folder / f"{number:05d}.png"), crop)
    values = load_yaml(ROOT / "params.yaml")
    # Few steps and few held-out images: only the memory at the start of a training is measured.
    values |= {"downscaled_copies": [], "pretrain_epochs": None, "pretrain_steps": 20}
    values |= {"start_from": FRESH}
    values |= {"validation_share": None, "validation_images": 2, "validation_list": False}
    (study / "params.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")


def python(study: Path, *arguments: str) -> Measured:
    """Run a Python command of this project in the folder of the study."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DVC_ROOT": str(study)}
    return measured([sys.executable, *arguments], study, environment)


def start_ups() -> list[Row]:
    """The start-up time of stages, relative to that of the Python interpreter alone."""
    bare = min(python(ROOT, "-c", "pass").seconds for _ in range(3))
    rows = []
    for kind, stages in (("without TensorFlow", LIGHT), ("with TensorFlow", HEAVY)):
        times = {
            stage: min(python(ROOT, "-c", f"import stages.{stage}").seconds for _ in range(2))
            for stage in stages
        }
        slowest = max(times, key=lambda stage: times[stage])
        rows.append(
            (
                f"start-up of the slowest stage {kind} over python's",
                f"{times[slowest] / bare:.1f}",
                f"{slowest}: {times[slowest]:.2f} s",
            )
        )
    return rows


def dvc_with_nothing_to_do() -> list[Row]:
    """`dvc repro` over `dvc status` in the workspace, if everything is up to date."""
    name = "`dvc repro` with nothing to do over `dvc status`"
    times = []
    for command in (["status"], ["repro", "compare", "report"]):
        start = time.monotonic()
        done = subprocess.run(["dvc", *command], capture_output=True, text=True, check=False)
        times.append(time.monotonic() - start)
        if done.returncode or (command == ["status"] and "up to date" not in done.stdout):
            return [(name, "-", "only where all is up to date: after `make repro`")]
    return [(name, f"{times[1] / times[0]:.2f}", f"{times[1]:.1f} of {times[0]:.1f} s")]


def growth(study: Path) -> list[Row]:
    """Time and memory of the data stages and of training with ten times as many images."""
    rows = []
    commands = {
        "synthesize": ("--dataset", "bench{}", "--scale", "2", "--role", "train"),
        "patch": ("--scale", "2", "--dataset", "bench{}"),
    }
    counts = f"{IMAGES * LARGEST:,} over {IMAGES * LARGEST // 10:,} images"
    used = study / "data/patches/x2.h5"
    for stage, arguments in commands.items():
        idle = python(study, "-c", f"import stages.{stage}").seconds
        runs = []
        for factor in FACTORS:
            words = [word.format(factor) for word in arguments]
            runs.append(python(study, "-m", f"stages.{stage}", *words))
            if stage == "patch":
                shutil.copy(used, study / f"{factor}.h5")
        some, many = (run.seconds - idle for run in runs[-2:])
        note = f"{many:.1f} over {some:.1f} s"
        rows += [(f"{stage}: time, {counts}", f"{many / some:.1f}", note)]
        rows += [memory(stage, counts, runs)]
    runs = []
    for factor in FACTORS:
        shutil.copy(study / f"{factor}.h5", used)
        runs.append(python(study, "-m", "stages.pretrain", "--scale", "2"))
    return [*rows, memory("start of a training", counts, runs)]


def memory(what: str, counts: str, runs: Sequence[Measured]) -> Row:
    """The own memory of the last run over that of the run before."""
    less, more = (run.own_mib for run in runs[-2:])
    name = f"{what}: memory of its largest process (anonymous, no file pages), {counts}"
    return name, f"{more / less:.2f}", f"{more:.0f} over {less:.0f} MiB"


if __name__ == "__main__":
    run(main)
