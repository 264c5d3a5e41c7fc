"""Trains a network from a recipe and a patch file, and writes its files; for all stages."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from srstudy.backend.checkpoints import Checkpoints, fingerprint
from srstudy.backend.devices import choose_strategy
from srstudy.backend.precision import precision_here
from srstudy.common.files import whole_file
from srstudy.networks.shared.weights import load, save, trained_steps
from srstudy.patches.batches import Batches
from srstudy.patches.reading import PatchFile
from srstudy.training.recipe import Recipe
from srstudy.training.trainer import CurvePoint, Trainer


def train(name: str, recipe: Recipe, start: Path | None = None) -> CurvePoint:
    """Train on data/patches; write models/NAME.weights.h5 and metrics/curves/NAME.csv.

    start: the weights file to start from; None for fresh weights. Returns the last row of the
    learning curve. The curve's file grows while the training runs. A killed run resumes from its
    checkpoint and ends with the same bytes.
    """
    curve_path = Path(f"metrics/curves/{name}.csv")

    def write(curve: Sequence[CurvePoint]) -> None:
        with whole_file(curve_path) as partial:
            pd.DataFrame(curve).to_csv(partial, index=False, float_format="%.8g")

    precision = precision_here(recipe.precision)
    patch_path = Path(f"data/patches/x{recipe.scale}.h5")
    with PatchFile(patch_path, recipe.scale) as patches:
        architecture = recipe.architecture(patches.degradation)
        beginning, before = None, 0
        if start is not None:
            beginning, before = load(start, fits=architecture), trained_steps(start)
        trainer = Trainer(recipe, architecture, precision, choose_strategy(), beginning, before)
        batches = Batches(patches, recipe.batch_size, recipe.seed, recipe.augment)
        data = [patch_path] if start is None else [patch_path, start]
        checkpoints = Checkpoints(fingerprint([name, asdict(recipe), precision], *data))
        with checkpoints.alone():
            held_out = list(patches.validation())
            model, curve = trainer.train(batches, held_out, f"train {name}", checkpoints, write)
            # Written again, for a resumed run that was killed after its last row.
            write(curve)
            steps = trainer.trained + curve[-1].step
            save(Path(f"models/{name}.weights.h5"), model, architecture, steps)
            checkpoints.clear()
    return curve[-1]
