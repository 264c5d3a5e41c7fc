"""Layers that several networks use.

Networks that were published for an enlarged input (SRCNN, VDSR) enlarge it themselves, with the
degradation's interpolation. Convolutions pad with zeros, and the loss includes the border: so
networks learn to restore the border of an image. The initial weights are chosen for trainings of
minutes instead of days (see `starts.py` for networks without a skip connection).
"""

from typing import Any

import keras
from keras import layers

from srstudy.images.interpolation import Interpolation
from srstudy.networks.shared.upsampling import BicubicUpsampling

# The residual is scaled by this factor, so that it grows slowly from 0. Without it, training at a
# high learning rate has spikes of the loss that cost tenths of a dB.
RESIDUAL_SCALING = 0.1
RELU_GAIN = 2.0**0.5  # keeps the scale of values that pass a ReLU


def enlarged_input(scale: int, interpolation: Interpolation) -> tuple[Any, Any]:
    """The input, LR luma (n, h, w, 1), and its enlargement (n, h * scale, w * scale, 1)."""
    inputs = keras.Input((None, None, 1))
    return inputs, BicubicUpsampling(scale, interpolation.a)(inputs)


def conv(
    filters: int, kernel: int, activation: str | None = None, **more: Any
) -> keras.layers.Conv2D:
    """A convolution that keeps height and width; before a ReLU it is initialized by `normal`."""
    if activation == "relu":
        more.setdefault("kernel_initializer", normal(RELU_GAIN))
    return layers.Conv2D(filters, kernel, padding="same", activation=activation, **more)


def normal(gain: float) -> keras.initializers.Initializer:
    """Normally distributed weights with standard deviation gain / sqrt(inputs of a unit)."""
    return keras.initializers.VarianceScaling(gain**2, "fan_in", "untruncated_normal")


def prelu(x: Any) -> Any:
    """A PReLU with one slope for each channel."""
    return layers.PReLU(shared_axes=[1, 2])(x)


def add_residual(enlarged: Any, residual: Any) -> Any:
    """The enlarged image plus the scaled residual, in float32."""
    scaled = layers.Rescaling(RESIDUAL_SCALING, dtype="float32")(residual)
    return layers.Add(dtype="float32")([enlarged, scaled])
