"""The settings of patches: how the training images are split and cut."""

from srstudy.common.params import Slice, one_of_two
from srstudy.common.values import CountPerScale, per_scale, whole, within

LEAST_LR_PIXELS = 4  # of a patch's side
LARGEST_PATCH = 4096  # HR pixels


class PatchSettings(Slice):
    """HR pixels of a patch and between two, by scale, and which images are held out whole.

    How many of them is said by one of the two, as a share or as a count.
    """

    patch_size: CountPerScale = per_scale("x2: 64, x4: 128")
    stride: CountPerScale = per_scale("x2: 24, x4: 48")
    validation_share: float | None = within(least=0.01, most=0.5, or_null=True)
    validation_images: int | None = whole(least=1, most=1_000_000, or_null=True)


def validation_fault(patches: PatchSettings) -> str | None:
    """The line where not exactly one of share and count is given."""
    share, count = patches.validation_share, patches.validation_images
    return one_of_two("validation_share", share, "validation_images", count)


def size_faults(patches: PatchSettings, scales: list[int]) -> list[str]:
    """What is wrong with the sizes and strides of the scales studied, a line each."""
    faults = []
    for key, values in (("patch_size", patches.patch_size), ("stride", patches.stride)):
        faults += [
            f"{key}.x{scale}: found {values[scale]}; allowed: a multiple of {scale}"
            for scale in scales
            if scale in values and values[scale] % scale
        ]
    for scale in scales:
        size, least = patches.patch_size.get(scale), LEAST_LR_PIXELS * scale
        if size is not None and not least <= size <= LARGEST_PATCH:
            faults.append(
                f"patch_size.x{scale}: found {size}; allowed: from {least} ({LEAST_LR_PIXELS} LR "
                f"pixels) to {LARGEST_PATCH}"
            )
    return faults
