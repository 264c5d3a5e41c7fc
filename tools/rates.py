"""The speed of this machine, as rates: docs/rates.csv, from which docs/scaling.md is computed.

    python -m tools.rates

`make bench` runs it too. It runs the data stages on images of 2040 x 1356 pixels
(tools/large_data.py) with the default params.yaml at all its scales, and a training of two steps to
measure memory, and it measures the time of a training step. The machine must be idle.
"""

import csv
import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import yaml

from srstudy.common.files import whole_file
from srstudy.common.running import run
from srstudy.common.yaml_file import load_yaml
from srstudy.training.settings import FRESH
from tools.bench import ROOT, machine, python
from tools.large_data import HEIGHT, WIDTH, make_images
from tools.scaling import RATES, write_page

IMAGES = 12
NAME = "large"


class Rate(NamedTuple):
    """One measured figure; scale: 0 if it does not belong to a scale."""

    what: str
    scale: int
    unit: str
    value: float


def main() -> None:
    """Measure; write docs/rates.csv and the table of docs/scaling.md."""
    with tempfile.TemporaryDirectory() as folder:
        rates = list(measure(Path(folder), IMAGES))
    write(rates, RATES)
    write_page()
    print(RATES.read_text("utf-8"))


def write(rates: list[Rate], path: Path) -> None:
    """Write the rates as CSV, with machine and day in each row."""
    where = (machine(), f"{datetime.now(UTC):%Y-%m-%d}")
    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow([*Rate._fields, "machine", "day"])
        rows.writerows([*rate[:3], f"{rate.value:.4g}", *where] for rate in rates)


def measure(study: Path, images: int) -> Iterator[Rate]:
    """Measure all rates in an empty folder, with a number of images."""
    values = load_yaml(ROOT / "params.yaml")
    scales = values["scales"]
    values |= {"start_from": FRESH, "pretrain_epochs": None, "pretrain_steps": 2}
    values |= {"validation_share": None, "validation_images": 1, "validation_list": False}
    (study / "params.yaml").write_text(yaml.safe_dump(values), "utf-8")
    make_images(study / "photos", images)
    megapixels = images * WIDTH * HEIGHT / 1e6
    raw, least = study / f"data/raw/{NAME}", 0.0

    def stage(name: str, scale: int, *arguments: str) -> Iterator[Rate]:
        nonlocal least
        idle = python(study, "-c", f"import stages.{name}").seconds
        taken = python(study, "-m", f"stages.{name}", *arguments)
        least = max(least, taken.own_mib)
        yield Rate(name, scale, "s/MP", max(0.0, taken.seconds - idle) / megapixels)

    def size(name: str, scale: int, path: Path) -> Rate:
        files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
        return Rate(name, scale, "MB/MP", sum(f.stat().st_size for f in files) / 1e6 / megapixels)

    yield from stage("own_images", 0, NAME, "photos")
    yield size("raw", 0, raw)
    for scale in scales:
        at = ("--dataset", NAME, "--scale", str(scale))
        yield from stage("synthesize", scale, *at, "--role", "train")
        yield size("lr", scale, study / f"data/lr/x{scale}")
        yield from stage("patch", scale, *at)
        yield size("patches", scale, study / f"data/patches/x{scale}.h5")
    yield Rate("data stages", 0, "MiB", least)
    trained = python(study, "-m", "stages.pretrain", "--scale", str(scales[0]))
    yield Rate("training", scales[0], "MiB", trained.own_mib)
    for scale in scales:
        said = python(study, "-m", "tools.step_time", str(scale), "training").output
        yield Rate("step", scale, "s", json.loads(said.splitlines()[-1])["seconds"])


if __name__ == "__main__":
    run(main)
