"""The strongest plain networks that an evening on two cores trains, on 290 images: `make long`.

Pretraining at x2 in parts, then a network for each scale. Each part is a DVC experiment; when it is
done its weights (weights/long/, weights/*-clean.onnx), its learning curve (docs/long/) and its rows
(docs/long-recipe.csv) are in the workspace, so that a study that was stopped goes on after it, also
in another clone where they were committed. Writes docs/long-recipe.md.
"""

import io
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import pandas as pd

from srstudy.common.errors import InputError
from srstudy.common.files import whole_file
from srstudy.common.running import run
from srstudy.training.settings import FRESH
from tools.bench import machine
from tools.experiments import (
    at_scales,
    experiments,
    read_bytes,
    read_from,
    results_kept,
    run_experiment,
)
from tools.long_page import card, page
from tools.repeats import ON_290, TEST_SETS, Rows, digits_of, gather, means

TABLE, PAGE, CURVES = Path("docs/long-recipe.csv"), Path("docs/long-recipe.md"), Path("docs/long")
WEIGHTS, CARD = Path("weights/long"), Path("weights/clean.md")
SOURCE = Path("tools/long_recipe.py")
HELD_OUT, METHOD = "held-out", "plain"
# A file for each training that was begun, with its minutes when it is done.
CLOCKS = Path(".dvc/tmp/long")
SCALES = (2, 3, 4, 8)
COLUMNS = ("test_set", "scale", "method", "psnr", "ssim", "steps", "minutes", "machine")

GROUND: dict[str, object] = {
    **ON_290,
    "patch_size": "{x2: 64, x3: 66, x4: 128, x8: 128}",
    "stride": "{x2: 24, x3: 24, x4: 48, x8: 48}",
    "network": "progressive",
    "network_size.progressive": "{channels: 64, blocks: 12, equivariant: true}",
    "loss": "charbonnier",
    "batch_size": "{x2: 16, x3: 16, x4: 8, x8: 8}",
    "warmup_share": 0.02,
    "epochs": at_scales("null", SCALES),
}


@dataclass(frozen=True)
class Part:
    """One training: at a scale, from the weights of another part, in so many steps.

    rate: the learning rate; last: the share of it where the rate ends; seed: another one for each
    part of the pretraining, so that it sees other batches; own: what it changes beside the common
    settings. A part whose name begins with `pretrained` is pretraining.
    """

    scale: int
    start: str | None
    steps: int
    rate: float = 0.002
    last: float = 1.0
    seed: int = 1
    own: Mapping[str, object] = field(default_factory=dict)


# As many LR pixels across as at the other scales: with fewer a network sees past the patch's edge.
WIDE_X3: dict[str, object] = {
    "patch_size": "{x2: 64, x3: 96, x4: 128, x8: 128}",
    "stride": "{x2: 24, x3: 36, x4: 48, x8: 48}",
    "batch_size": "{x2: 16, x3: 8, x4: 8, x8: 8}",
}
PARTS = {
    "pretrained-1": Part(2, None, 3300),
    "pretrained-2": Part(2, "pretrained-1", 3300, seed=2),
    "pretrained-3": Part(2, "pretrained-2", 3300, rate=0.0007, seed=3),
    "x2": Part(2, "pretrained-3", 1600, rate=0.0004, last=0.0, seed=4),
    "pretrained-x3": Part(3, "pretrained-3", 3000, rate=0.001, seed=4, own=WIDE_X3),
    "x3": Part(
        3, "pretrained-x3", 1600, rate=0.0004, last=0.0, seed=5, own={**WIDE_X3, "loss": "mse"}
    ),
    "x4": Part(4, "pretrained-3", 900, rate=0.0007, last=0.0, seed=4, own={"loss": "mse"}),
    "x8": Part(8, "pretrained-3", 300, rate=0.0004, last=0.0, seed=4),
}


def main() -> None:
    """Run what is missing, write table and page."""
    counts = {name: 1 if pretrains(name) else 1 + len(TEST_SETS) for name in PARTS}
    write(gather(TABLE, counts, rows_of, recipe_of, SOURCE, write, COLUMNS))
    print(PAGE.read_text("utf-8"))


def write(rows: pd.DataFrame) -> None:
    """The page of the rows so far, and the card of the networks that are there."""
    PAGE.write_text(page(rows, GROUND, HELD_OUT, starts()), encoding="utf-8")
    CARD.write_text(card(rows[rows["test_set"].isin(TEST_SETS)], GROUND), encoding="utf-8")


def starts() -> dict[str, str | None]:
    """Whose weights each part begins with."""
    return {name: part.start for name, part in PARTS.items()}


def recipe_of(name: str) -> str:
    """The digits that stand for a part and those before it."""
    part = PARTS[name]
    before = recipe_of(part.start) if part.start else ""
    return digits_of({**settings(name), "before": before})


def pretrains(name: str) -> bool:
    """Whether a part is one of the pretraining's."""
    return name.startswith("pretrained")


def settings(name: str) -> dict[str, object]:
    """The changes to params.yaml for a part."""
    part = PARTS[name]
    key = f"x{part.scale}"
    budget: dict[str, object] = (
        {"pretrain_steps": part.steps, "pretrain_epochs": "null", f"steps.{key}": 1}
        if pretrains(name)
        else {"pretrain_steps": "null", "pretrain_epochs": 0, f"steps.{key}": part.steps}
    )
    return {
        **GROUND,
        "scales": [part.scale],
        "start_from": str(weights_of(part.start)) if part.start else FRESH,
        "seed": part.seed,
        f"learning_rate.{key}": part.rate,
        "final_rate_share": part.last,
        **part.own,
        **budget,
    }


def weights_of(name: str) -> Path:
    """The file of a pretraining's weights, which others start from."""
    return WEIGHTS / f"{name}.weights.h5"


def rows_of(name: str) -> Rows:
    """Train one part; its weights and curve into the workspace, and a row for each set of images.

    Pretraining is scored on the held-out images alone: of its curve's last point.
    """
    # By its recipe too: weights that began with others are another experiment's.
    part, changes, experiment = PARTS[name], settings(name), f"long-{name}-{recipe_of(name)}"
    copied = [weights_of(part.start)] if part.start else []
    for path in copied:
        if not path.is_file():
            raise InputError(
                f"{path}: found no file; allowed: that of {part.start}, from git, or made anew "
                f"where {TABLE} has no row of it"
            )
    images = [f"synthesize-test@{part.scale}-{test_set}" for test_set in TEST_SETS]
    # By itself, so that the minutes are the training's.
    run_experiment(f"{experiment}-data", changes, [f"patch@{part.scale}", *images], copied)
    model = "pretrained" if pretrains(name) else f"x{part.scale}-{METHOD}"
    stage = "pretrain" if pretrains(name) else f"train-{METHOD}@{part.scale}"
    minutes = timed(experiment, lambda: run_experiment(experiment, changes, [stage], copied))

    curve = read_from(experiment, f"metrics/curves/{model}.csv")
    _write(CURVES / f"{name}.csv", curve.encode())
    weights = read_bytes(experiment, f"models/{model}.weights.h5")
    last = pd.read_csv(io.StringIO(curve)).iloc[-1]
    entries: dict[str, Mapping[str, float]] = {HELD_OUT: {"psnr": float(last["validation_psnr"])}}
    if pretrains(name):
        _write(weights_of(name), halved(weights))
    else:
        targets = [f"evaluate@{part.scale}-{METHOD}-{test_set}" for test_set in TEST_SETS]
        run_experiment(f"{experiment}-scores", changes, targets, copied)
        of = f"{experiment}-scores"
        entries |= {t: means(of, part.scale, t, METHOD) for t in TEST_SETS}
        export(weights, part.scale)
    told = {"steps": part.steps, "minutes": minutes, "machine": machine()}
    key = {"scale": part.scale, "method": METHOD if not pretrains(name) else "pretraining"}
    return [
        {"test_set": images, **key, "psnr": found["psnr"], "ssim": found.get("ssim"), **told}
        for images, found in entries.items()
    ]


def timed(experiment: str, train: Callable[[], None]) -> float | None:
    """Run an experiment that trains; its minutes, None where nobody knows them.

    So it is where a training was stopped in between, and where DVC's cache had its result, of an
    earlier commit, and no clock is there.
    """
    clock = CLOCKS / experiment
    before = clock.read_text("utf-8") if clock.is_file() else None
    told = float(before) if before else None
    if experiment in experiments():
        train()  # checks that it is the same
        return told
    _write(clock, b"")
    begin, kept = time.monotonic(), results_kept()
    train()
    minutes: float | None = round((time.monotonic() - begin) / 60, 1)
    if results_kept() == kept:  # nothing was trained
        minutes = told
    elif before == "":  # a training that goes on from its checkpoint
        minutes = None
    if minutes is None:
        clock.unlink()
    else:
        _write(clock, str(minutes).encode())
    return minutes


def export(weights: bytes, scale: int) -> None:
    """The network as `upscale` takes it: weights/xS-clean.onnx."""
    from srstudy.export.onnx_files import save_onnx  # starts TensorFlow
    from srstudy.networks.shared.weights import load

    with TemporaryDirectory() as folder:
        source = Path(folder) / "trained.weights.h5"
        source.write_bytes(weights)
        model, architecture = load(source, scale)
        save_onnx(WEIGHTS.parent / f"x{scale}-clean.onnx", model, architecture, source, half=True)


def halved(weights: bytes) -> bytes:
    """A file of weights with numbers of 16 bits, in half the size; Keras reads it as any other."""
    halves = io.BytesIO()
    with h5py.File(io.BytesIO(weights), "r") as source, h5py.File(halves, "w") as target:
        for key, value in source.attrs.items():
            target.attrs[key] = value

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Dataset):
                # Rounded by NumPy: HDF5's own conversion is not to the nearest.
                whole = item[()]
                data = whole.astype(np.float16) if whole.dtype == np.float32 else whole
                target.create_dataset(name, data=data)
            else:
                target.require_group(name)
            for key, value in item.attrs.items():
                target[name].attrs[key] = value

        source.visititems(copy)
    return halves.getvalue()


def _write(path: Path, content: bytes) -> None:
    with whole_file(path) as partial:
        partial.write_bytes(content)


if __name__ == "__main__":
    run(main)
