"""The settings of patches: how the training images are split and cut."""

from pydantic import Field

from srstudy.common.params import Slice, shown
from srstudy.common.values import CountPerScale, per_scale, whole, within

LEAST_LR_PIXELS = 4  # of a patch's side
LARGEST_PATCH = 4096  # HR pixels


class PatchSettings(Slice):
    """Patch size and stride in HR pixels, by scale, and which whole images are held out.

    Exactly one of three keys chooses the held-out images: a share, a count, or a list in git.
    """

    patch_size: CountPerScale = per_scale("x2: 64, x4: 128")
    stride: CountPerScale = per_scale("x2: 24, x4: 48")
    validation_share: float | None = within(least=0.01, most=0.5, or_null=True)
    validation_images: int | None = whole(least=1, most=1_000_000, or_null=True)
    validation_list: bool = Field(description="true or false")


def validation_fault(patches: PatchSettings) -> str | None:
    """The error line unless exactly one of share, count and list is given."""
    given = {
        "validation_share": patches.validation_share,
        "validation_images": patches.validation_images,
        "validation_list": patches.validation_list or None,
    }
    found = [f"{key} {shown(value)}" for key, value in given.items() if value is not None]
    if len(found) == 1:
        return None
    return (
        f"{', '.join(given)}: found {' and '.join(found) or 'none of them'}; allowed: one of the "
        "three, with null and false for the others"
    )


def size_faults(patches: PatchSettings, scales: list[int]) -> list[str]:
    """One line per fault of the sizes and strides of the studied scales."""
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
