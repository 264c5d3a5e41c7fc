"""Stage `patch`: the luma of the training images and their patch positions, one file per scale.

    python -m stages.patch --scale 2 --dataset t91

Some whole images are held out, for the validation PSNR during training.
"""

from functools import partial as bind
from pathlib import Path

from srstudy.common.command_line import parse
from srstudy.common.errors import InputError
from srstudy.common.files import whole_file
from srstudy.common.params import read
from srstudy.common.progress import progress
from srstudy.common.running import run
from srstudy.common.values import at_scale
from srstudy.datasets.lr_folders import FULL, has_pair, names, parts, read_pair
from srstudy.datasets.parallel import ordered_map
from srstudy.degradations.shared.degradation import degradation
from srstudy.degradations.shared.settings import SynthesisSettings
from srstudy.images.pairs import Pair
from srstudy.images.protocols import Protocol
from srstudy.patches.grid import HELD_OUT, read_list, split, split_by
from srstudy.patches.settings import PatchSettings, size_faults, validation_fault
from srstudy.patches.writing import PatchWriter


def main() -> None:
    """Split the images; store the training images with their patch positions, and the held-out."""
    arguments = parse(__doc__, "scale", "dataset")
    settings = read(PatchSettings)
    scale = arguments.scale
    if faults := [*filter(None, [validation_fault(settings)]), *size_faults(settings, [scale])]:
        raise InputError("\n".join(faults))
    made_by = degradation(read(SynthesisSettings).degradation)
    size = at_scale(settings.patch_size, "patch_size", scale)
    stride = at_scale(settings.stride, "stride", scale)

    folder = Path(f"data/lr/x{scale}/train") / arguments.dataset
    if settings.validation_list:
        listed = read_list(HELD_OUT, arguments.dataset)
        training, held_out = split_by(names(folder), listed)
    else:
        share, count = settings.validation_share, settings.validation_images
        training, held_out = split(names(folder), share, count)
    jobs = [
        (part, name) for part in parts(folder) for name in training if has_pair(folder, part, name)
    ]
    luma_pair = bind(_luma_pair, folder, made_by.protocol)
    output = Path(f"data/patches/x{scale}.h5")
    with whole_file(output) as partial, PatchWriter(partial, size, stride, scale) as writer:
        pairs = progress(ordered_map(luma_pair, jobs), f"patch x{scale}", len(jobs), "image")
        for (part, name), pair in zip(jobs, pairs, strict=True):
            writer.add_image(f"{name}, {part}", pair)
        if not writer.patches:
            raise InputError(
                f"patch_size: found {size} for scale {scale}, but all images of "
                f"{arguments.dataset} are smaller; allowed: at most the smaller side of an image"
            )
        for name in held_out:
            writer.add_validation(name, luma_pair((FULL, name)))
        writer.finish(training, {"degradation": made_by.name, "dataset": arguments.dataset})
    print(
        f"{output}: {writer.patches} patches of {size} x {size} from {writer.images} images "
        f"and copies, {writer.skipped} smaller ones skipped, {len(held_out)} images held out"
    )


def _luma_pair(folder: Path, protocol: Protocol, job: tuple[str, str]) -> Pair:
    pair = read_pair(folder, *job)
    return Pair(protocol.training_luma(pair.lr), protocol.training_luma(pair.hr))


if __name__ == "__main__":
    run(main)
