"""The time of a training step on this machine, and the speed at which its network restores.

    python -m tools.step_time 2 training
    python -m tools.step_time 2 restoring

For the network in params.yaml, at a scale: seconds per step, on patches of noise; or HR megapixels
per second, parameters and multiply-adds. Each uses the same threads as its stage.
"""

import srstudy.backend.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

import argparse
import json
from collections.abc import Callable

import numpy as np

from srstudy.backend.devices import choose_strategy, one_core_for_each_part
from srstudy.backend.precision import precision_here
from srstudy.common.params import read
from srstudy.common.running import run
from srstudy.common.scales import SCALES
from srstudy.degradations.shared.settings import SynthesisSettings
from srstudy.images.pairs import Pair
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.inference import restore_luma
from srstudy.patches.settings import PatchSettings
from srstudy.training.recipe import Recipe
from srstudy.training.settings import NetworkSettings
from srstudy.training.trainer import Trainer
from tools.costs import HEIGHT, WIDTH, multiply_adds, parameters
from tools.timing import seconds


def main() -> None:
    """Measure one scale; the last line is JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scale", type=int, choices=SCALES)
    parser.add_argument("what", choices=MEASURED)
    arguments = parser.parse_args()
    print(json.dumps(MEASURED[arguments.what](arguments.scale)))


def training(scale: int) -> dict[str, float]:
    """The seconds of a step."""
    one_core_for_each_part()
    recipe, architecture = _chosen(scale)
    trainer = Trainer(recipe, architecture, precision_here(recipe.precision), choose_strategy())
    side, random = read(PatchSettings).patch_size[scale], np.random.default_rng(0)
    lr, hr = (
        random.integers(0, 256, (recipe.batch_size, pixels, pixels, 1), np.uint8)
        for pixels in (side // scale, side)
    )
    return {"seconds": seconds(lambda: trainer.step(Pair(lr, hr), 1e-4))}


def restoring(scale: int) -> dict[str, float]:
    """HR megapixels per second, and the parameters and multiply-adds of the network."""
    _, architecture = _chosen(scale)
    model = architecture.build()
    plane = np.random.default_rng(0).random((HEIGHT // scale, WIDTH // scale))
    return {
        "megapixels": plane.size * scale**2 / 1e6 / seconds(lambda: restore_luma(model, plane), 3),
        "parameters": parameters(model),
        "multiply_adds": multiply_adds(model, scale),
    }


def _chosen(scale: int) -> tuple[Recipe, Architecture]:
    recipe = Recipe.of(read(NetworkSettings), scale, steps=1)
    return recipe, recipe.architecture(read(SynthesisSettings).degradation)


MEASURED: dict[str, Callable[[int], dict[str, float]]] = {
    "training": training,
    "restoring": restoring,
}


if __name__ == "__main__":
    run(main)
