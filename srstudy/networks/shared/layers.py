"""Layers that several networks are made of.

Networks that were published for an enlarged input (SRCNN, VDSR) enlarge it themselves, by the
degradation's own interpolation. Convolutions pad with zeros and the loss counts the border, so
that the border of a whole image is restored as it was trained. How weights start is made for
minutes of training instead of days (`starts.py`: of those that add to no enlargement).
"""

from typing import Any

import keras
from keras import layers

from srstudy.images.interpolation import Interpolation
from srstudy.networks.shared.upsampling import BicubicUpsampling

# What a residual network adds starts at nothing and grows slowly: without this factor, training
# at a high learning rate has spikes that cost tenths of a dB.
RESIDUAL_SCALING = 0.1
RELU_GAIN = 2.0**0.5  # keeps the size of what passes through a ReLU


def enlarged_input(scale: int, interpolation: Interpolation) -> tuple[Any, Any]:
    """The input, LR luma (n, h, w, 1), and its enlargement (n, h * scale, w * scale, 1)."""
    inputs = keras.Input((None, None, 1))
    return inputs, BicubicUpsampling(scale, interpolation.a)(inputs)


def conv(
    filters: int, kernel: int, activation: str | None = None, **more: Any
) -> keras.layers.Conv2D:
    """A convolution that keeps the size; before a ReLU its weights start as `normal`."""
    if activation == "relu":
        more.setdefault("kernel_initializer", normal(RELU_GAIN))
    return layers.Conv2D(filters, kernel, padding="same", activation=activation, **more)


def normal(gain: float) -> keras.initializers.Initializer:
    """Normal weights of standard deviation gain / sqrt(inputs of a unit)."""
    return keras.initializers.VarianceScaling(gain**2, "fan_in", "untruncated_normal")


def prelu(x: Any) -> Any:
    """A PReLU with one slope for each channel."""
    return layers.PReLU(shared_axes=[1, 2])(x)


def add_residual(enlarged: Any, residual: Any) -> Any:
    """The enlarged image plus what the network adds to it, scaled; in float32."""
    scaled = layers.Rescaling(RESIDUAL_SCALING, dtype="float32")(residual)
    return layers.Add(dtype="float32")([enlarged, scaled])
