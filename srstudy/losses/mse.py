"""Mean squared error."""

from keras import KerasTensor, ops


def loss(hr: KerasTensor, restored: KerasTensor) -> KerasTensor:
    """The mean over all pixels of the squared difference; both (n, h, w, 1), in [0, 1]."""
    return ops.mean(ops.square(hr - restored))
