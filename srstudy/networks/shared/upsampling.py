"""Bicubic enlargement inside a network: a convolution with fixed weights, then a pixel shuffle.

All output pixels of one phase (the position inside an LR pixel) have the same weights. So scale s
needs s * s fixed 5 x 5 filters. Away from the edges, the result equals that of the `Interpolation`
with the same parameter.
"""

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from srstudy.images.interpolation import LEAST_SIDE
from srstudy.images.resize import KEYS_A, cubic


def bicubic_filters(scale: int, a: float, reach: int = LEAST_SIDE) -> NDArray[np.float32]:
    """The filters as a convolution kernel of shape (k, k, 1, scale * scale), k = 2 * reach + 1.

    a: the parameter of the cubic convolution kernel, which is truncated to k LR pixels. With the
    default reach, k = 5, nothing is lost.
    """
    phase = (np.arange(scale) + 0.5) / scale - 0.5
    offset = np.arange(-reach, reach + 1)
    weight = cubic(phase[:, None] - offset[None, :], a)
    weight /= weight.sum(axis=1, keepdims=True)
    filters = np.einsum("pi,qj->ijpq", weight, weight)
    return filters.reshape(*filters.shape[:2], 1, scale * scale).astype(np.float32)


class BicubicPhases(keras.layers.Layer):
    """(n, h, w, 1) to (n, h, w, scale * scale): the enlarged image before the pixel shuffle.

    Always in float32, without trained weights. a: the parameter of the cubic convolution kernel.
    Edges are mirrored and the border pixel is repeated; h and w must be at least LEAST_SIDE.
    """

    def __init__(self, scale: int, a: float = KEYS_A, name: str | None = None) -> None:
        super().__init__(name=name, dtype="float32", trainable=False)
        self.scale, self.a = scale, a

    def call(self, inputs):  # type: ignore[no-untyped-def]
        """The phases of a batch."""
        x = _mirrored(_mirrored(inputs, 1), 2)
        return ops.conv(x, ops.convert_to_tensor(bicubic_filters(self.scale, self.a)))

    def get_config(self) -> dict:
        """The configuration that rebuilds the layer."""
        return {"scale": self.scale, "a": self.a, "name": self.name}


class BicubicUpsampling(BicubicPhases):
    """(n, h, w, 1) to (n, h * scale, w * scale, 1): like `BicubicPhases`, with the shuffle."""

    def call(self, inputs):  # type: ignore[no-untyped-def]
        """Enlarge a batch."""
        return ops.depth_to_space(super().call(inputs), self.scale)


def _mirrored(x, axis):  # type: ignore[no-untyped-def]
    """Add LEAST_SIDE mirrored rows or columns on both sides; the border pixel is repeated."""
    # Made of slices: `ops.pad` exports to operators that crash OpenCV's dnn.
    start = [slice(i, i + 1) for i in reversed(range(LEAST_SIDE))]
    end = [slice(-i, 1 - i or None) for i in range(1, LEAST_SIDE + 1)]
    before = (slice(None),) * axis
    return ops.concatenate([x[(*before, part)] for part in (*start, slice(None), *end)], axis)
