"""Stages `train-plain` and `train-regularized`: train one network for a scale and a setting.

    python -m stages.train --scale 2 --setting regularized

plain: only the loss; regularized: the loss plus lambda times the squared gradient. At lambda = 0,
both settings give the same bytes.
"""

import srstudy.backend.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

import math
from pathlib import Path

from srstudy.backend.devices import one_core_for_each_part
from srstudy.common.command_line import parse
from srstudy.common.files import write_json
from srstudy.common.params import read
from srstudy.common.running import run
from srstudy.common.values import at_scale
from srstudy.training.recipe import Recipe
from srstudy.training.settings import RegularizationSettings, TrainSettings
from srstudy.training.training import train


def main() -> None:
    """Train from the pretrained weights; write weights, learning curve and validation score."""
    arguments = parse(__doc__, "scale", "setting")
    scale, setting = arguments.scale, arguments.setting
    settings, name = read(TrainSettings), f"x{scale}-{setting}"
    recipe = Recipe.of(
        settings,
        scale,
        lambda_=read(RegularizationSettings).lambda_ if setting == "regularized" else 0.0,
        epochs=at_scale(settings.epochs, "epochs", scale),
        steps=at_scale(settings.steps, "steps", scale),
        final_rate_share=settings.final_rate_share,
    )
    last = train(name, recipe, start=Path("models/pretrained.weights.h5"))

    # The PSNR is infinite if all images are restored exactly; JSON has no infinity.
    psnr = round(last.validation_psnr, 4) if math.isfinite(last.validation_psnr) else None
    result = {"psnr": psnr, "steps": last.step}
    path = Path(f"metrics/validation/{name}.json")
    write_json(path, {"validation": {f"x{scale}": {setting: result}}})
    print(
        f"{name}: {recipe.network}, lambda {recipe.lambda_:g}, {last.step} steps, "
        f"validation {last.validation_psnr:.2f} dB"
    )


if __name__ == "__main__":
    one_core_for_each_part()
    run(main)
