"""Studies that train networks in parts: `make long`, `make photo` and `make fast`.

Each part is a DVC experiment. When it is done, its weights, its learning curve and its rows are in
the workspace. So a stopped study continues after it, also in another clone if they were committed.
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
from tools.writing import write_text

HELD_OUT, METHOD, PRETRAINING = "held-out", "plain", "pretraining"
COLUMNS = ("test_set", "scale", "method", "psnr", "ssim", "steps", "minutes", "machine")


@dataclass(frozen=True)
class Part:
    """One training at a scale, with a number of steps.

    start: the initial weights: those of a part of the same study, a file in git, or None for fresh
    weights; rate: the learning rate; last: the final rate as a share of it; seed: a different one
    for each part of the pretraining, so that it gets other batches; own: its changes in addition to
    the settings of all parts. A part whose name begins with `pretrained` is pretraining, with a
    constant rate; each other part has the name of its scale, such as x2.
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
    """A recipe with several parts, and the files that it writes.

    name: of the make command, also used in the names of files and experiments; model: the name of
    its networks in `upscale --model`; ground: the changes to params.yaml for all parts; parts: by
    name, each after the part that it starts from; beside: other methods that are scored on the same
    LR images.
    """

    name: str
    model: str
    ground: Mapping[str, object]
    parts: Mapping[str, Part]
    beside: tuple[str, ...] = ()

    @property
    def source(self) -> Path:
        """The file with the recipe."""
        return Path(f"tools/{self.name}_recipe.py")

    @property
    def table(self) -> Path:
        """The file of the rows: `COLUMNS`, for each part on the held-out images and test sets."""
        return Path(f"docs/{self.name}-recipe.csv")

    @property
    def page(self) -> Path:
        """The page with the table and the recipe."""
        return self.table.with_suffix(".md")

    @property
    def curves(self) -> Path:
        """The folder of the learning curves."""
        return Path(f"docs/{self.name}")

    @property
    def card(self) -> Path:
        """The card of the networks that come with `upscale`."""
        return Path(f"weights/{self.model}.md")

    def network(self, scale: int) -> Path:
        """The file of a network that comes with `upscale`."""
        return Path(f"weights/x{scale}-{self.model}.onnx")

    def weights_of(self, part: str) -> Path:
        """The file of a pretraining's weights, from which other parts start."""
        return Path(f"weights/{self.name}/{part}.weights.h5")

    def start_of(self, part: str) -> Path | None:
        """The file of a part's initial weights; None for fresh weights."""
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
        """The digits that identify the settings of a part and of the parts before it."""
        start = self.parts[name].start
        before = ""
        if isinstance(start, Path):
            # From its content, because other weights under the same name give another network.
            before = hashlib.sha256(_there(start, "that of git").read_bytes()).hexdigest()[:8]
        elif start:
            before = self.recipe_of(start)
        return digits_of({**self.settings(name), "before": before})

    def run(
        self,
        page_of: Callable[[pd.DataFrame], str],
        card_of: Callable[[pd.DataFrame], str],
    ) -> None:
        """Train the parts without rows; after each, write page and card from the rows so far."""

        def write(rows: pd.DataFrame) -> None:
            write_text(self.page, page_of(rows))
            write_text(self.card, card_of(rows))

        scored = 1 + len(TEST_SETS) * (1 + len(self.beside))
        counts = {name: 1 if pretrains(name) else scored for name in self.parts}
        rows = gather(
            *(self.table, counts, lambda name: rows_of(self, name), self.recipe_of),
            *(self.source, write, COLUMNS),
        )
        write(rows)
        print(self.page.read_text("utf-8"))


def pretrains(name: str) -> bool:
    """Whether a part is pretraining."""
    return name.startswith("pretrained")


def rows_of(study: Study, name: str) -> Rows:
    """Train one part; write its weights and curve here; return a row for each set of images.

    Pretraining is scored only on the held-out images: by the last point of its curve.
    """
    # With the recipe in its name: other initial weights make another experiment.
    part, changes = study.parts[name], study.settings(name)
    experiment = f"{study.name}-{name}-{study.recipe_of(name)}"
    start = study.start_of(name)
    from_git = f"that of {part.start}, from git, or made anew where {study.table} has no row of it"
    copied = [_there(start, from_git)] if start else []
    images = [f"synthesize-test@{part.scale}-{test_set}" for test_set in TEST_SETS]
    # As a separate experiment, so that the minutes include only the training.
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


def timed(clock: Path, experiment: str, train: Callable[[], object]) -> float | None:
    """Run an experiment that trains; return its minutes, or None if they are not known.

    They are not known if the training was stopped and continued, or if its result came from DVC's
    cache, from an earlier commit, and there is no clock file. clock: a file that is made when a
    training starts; when it is done, the file has its minutes.
    """
    before = clock.read_text("utf-8") if clock.is_file() else None
    told = float(before) if before else None
    if experiment in experiments():
        train()  # checks that it has the same params
        return told
    _write(clock, b"")
    begin, kept = time.monotonic(), results_kept()
    train()
    minutes: float | None = round((time.monotonic() - begin) / 60, 1)
    if results_kept() == kept:  # nothing was trained
        minutes = told
    elif before == "":  # a training that continued from its checkpoint
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
