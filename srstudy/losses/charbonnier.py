"""Charbonnier loss: close to the mean absolute error, but smooth.

The loss of LapSRN (Lai et al., CVPR 2017).
"""

from keras import KerasTensor, ops

EPSILON = 0.001


def loss(hr: KerasTensor, restored: KerasTensor) -> KerasTensor:
    """The mean of sqrt(difference^2 + 0.001^2) over all pixels; both (n, h, w, 1) in [0, 1]."""
    return ops.mean(ops.sqrt(ops.square(hr - restored) + EPSILON**2))
