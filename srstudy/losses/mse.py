"""Mean squared error."""

from keras import KerasTensor, ops


def loss(hr: KerasTensor, restored: KerasTensor) -> KerasTensor:
    """The mean squared difference over all pixels; hr and restored (n, h, w, 1) in [0, 1]."""
    return ops.mean(ops.square(hr - restored))
