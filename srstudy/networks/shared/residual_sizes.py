"""The sizes that the residual networks share; no TensorFlow, as a check reads them."""

from srstudy.images.orientations import ORIENTATIONS

RESIDUAL_SIZES = {"channels": range(1, 513), "blocks": range(1, 65), "equivariant": (False, True)}


def residual_fault(channels: int, blocks: int, equivariant: bool) -> str | None:
    """What is wrong between the sizes: an equivariant layer's channels stand in fields of eight."""
    if equivariant and channels % ORIENTATIONS:
        return f"channels: found {channels}; allowed where equivariant: multiples of {ORIENTATIONS}"
    return None
