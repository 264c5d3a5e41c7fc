"""Stages `train-plain` and `train-regularized`: one network for a scale and a setting.

    python -m stages.train --scale 2 --setting regularized

plain: the loss alone; regularized: the same plus lambda times the squared gradient. At lambda = 0
both settings give the same bytes.
"""

import stages.core.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

import argparse
from pathlib import Path

from stages.core.files import write_json
from stages.core.running import run
from stages.core.scales import SCALES
from stages.core.settings.reader import read
from stages.core.settings.training import RegularizationSettings, TrainSettings
from stages.core.trainer import one_core_for_each_part
from stages.core.training import train


def main() -> None:
    """Train from the pretrained weights; write weights, learning curve and validation score."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=int, choices=SCALES, required=True)
    parser.add_argument("--setting", choices=("plain", "regularized"), required=True)
    arguments = parser.parse_args()
    scale, name = arguments.scale, f"x{arguments.scale}-{arguments.setting}"
    settings = read(TrainSettings)
    regularized = arguments.setting == "regularized"
    smoothness_weight = read(RegularizationSettings).lambda_ if regularized else 0.0

    start = Path("models/pretrained.weights.h5")
    last = train(
        name,
        scale,
        settings,
        settings.epochs[scale],
        smoothness_weight,
        start,
        settings.final_rate_share,
    )

    result = {"psnr": round(last.validation_psnr, 4), "steps": last.step}
    write_json(
        Path(f"metrics/validation/{name}.json"),
        {"validation": {f"x{scale}": {arguments.setting: result}}},
    )
    print(
        f"{name}: {settings.network}, lambda {smoothness_weight:g}, {last.step} steps, "
        f"validation {last.validation_psnr:.2f} dB"
    )


if __name__ == "__main__":
    one_core_for_each_part()
    run(main)
