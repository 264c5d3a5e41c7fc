"""How long a step of a training takes on this machine, and how fast its network restores.

    python -m tools.step_time 2

Of the network that params.yaml chooses, at a scale: seconds a step, on patches of noise; HR
megapixels a second; parameters; multiply-adds.
"""

import srstudy.backend.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

import argparse
import json

import numpy as np

from srstudy.backend.devices import choose_strategy, one_core_for_each_part
from srstudy.backend.precision import precision_here
from srstudy.common.params import read
from srstudy.common.running import run
from srstudy.common.scales import SCALES
from srstudy.degradations.shared.settings import SynthesisSettings
from srstudy.images.pairs import Pair
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
    scale = parser.parse_args().scale
    one_core_for_each_part()
    recipe = Recipe.of(read(NetworkSettings), scale, steps=1)
    architecture = recipe.architecture(read(SynthesisSettings).degradation)
    trainer = Trainer(recipe, architecture, precision_here(recipe.precision), choose_strategy())
    side, random = read(PatchSettings).patch_size[scale], np.random.default_rng(0)
    lr, hr = (
        random.integers(0, 256, (recipe.batch_size, pixels, pixels, 1), np.uint8)
        for pixels in (side // scale, side)
    )
    model, plane = architecture.build(), random.random((HEIGHT // scale, WIDTH // scale))
    found = {
        "seconds": seconds(lambda: trainer.step(Pair(lr, hr), 1e-4)),
        "megapixels": plane.size * scale**2 / 1e6 / seconds(lambda: restore_luma(model, plane), 3),
        "parameters": parameters(model),
        "multiply_adds": multiply_adds(model, scale),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    run(main)
