"""Studies that train networks in parts: `make long`, `make photo` and `make fast`.

Each part is a DVC experiment. When it is done, its weights, its learning curve and its rows are in
the workspace, so that a study that was stopped goes on after it, also in another clone where they
were committed.
"""

import hashlib
import io
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from srstudy.common.errors import InputError
from srstudy.common.files import whole_file
from srstudy.training.settings import FRESH
from tools.bench import machine
from tools.experiments import (
    experiments,
    read_bytes,
    read_from,
    results_kept,
    run_experiment,
)
from tools.kept_weights import export, halved
from tools.repeats import TEST_SETS, Rows, digits_of, gather, means

HELD_OUT, METHOD, PRETRAINING = "held-out", "plain", "pretraining"
COLUMNS = ("test_set", "scale", "method", "psnr", "ssim", "steps", "minutes", "machine")


@dataclass(frozen=True)
class Part:
    """One training: at a scale, in so many steps.

    start: whose weights it begins with: a part of the same study, a file that git has, or fresh
    ones; rate: the learning rate; last: the share of it where the rate ends; seed: another one for
    each part of the pretraining, so that it sees other batches; own: what it changes beside the
    settings of all parts. A part whose name begins with `pretrained` is pretraining, of which the
    rate is held; the other parts have the name of their scale: x2.
    """

    scale: int
    start: str | Path | None
    steps: int
    rate: float = 0.002
    last: float = 1.0
    seed: int = 1
    own: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """A recipe of parts, and the files that it writes.

    name: of the make command, and in the names of files and experiments; model: what `upscale
    --model` calls its networks; ground: the changes to params.yaml of all parts; parts: by name,
    each after the one that it starts from; beside: what is scored on the same LR images besides the
    networks.
    """

    name: str
    model: str
    ground: Mapping[str, object]
    parts: Mapping[str, Part]
    beside: tuple[str, ...] = ()

    @property
    def source(self) -> Path:
        """The file that has the recipe."""
        return Path(f"tools/{self.name}_recipe.py")

    @property
    def table(self) -> Path:
        """The rows: `COLUMNS`, for each part of the held-out images and of the test sets."""
        return Path(f"docs/{self.name}-recipe.csv")

    @property
    def page(self) -> Path:
        """The table and the recipe, to be read."""
        return self.table.with_suffix(".md")

    @property
    def curves(self) -> Path:
        """The folder of the learning curves."""
        return Path(f"docs/{self.name}")

    @property
    def card(self) -> Path:
        """What there is to know of the networks that ship."""
        return Path(f"weights/{self.model}.md")

    def network(self, scale: int) -> Path:
        """The file of a network that ships."""
        return Path(f"weights/x{scale}-{self.model}.onnx")

    def weights_of(self, part: str) -> Path:
        """The file of a pretraining's weights, which others start from."""
        return Path(f"weights/{self.name}/{part}.weights.h5")

    def start_of(self, part: str) -> Path | None:
        """The file of weights that a part begins with; None for fresh ones."""
        start = self.parts[part].start
        return self.weights_of(start) if isinstance(start, str) else start

    def settings(self, name: str) -> dict[str, object]:
        """The changes to params.yaml for a part."""
        part, start = self.parts[name], self.start_of(name)
        key = f"x{part.scale}"
        budget: dict[str, object] = (
            {"pretrain_steps": part.steps, "pretrain_epochs": "null", f"steps.{key}": 1}
            if pretrains(name)
            else {"pretrain_steps": "null", "pretrain_epochs": 0, f"steps.{key}": part.steps}
        )
        return {
            **self.ground,
            "scales": [part.scale],
            "start_from": start.as_posix() if start else FRESH,
            "seed": part.seed,
            f"learning_rate.{key}": part.rate,
            "final_rate_share": part.last,
            **part.own,
            **budget,
        }

    def recipe_of(self, name: str) -> str:
        """The digits that stand for a part and those before it."""
        start = self.parts[name].start
        before = ""
        if isinstance(start, Path):
            # Of its content: other weights under the same name make another network.
            before = hashlib.sha256(_there(start, "that of git").read_bytes()).hexdigest()[:8]
        elif start:
            before = self.recipe_of(start)
        return digits_of({**self.settings(name), "before": before})

    def run(self, write: Callable[[pd.DataFrame], None]) -> None:
        """Train what has no rows yet; `write` is called with the rows so far, and at the end."""
        scored = 1 + len(TEST_SETS) * (1 + len(self.beside))
        counts = {name: 1 if pretrains(name) else scored for name in self.parts}
        rows = gather(
            *(self.table, counts, lambda name: rows_of(self, name), self.recipe_of),
            *(self.source, write, COLUMNS),
        )
        write(rows)
        print(self.page.read_text("utf-8"))


def pretrains(name: str) -> bool:
    """Whether a part is one of the pretraining's."""
    return name.startswith("pretrained")


def rows_of(study: Study, name: str) -> Rows:
    """Train one part; its weights and curve into the workspace, and a row for each set of images.

    Pretraining is scored on the held-out images alone: of its curve's last point.
    """
    # By its recipe too: weights that began with others are another experiment's.
    part, changes = study.parts[name], study.settings(name)
    experiment = f"{study.name}-{name}-{study.recipe_of(name)}"
    start = study.start_of(name)
    from_git = f"that of {part.start}, from git, or made anew where {study.table} has no row of it"
    copied = [_there(start, from_git)] if start else []
    images = [f"synthesize-test@{part.scale}-{test_set}" for test_set in TEST_SETS]
    # By itself, so that the minutes are the training's.
    run_experiment(f"{experiment}-data", changes, [f"patch@{part.scale}", *images], copied)
    model = "pretrained" if pretrains(name) else f"x{part.scale}-{METHOD}"
    stage = "pretrain" if pretrains(name) else f"train-{METHOD}@{part.scale}"
    clock = Path(f".dvc/tmp/{study.name}/{experiment}")
    minutes = timed(clock, experiment, lambda: run_experiment(experiment, changes, [stage], copied))

    curve = read_from(experiment, f"metrics/curves/{model}.csv")
    _write(study.curves / f"{name}.csv", curve.encode())
    weights = read_bytes(experiment, f"models/{model}.weights.h5")
    last = pd.read_csv(io.StringIO(curve)).iloc[-1]
    told = {"steps": part.steps, "minutes": minutes, "machine": machine()}

    def row(images: str, method: str, found: Mapping[str, float]) -> dict[str, object]:
        key = {"test_set": images, "scale": part.scale, "method": method}
        return {**key, "psnr": found["psnr"], "ssim": found.get("ssim"), **told}

    held_out = {"psnr": float(last["validation_psnr"])}
    if pretrains(name):
        _write(study.weights_of(name), halved(weights))
        return [row(HELD_OUT, PRETRAINING, held_out)]
    targets = [f"evaluate@{part.scale}-{METHOD}-{test_set}" for test_set in TEST_SETS]
    targets += [f"{other}@{part.scale}-{t}" for other in study.beside for t in TEST_SETS]
    scores = f"{experiment}-scores"
    run_experiment(scores, changes, targets, copied)
    methods = (METHOD, *study.beside)
    found = [(t, m, means(scores, part.scale, t, m)) for m in methods for t in TEST_SETS]
    export(weights, part.scale, study.network(part.scale))
    return [row(HELD_OUT, METHOD, held_out), *(row(*entry) for entry in found)]


def timed(clock: Path, experiment: str, train: Callable[[], None]) -> float | None:
    """Run an experiment that trains; its minutes, None where nobody knows them.

    So it is where a training was stopped in between, and where DVC's cache had its result, of an
    earlier commit, and no clock is there. clock: a file for each training that was begun, with its
    minutes when it is done.
    """
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


def _there(path: Path, allowed: str) -> Path:
    if not path.is_file():
        raise InputError(f"{path}: found no file; allowed: {allowed}")
    return path


def _write(path: Path, content: bytes) -> None:
    with whole_file(path) as partial:
        partial.write_bytes(content)
