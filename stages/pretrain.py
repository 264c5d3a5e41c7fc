"""Stage `pretrain`: the training that all networks of the study start from, done once.

    python -m stages.pretrain --scale 2

Loss without lambda, learning rate held at its peak: each network then goes on from here, at its
own scale and in its own setting, while its rate falls. With `pretrain_epochs: 0` the file
holds fresh weights.
"""

import stages.core.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

import argparse

from stages.core.running import run
from stages.core.scales import SCALES
from stages.core.settings.reader import read
from stages.core.settings.training import PretrainSettings
from stages.core.trainer import one_core_for_each_part
from stages.core.training import train


def main() -> None:
    """Train on one scale's patches; write the weights and the learning curve."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=int, choices=SCALES, required=True)
    scale = parser.parse_args().scale
    settings = read(PretrainSettings)
    last = train("pretrained", scale, settings, settings.pretrain_epochs, final_rate_share=1.0)
    print(
        f"pretrained: {settings.network} x{scale}, {last.step} steps, "
        f"validation {last.validation_psnr:.2f} dB"
    )


if __name__ == "__main__":
    one_core_for_each_part()
    run(main)
