"""The step of the residual networks: it enlarges an image and adds detail."""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

from srstudy.images.interpolation import Interpolation
from srstudy.networks.shared.equivariance import Channels, Equivariant, EquivariantStart
from srstudy.networks.shared.layers import RELU_GAIN, add_residual, conv, normal
from srstudy.networks.shared.residual_sizes import residual_fault
from srstudy.networks.shared.upsampling import BicubicUpsampling


def residual_step(
    factor: int, interpolation: Interpolation, channels: int, blocks: int, equivariant: bool
) -> Callable[[Any], Any]:
    """A function from (n, h, w, 1) to (n, h * factor, w * factor, 1); all calls share the weights.

    Raises ValueError if the channels of an equivariant network are not a multiple of eight.
    """

    def layer(one: Channels, other: Channels, gain: float, **more: Any) -> keras.layers.Conv2D:
        filters = factor**2 if other == "phases" else channels
        start = normal(gain) if gain else keras.initializers.Zeros()
        if equivariant:
            part = Equivariant(one, other)
            start = EquivariantStart(start, part)
            more |= {"kernel_constraint": part, "bias_constraint": part}
        return conv(filters, 3, kernel_initializer=start, **more)

    if fault := residual_fault(channels, blocks, equivariant):
        raise ValueError(fault)
    bicubic = BicubicUpsampling(factor, interpolation.a)
    centre = layers.Rescaling(1.0, -0.5, dtype="float32")
    first = layer("image", "features", 1.0)
    pairs = [
        (
            layer("features", "features", RELU_GAIN, activation="relu"),
            layer("features", "features", 0.5),
        )
        for _ in range(blocks)
    ]
    # Starts at 0: the untrained network is the bicubic interpolation.
    last = layer("features", "phases", 0.0, dtype="float32")

    def step(image: Any) -> Any:
        x = first(centre(image))
        for one, other in pairs:
            x = layers.Add()([x, other(one(x))])
        return add_residual(bicubic(image), ops.depth_to_space(last(x), factor))

    return step
