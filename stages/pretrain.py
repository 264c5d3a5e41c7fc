"""Stage `pretrain`: one training, from which all networks of the study start.

    python -m stages.pretrain --scale 2

The loss has no lambda term, and the learning rate stays at its peak. Each network then continues
from here, at its own scale and setting, while its learning rate falls. With `pretrain_epochs: 0`,
the file holds the weights that `start_from` names: fresh ones, or those of another training.
"""

import srstudy.backend.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

from srstudy.backend.devices import one_core_for_each_part
from srstudy.common.command_line import parse
from srstudy.common.params import read
from srstudy.common.running import run
from srstudy.training.recipe import Recipe
from srstudy.training.settings import PretrainSettings
from srstudy.training.training import train


def main() -> None:
    """Train on the patches of one scale; write the weights and the learning curve."""
    scale, settings = parse(__doc__, "scale").scale, read(PretrainSettings)
    recipe = Recipe.of(
        settings,
        scale,
        epochs=settings.pretrain_epochs,
        steps=settings.pretrain_steps,
        final_rate_share=1.0,
    )
    last = train("pretrained", recipe, settings.start)
    print(
        f"pretrained: {recipe.network} x{scale}, {last.step} steps, "
        f"validation {last.validation_psnr:.2f} dB"
    )


if __name__ == "__main__":
    one_core_for_each_part()
    run(main)
