"""From settings and a patch file to a trained network and its files, for every training stage."""

from dataclasses import asdict
from functools import partial
from pathlib import Path

import pandas as pd

from stages.core.batches import Batches
from stages.core.checkpoints import Checkpoints, fingerprint
from stages.core.files import whole_file
from stages.core.losses import loss
from stages.core.patches import PatchFile
from stages.core.precision import precision_here
from stages.core.settings.training import NetworkSettings
from stages.core.trainer import CurvePoint, Schedule, Trainer, choose_strategy
from stages.core.weights import Architecture, load, save


def train(
    name: str,
    scale: int,
    settings: NetworkSettings,
    epochs: int,
    smoothness_weight: float = 0.0,
    start: Path | None = None,
    final_rate_share: float = 0.0,
) -> CurvePoint:
    """Train on data/patches; write models/NAME.weights.h5 and metrics/curves/NAME.csv.

    start: the weights file to go out from, None for fresh weights; final_rate_share: of the peak,
    where the learning rate ends. Returns the learning curve's last row. A run that was killed goes
    on from its checkpoint and ends with the same bytes.
    """
    precision = precision_here(settings.precision)
    patch_path = Path(f"data/patches/x{scale}.h5")
    with PatchFile(patch_path, scale) as patches:
        size = getattr(settings.network_size, settings.network).model_dump()
        architecture = Architecture(settings.network, scale, size, patches.degradation)
        schedule = Schedule(
            epochs,
            settings.learning_rate[scale],
            settings.warmup_share,
            settings.gradient_clip,
            settings.ema,
            settings.optimizer,
            final_rate_share,
        )
        trainer = Trainer(
            architecture,
            schedule,
            partial(loss, settings.loss, smoothness_weight),
            precision,
            settings.seed,
            choose_strategy(),
            None if start is None else load(start),
        )
        batches = Batches(
            patches, settings.batch_size[scale], settings.seed, settings.flips_and_rotations
        )
        values = [name, settings.model_dump(), asdict(schedule), smoothness_weight, precision]
        data = [patch_path] if start is None else [patch_path, start]
        checkpoints = Checkpoints(fingerprint(values, *data))
        with checkpoints.alone():
            held_out = list(patches.validation())
            model, curve = trainer.train(batches, held_out, f"train {name}", checkpoints)
            save(Path(f"models/{name}.weights.h5"), model, architecture)
            with whole_file(Path(f"metrics/curves/{name}.csv")) as partial_file:
                pd.DataFrame(curve).to_csv(partial_file, index=False, float_format="%.8g")
            checkpoints.clear()
    return curve[-1]
