"""The sizes that the residual networks share. Without TensorFlow, because checks read them."""

from srstudy.images.orientations import ORIENTATIONS

RESIDUAL_SIZES = {"channels": range(1, 513), "blocks": range(1, 65), "equivariant": (False, True)}


def residual_fault(channels: int, blocks: int, equivariant: bool) -> str | None:
    """The fault of the sizes, or None: the channels of equivariant layers form fields of eight."""
    if equivariant and channels % ORIENTATIONS:
        return f"channels: found {channels}; allowed where equivariant: multiples of {ORIENTATIONS}"
    return None
