"""Bicubic enlargement inside a network: a convolution with fixed weights, then a pixel shuffle.

Every output pixel of one phase (its place within an LR pixel) is the same weighted sum of LR
pixels, so that a scale of s is s * s fixed 5 x 5 filters. Away from the edges the result equals
that of the `Interpolation` of the same parameter.
"""

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from srstudy.images.interpolation import LEAST_SIDE
from srstudy.images.resize import KEYS_A, cubic


def bicubic_filters(scale: int, a: float, reach: int = LEAST_SIDE) -> NDArray[np.float32]:
    """The filters as a convolution kernel of shape (k, k, 1, scale * scale), k = 2 * reach + 1.

    a: the parameter of the cubic convolution kernel, which is cut to k LR pixels: with the default
    reach, k = 5, nothing is.
    """
    phase = (np.arange(scale) + 0.5) / scale - 0.5
    offset = np.arange(-reach, reach + 1)
    weight = cubic(phase[:, None] - offset[None, :], a)
    weight /= weight.sum(axis=1, keepdims=True)
    filters = np.einsum("pi,qj->ijpq", weight, weight)
    return filters.reshape(*filters.shape[:2], 1, scale * scale).astype(np.float32)


class BicubicUpsampling(keras.layers.Layer):
    """(n, h, w, 1) to (n, h * scale, w * scale, 1); always in float32, with nothing to train.

    a: the parameter of the cubic convolution kernel. Edges are mirrored, the border pixel
    repeated; h and w must be at least LEAST_SIDE.
    """

    def __init__(self, scale: int, a: float = KEYS_A, name: str | None = None) -> None:
        super().__init__(name=name, dtype="float32", trainable=False)
        self.scale, self.a = scale, a

    def call(self, inputs):  # type: ignore[no-untyped-def]
        """Enlarge a batch."""
        x = _mirrored(_mirrored(inputs, 1), 2)
        phases = ops.conv(x, ops.convert_to_tensor(bicubic_filters(self.scale, self.a)))
        return ops.depth_to_space(phases, self.scale)

    def get_config(self) -> dict:
        """What rebuilds the layer."""
        return {"scale": self.scale, "a": self.a, "name": self.name}


def _mirrored(x, axis):  # type: ignore[no-untyped-def]
    """LEAST_SIDE rows or columns more on either side, the border pixel repeated."""
    # Of slices: `ops.pad` exports to operators that OpenCV's dnn crashes on.
    start = [slice(i, i + 1) for i in reversed(range(LEAST_SIDE))]
    end = [slice(-i, 1 - i or None) for i in range(1, LEAST_SIDE + 1)]
    before = (slice(None),) * axis
    return ops.concatenate([x[(*before, part)] for part in (*start, slice(None), *end)], axis)
