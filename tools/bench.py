"""How fast is it, as ratios measured side by side in one run: `make bench`.

Works on photographs embedded in a package, in a temporary folder; each part runs in processes of
its own. Prints the table and writes docs/benchmarks.md. Nothing passes or fails here.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import cv2
import yaml

from stages.core.datasets import fetch
from stages.core.images import list_images, read_image

Row = tuple[str, str, str]
ROOT = Path.cwd()
REPORT = Path("docs/benchmarks.md")
IMAGES, SIDE = 91, 160  # as many as T91 has, and about as large
DATA = ("validate", "download", "own_images", "synthesize", "patch")
LIGHT = (*DATA, "bicubic", "compare", "summarize", "report")
HEAVY = ("pretrain", "train", "evaluate", "cascade", "mnist")


def main() -> None:
    """Measure every part, print and write the table."""
    start = time.monotonic()
    rows: list[Row] = [*start_ups(), *dvc_with_nothing_to_do()]
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder)
        make_study(study)
        rows += growth(study)
        for part in ("training", "extraction", "inference", "upscaling"):
            done = python(study, "-m", "tools.bench_steps", part)
            rows += [(name, ratio, note) for name, ratio, note in json.loads(done.splitlines()[-1])]
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d} in "
        f"{time.monotonic() - start:.0f} s, on {machine()}.",
        "",
        "| measured | ratio | |",
        "| --- | --- | --- |",
        *(f"| {name} | {ratio} | {note} |" for name, ratio, note in rows),
    ]
    REPORT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(REPORT.read_text("utf-8"))


def machine() -> str:
    """The processor, the cores that we may use, and the memory."""
    with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
        model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores of {model} ({platform.machine()}), {memory:.0f} GiB"


def make_study(study: Path) -> None:
    """Photographs of T91's size, and settings that need no download."""
    fetch("sample", study / "photos")
    photos = [read_image(path) for path in list_images(study / "photos")]
    for factor in (1, 10, 100):
        folder = study / f"data/raw/bench{factor}"
        folder.mkdir(parents=True)
        for number in range(IMAGES * factor):
            photo = photos[number % len(photos)]
            top = number * 37 % (photo.shape[0] - SIDE)
            left = number * 53 % (photo.shape[1] - SIDE)
            crop = photo[top : top + SIDE, left : left + SIDE]
            cv2.imwrite(str(folder / f"{number:05d}.png"), crop)
    values = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    # One pass over few patches and few held-out images: training is here for its memory.
    values |= {"copies": [], "pretrain_epochs": 1, "stride": 48, "validation_share": 0.02}
    (study / "params.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")


def python(study: Path, *arguments: str) -> str:
    """What a python command of ours prints, run in the study's folder."""
    return measured(study, *arguments)[2]


def measured(study: Path, *arguments: str) -> tuple[float, float, str]:
    """Seconds, MiB of its largest process, and output of a python command."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DVC_ROOT": str(study)}
    with tempfile.TemporaryFile("w+") as output:
        start = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=study,
            env=environment,
            stdout=output,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        taken = time.monotonic() - start
        output.seek(0)
        if process.returncode:
            sys.exit(f"{' '.join(arguments)}: status {process.returncode}")
        return taken, usage.ru_maxrss / 1024, output.read()


def start_ups() -> list[Row]:
    """How long a stage takes before it does anything, over the bare interpreter."""
    bare = min(measured(ROOT, "-c", "pass")[0] for _ in range(3))
    rows = []
    for kind, stages in (("without TensorFlow", LIGHT), ("with TensorFlow", HEAVY)):
        times = {
            stage: min(measured(ROOT, "-c", f"import stages.{stage}")[0] for _ in range(2))
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
    """`dvc repro` over `dvc status` in the workspace, if all of it is up to date."""
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
    """Time and memory of the data stages and of training as the images grow tenfold."""
    rows = []
    commands = {
        "synthesize": ("bench{}", "--scale", "2", "--role", "train"),
        "patch": ("--scale", "2", "--dataset", "bench{}"),
    }
    for stage, arguments in commands.items():
        idle = measured(study, "-c", f"import stages.{stage}")[0]
        runs = []
        for factor in (1, 10, 100):
            words = [word.format(factor) for word in arguments]
            taken, memory, _ = measured(study, "-m", f"stages.{stage}", *words)
            runs.append((taken - idle, memory))
            if stage == "patch" and factor < 100:
                target = study / f"data/patches/bench{factor}.h5"
                shutil.copy(study / "data/patches/x2.h5", target)
        _, (some, less), (many, more) = runs
        counts = f"{IMAGES * 100:,} over {IMAGES * 10:,} images"
        rows += [
            (f"{stage}: time, {counts}", f"{many / some:.1f}", f"{many:.1f} over {some:.1f} s"),
            (f"{stage}: memory, {counts}", f"{more / less:.2f}", f"{more:.0f} over {less:.0f} MiB"),
        ]
    memories = []
    for factor in (10, 1):
        shutil.copy(study / f"data/patches/bench{factor}.h5", study / "data/patches/x2.h5")
        memories.append(measured(study, "-m", "stages.pretrain", "--scale", "2")[1])
    rows.append(
        (
            f"pretrain: memory, {IMAGES * 10} over {IMAGES} images",
            f"{memories[0] / memories[1]:.2f}",
            f"{memories[0]:.0f} over {memories[1]:.0f} MiB",
        )
    )
    return rows


if __name__ == "__main__":
    main()
