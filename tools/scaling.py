"""The table of docs/scaling.md, computed from docs/rates.csv: `make bench`; or separately:

python -m tools.scaling [--check]
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from srstudy.common.params import PARAMS_FILE
from srstudy.common.running import run
from srstudy.common.yaml_file import load_yaml
from srstudy.patches.grid import grid
from srstudy.scoring.tables import markdown
from tools.large_data import HEIGHT, WIDTH
from tools.writing import read_page, replaced, write_text

RATES, PAGE = Path("docs/rates.csv"), Path("docs/scaling.md")
NOT_MEASURED = "No rates were measured yet: `make bench` measures them and writes this table.\n"
HEAD = (
    *("data", "images", "megapixels", "disk, hardlink", "disk, copy", "own_images", "synthesize"),
    *("patch", "default training", "one pass over the patches", "needs"),
)
HOUR, LARGE_GB = 3600, 200


@dataclass(frozen=True)
class Images:
    """A number of images, all counted with the same size."""

    name: str
    count: int
    width: int
    height: int

    @property
    def megapixels(self) -> float:
        """The megapixels of all images together."""
        return self.count * self.width * self.height / 1e6


# T91 has 5.36 megapixels; the 199 other images of t290 have 481 x 321 pixels each.
SETS = (
    Images("T91", 91, 256, 230),
    Images("290 images (`t290`)", 290, 394, 316),
    Images("DIV2K", 800, WIDTH, HEIGHT),
    Images("DF2K", 3450, WIDTH, HEIGHT),
    Images("100,000 images", 100_000, WIDTH, HEIGHT),
)


def main() -> None:
    """Write the part between the marks; with --check, fail if it is not up to date."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        write_page()
    elif current() != PAGE.read_text("utf-8"):
        sys.exit(f"{PAGE}: its table differs from {RATES}; run `python -m tools.scaling`")


def write_page() -> None:
    """Update the table of the page."""
    write_text(PAGE, current())


def current() -> str:
    """The page as it should be."""
    body = NOT_MEASURED
    if RATES.is_file():
        body = table(pd.read_csv(RATES), load_yaml(PARAMS_FILE))
    return replaced(read_page(PAGE), "table", body, PAGE)


def table(rates: pd.DataFrame, params: dict[str, Any]) -> str:
    """The cost of each data set at all scales of the params together, as Markdown."""
    found = {(row.what, row.scale, row.unit): row.value for row in rates.itertuples()}
    costs = markdown(HEAD, [_row(images, found, params) for images in SETS])
    data, training = (found[what] for what in _memory(found))
    where = rates.iloc[0]
    scales = ", ".join(f"x{scale}" for scale in params["scales"])
    note = (
        f"Computed from rates that were measured on {where.machine}, on {where.day}, with images "
        f"of {WIDTH} x {HEIGHT} pixels; at {scales} together, with the default params.yaml. "
        f"Memory does not grow with the images: data stages {data:.0f} MiB, training "
        f"{training:.0f} MiB with one held-out image of that size (largest process)."
    )
    return f"{costs}\n{note}\n"


def _memory(found: dict[Any, float]) -> list[Any]:
    return [key for what in ("data stages", "training") for key in found if key[0] == what]


def _row(images: Images, found: dict[Any, float], params: dict[str, Any]) -> list[str]:
    scales, megapixels = params["scales"], images.megapixels

    def each(what: str, unit: str) -> float:
        return sum(found[what, scale, unit] for scale in scales) * megapixels

    disk = found["raw", 0, "MB/MP"] * megapixels + each("lr", "MB/MP") + each("patches", "MB/MP")
    own = found["own_images", 0, "s/MP"] * megapixels
    synthesize, patch = each("synthesize", "s/MP"), each("patch", "s/MP")
    training = params["pretrain_steps"] * found["step", scales[0], "s"]
    training += 2 * sum(params["steps"][f"x{s}"] * found["step", s, "s"] for s in scales)
    steps = steps_of_a_pass(images, params)
    data = own + synthesize + patch
    default = params["pretrain_steps"] + params["steps"][f"x{scales[0]}"]
    return [
        *(images.name, f"{images.count:,}", f"{megapixels:,.0f}"),
        *(_gigabytes(disk / 1e3), _gigabytes(2 * disk / 1e3)),
        *(duration(own), duration(synthesize), duration(patch), duration(training)),
        f"{steps:,} steps, {duration(steps * found['step', scales[0], 's'])} at x{scales[0]}",
        needs(data, 2 * disk / 1e3, steps, default),
    ]


def steps_of_a_pass(images: Images, params: dict[str, Any]) -> int:
    """The steps of one pass over all patches at the first scale, with the downscaled copies."""
    key = f"x{params['scales'][0]}"
    size, stride = params["patch_size"][key], params["stride"][key]
    factors = [1.0, *params["downscaled_copies"]]
    places = sum(
        len(grid((round(images.height * f), round(images.width * f)), size, stride))
        for f in factors
    )
    return images.count * places // params["batch_size"][key]


def needs(data_s: float, copy_gb: float, pass_steps: int, default_steps: int) -> str:
    """The measures that the size of the data needs, in words."""
    found = []
    if copy_gb > LARGE_GB:
        found.append("links in place of copies")
    if data_s > HOUR:
        found.append("a cluster for the data stages")
    if pass_steps > default_steps:
        share = default_steps / pass_steps
        found.append(f"more steps (the default's see {share:.2g} of the patches), so a GPU")
    return "; ".join(found) or "nothing more"


def duration(seconds: float) -> str:
    """A duration in seconds, minutes, hours or days, as a number of few digits."""
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _gigabytes(number: float) -> str:
    return f"{number:,.1f} GB" if number < 10 else f"{number:,.0f} GB"


if __name__ == "__main__":
    run(main)
