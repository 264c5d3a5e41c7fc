"""The quality of networks on photographs that are compressed or noisy: `make robustness`.

    python -m tools.robustness                                   every model of weights/, x2 and x4
    python -m tools.robustness clean models/x2-plain.weights.h5 --sets held-out -o robustness

Each network, and bicubic interpolation for comparison, restores the images of each set in each case
of tools/photo_cases.py. Writes FOLDER/photographs.csv and its page, FOLDER/photographs.md. Rows are
added as soon as a network is done with a set, and rows of unchanged weights are kept: a stopped run
continues where it was.
"""

import argparse
import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from srstudy.common.errors import InputError
from srstudy.common.machine import cores, one_core
from srstudy.common.running import run
from srstudy.degradations.shared.degradation import degradation
from srstudy.imagefiles.reading import read_image
from srstudy.images.psnr import psnr
from srstudy.upscale.models import MODELS, SCALES_OF, WEIGHTS, Model
from srstudy.upscale.runtime import Network, load_network
from srstudy.upscale.upscaling import networks, restore_photo
from tools.photo_cases import CASES, HELD_OUT, Image, images, spoiled
from tools.repeats import Rows, read_rows
from tools.robustness_page import BICUBIC, page
from tools.writing import write_table, write_text

SCALES = (2, 4)
SETS = ("set5+set14", "bsd100")
COLUMNS = (
    *("model", "scale", "set", "case", "psnr", "psnr_rgb", "gain", "gain_rgb", "below", "images"),
    "weights",
)
MADE_BY = degradation("matlab")


@dataclass(frozen=True)
class Method:
    """One way to enlarge images, uint8 (h, w[, 3]).

    weights: the first digits of the SHA-256 of its file; at_once: the number of images that it
    restores at the same time.
    """

    name: str
    scale: int
    weights: str
    restore: Callable[[Image], Image]
    at_once: int = 1


def main() -> None:
    """Score all missing rows; write table and page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    words = "a model of weights/, or a file: .onnx, .weights.h5; default: all models"
    add("networks", nargs="*", metavar="NETWORK", help=words)
    words = f"names or {HELD_OUT}, with commas between; + joins sets to one; default: %(default)s"
    add("--sets", default=",".join(SETS), help=words)
    add("-o", "--output", type=Path, default=Path("docs"), metavar="FOLDER", help="default: docs")
    arguments = parser.parse_args()
    methods = chosen(arguments.networks or shipped())  # a wrong name is told before any download
    sets = {name: images(name) for name in arguments.sets.split(",")}
    table = arguments.output / "photographs.csv"
    for (name, files), method in product(sets.items(), methods):
        add_rows(table, method, name, files)
        text = page(read_rows(table, {*COLUMNS}), table.with_suffix(".png").is_file())
        write_text(table.with_suffix(".md"), text)
    print(table.with_suffix(".md").read_text("utf-8"))


def shipped() -> list[Model]:
    """The models that have their own files, at some of SCALES."""
    return [model for model in MODELS if any(file_of(model, scale).is_file() for scale in SCALES)]


def file_of(model: str, scale: int) -> Path:
    """The file of a model's network."""
    return WEIGHTS / f"x{scale}-{model}.onnx"


def chosen(names: Sequence[str]) -> list[Method]:
    """Bicubic interpolation and the networks, by scale; names: of models, or files.

    `InputError` names an entry that is neither.
    """
    found = [method for name in names for method in methods_of(name)]
    scales = sorted({method.scale for method in found})
    return [
        method
        for scale in scales
        for method in [bicubic(scale), *(other for other in found if other.scale == scale)]
    ]


def methods_of(name: str) -> list[Method]:
    """The network of a file, or those of a model at SCALES."""
    at_once = cores()
    for model in shipped():
        if model == name:
            return [
                Method(model, scale, digits(file), restoring(in_one_thread(model, scale)), at_once)
                for scale in SCALES
                if scale in SCALES_OF[model] and (file := file_of(model, scale)).is_file()
            ]
    path = Path(name)
    if not path.is_file():
        allowed = ", ".join(shipped())
        raise InputError(f"{name}: found no such file; allowed: a file of weights, or {allowed}")
    with one_core():
        network = load_network(path, "cpu")
    # TensorFlow, which other files need, uses all cores for each image.
    side_by_side = at_once if path.suffix == ".onnx" else 1
    return [Method(name, network.scale, digits(path), restoring([network]), side_by_side)]


def bicubic(scale: int) -> Method:
    """Bicubic interpolation, the baseline of all gains."""
    return Method(BICUBIC, scale, "none", lambda lr: MADE_BY.enlarge(lr, scale))


def restoring(steps: Sequence[Network]) -> Callable[[Image], Image]:
    """The function that restores a photograph like `upscale`, with these networks."""
    return lambda lr: restore_photo(lr, steps).astype(np.uint8, copy=False)


def in_one_thread(model: Model, scale: int) -> list[Network]:
    """The networks of a model, each in one thread, because several images are restored at the same
    time. On small images, several threads of one network mostly wait for each other."""
    with one_core():
        return networks(scale, model, "cpu")


def digits(path: Path) -> str:
    """Eight hex digits that identify a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def add_rows(table: Path, method: Method, name: str, files: Sequence[Path]) -> None:
    """Score a method on a set of images, unless the table has rows of the same weights."""
    key = {"model": method.name, "scale": method.scale, "set": name}
    _, had = divided(table, key)
    words = f"{method.name} x{method.scale} on {name}"
    if [*had["case"]] == [*CASES] and {*had["weights"]} == {method.weights}:
        print(f"{words}: its rows are in {table}", flush=True)
        return
    print(f"{words} ...", flush=True)
    found = [{**key, **row, "weights": method.weights} for row in scores(method, files)]
    others, _ = divided(table, key)  # read again, because another run may have added rows
    rows = pd.concat([others, pd.DataFrame(found)], ignore_index=True)
    rows = rows.sort_values([*key], key=in_order, kind="stable")
    write_table(table, rows)


def divided(table: Path, key: Mapping[str, object]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a table without those of a key, and those of the key."""
    rows = read_rows(table, {*COLUMNS})
    if rows.empty:
        rows = pd.DataFrame(columns=COLUMNS)
    mine = (rows[[*key]] == [*key.values()]).all(axis=1)
    return rows[~mine], rows[mine]


def in_order(values: pd.Series) -> pd.Series:
    """The sort key of rows: scales, and names in the order below, with files last."""
    if values.name == "scale":
        return values.astype(int)
    known = [BICUBIC, *MODELS, *SETS]
    return values.map(lambda name: (known.index(name) if name in known else len(known), name))


def scores(method: Method, files: Sequence[Path], cases: Sequence[str] = CASES) -> Rows:
    """A row for each case: means over the images, and the number with worse luma than bicubic."""
    found = np.empty((len(cases), len(files), 4))

    def score(place: int) -> None:
        lr, hr = MADE_BY.pair(read_image(files[place]), method.scale)
        for number, case in enumerate(cases):
            given = spoiled(lr, case, files[place].stem)
            before = MADE_BY.enlarge(given, method.scale)
            for column, image in ((0, method.restore(given)), (2, before)):
                luma = MADE_BY.protocol.psnr(hr, image, method.scale)
                planes = (MADE_BY.protocol.crop(one, method.scale) for one in (hr, image))
                found[number, place, column : column + 2] = luma, psnr(*planes)

    with ThreadPoolExecutor(method.at_once) as pool:
        list(pool.map(score, range(len(files))))
    rows = []
    for case, of_case in zip(cases, found, strict=True):
        own, rgb, before, before_rgb = of_case.mean(axis=0)
        rows.append(
            {
                **{"case": case, "psnr": round(own, 4), "psnr_rgb": round(rgb, 4)},
                **{"gain": round(own - before, 4), "gain_rgb": round(rgb - before_rgb, 4)},
                "below": int((of_case[:, 0] < of_case[:, 2]).sum()),
                "images": len(files),
            }
        )
    return rows


if __name__ == "__main__":
    run(main)
