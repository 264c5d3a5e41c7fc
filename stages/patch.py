"""Stage `patch`: overlapping luma patches of the training images, in one HDF5 file a scale.

    python -m stages.patch --scale 2 --dataset t91

Some images are held out, whole, for the validation PSNR during training.
"""

import argparse
from functools import partial as bind
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.core.errors import InputError
from stages.core.files import whole_file
from stages.core.lr_folders import FULL, names, parts, read_pair
from stages.core.parallel import ordered_map
from stages.core.patches import PatchWriter, cut, split
from stages.core.progress import progress
from stages.core.protocol import Protocol
from stages.core.running import run
from stages.core.scales import SCALES
from stages.core.settings.data import PatchSettings, SynthesisSettings
from stages.core.settings.reader import read


def main() -> None:
    """Split the images, cut the training ones, keep the held-out ones whole."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=int, choices=SCALES, required=True)
    parser.add_argument("--dataset", required=True)
    arguments = parser.parse_args()
    settings = read(PatchSettings)
    protocol = Protocol(read(SynthesisSettings).degradation)
    scale = arguments.scale
    size, stride = settings.patch_size[scale], settings.stride[scale]

    folder = Path(f"data/lr/x{scale}/train") / arguments.dataset
    training, held_out = split(names(folder), settings.validation_share)
    jobs = [
        (part, name)
        for part in parts(folder)
        for name in training
        if (folder / part / "hr" / f"{name}.png").exists()
    ]
    output = Path(f"data/patches/x{scale}.h5")
    skipped = 0
    with whole_file(output) as partial, PatchWriter(partial, size, scale) as writer:
        pairs = ordered_map(bind(_luma_pair, folder, protocol), jobs)
        for lr, hr in progress(pairs, f"patch x{scale}", len(jobs), "image"):
            small, large = cut(hr, lr, size, stride, scale)
            skipped += not len(large)
            if len(large):
                writer.add_patches(small, large)
        if not writer.patches:
            raise InputError(
                f"patch_size: found {size} for scale {scale}, and no image of "
                f"{arguments.dataset} is that large; allowed: the images' smaller side"
            )
        for name in held_out:
            writer.add_validation(name, *_luma_pair(folder, protocol, (FULL, name)))
        writer.describe(
            training,
            {
                "scale": scale,
                "patch_size": size,
                "stride": stride,
                "degradation": protocol.degradation,
                "dataset": arguments.dataset,
                "validation_images": len(held_out),
                "skipped_images": skipped,
            },
        )
    print(
        f"{output}: {writer.patches} patches of {size} x {size} from {len(jobs) - skipped} images "
        f"and copies, {skipped} smaller ones skipped, {len(held_out)} images held out"
    )


def _luma_pair(
    folder: Path, protocol: Protocol, job: tuple[str, str]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    hr, lr = read_pair(folder, *job)
    return protocol.training_luma(lr), protocol.training_luma(hr)


if __name__ == "__main__":
    run(main)
