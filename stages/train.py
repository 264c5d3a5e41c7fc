"""Stages `train-plain` and `train-regularized`: one network for a scale and a setting.

    python -m stages.train --scale 2 --setting regularized

plain: mean squared error; regularized: the same plus lambda times the squared gradient. At
lambda = 0 both settings give the same bytes.
"""

import stages.core.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from stages.core.batches import Batches
from stages.core.errors import InputError, run
from stages.core.files import whole_file, write_json
from stages.core.patches import PatchFile
from stages.core.scales import SCALES
from stages.core.settings.reader import read
from stages.core.settings.training import RegularizationSettings, TrainSettings
from stages.core.trainer import Schedule, Trainer, choose_strategy
from stages.core.weights import Architecture, save


def main() -> None:
    """Train on the scale's patches; write the weights and the learning curve."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=int, choices=SCALES, required=True)
    parser.add_argument("--setting", choices=("plain", "regularized"), required=True)
    arguments = parser.parse_args()
    scale, name = arguments.scale, f"x{arguments.scale}-{arguments.setting}"
    settings = read(TrainSettings)
    regularized = arguments.setting == "regularized"
    smoothness_weight = read(RegularizationSettings).lambda_ if regularized else 0.0

    with PatchFile(Path(f"data/patches/x{scale}.h5"), scale) as patches:
        architecture = Architecture(
            settings.network,
            scale,
            getattr(settings.network_size, settings.network).model_dump(),
            patches.degradation,
        )
        schedule = Schedule(
            settings.epochs[scale],
            settings.learning_rate,
            settings.warmup_share,
            settings.gradient_clip,
            settings.ema,
        )
        trainer = Trainer(
            architecture,
            schedule,
            smoothness_weight,
            settings.precision,
            settings.seed,
            choose_strategy(),
        )
        batches = Batches(
            patches, settings.batch_size[scale], settings.seed, settings.flips_and_rotations
        )
        model, curve = trainer.train(batches, list(patches.validation()), f"train {name}")

    if not np.isfinite(curve[-1].loss):
        raise InputError(
            f"learning_rate: found {settings.learning_rate}, and the loss of {name} is no number "
            f"after {curve[-1].step} steps; allowed: a smaller one, or a smaller gradient_clip"
        )
    save(Path(f"models/{name}.weights.h5"), model, architecture)
    with whole_file(Path(f"metrics/curves/{name}.csv")) as partial:
        pd.DataFrame(curve).to_csv(partial, index=False, float_format="%.8g")
    last = curve[-1]
    result = {"psnr": round(last.validation_psnr, 4), "steps": last.step}
    write_json(
        Path(f"metrics/validation/{name}.json"),
        {"validation": {f"x{scale}": {arguments.setting: result}}},
    )
    print(
        f"{name}: {settings.network}, {model.count_params():,} weights, "
        f"lambda {smoothness_weight:g}, {last.step} steps, "
        f"validation {last.validation_psnr:.2f} dB"
    )


if __name__ == "__main__":
    run(main)
