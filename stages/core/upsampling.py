"""Bicubic enlargement inside a network: a convolution with fixed weights, then a pixel shuffle.

Every output pixel of one phase (its place within an LR pixel) is the same weighted sum of LR
pixels, so that a scale of s is s * s fixed 5 x 5 filters. Away from the edges the result equals
that of `degradation.upscale_float`.
"""

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from stages.core.degradation import Kind
from stages.core.resize import KEYS_A, cubic

OPENCV_A = -0.75
RADIUS = 2


def bicubic_filters(scale: int, kind: Kind) -> NDArray[np.float32]:
    """The filters as a convolution kernel of shape (5, 5, 1, scale * scale)."""
    a = KEYS_A if kind == "matlab" else OPENCV_A
    phase = (np.arange(scale) + 0.5) / scale - 0.5
    offset = np.arange(-RADIUS, RADIUS + 1)
    weight = cubic(phase[:, None] - offset[None, :], a)
    weight /= weight.sum(axis=1, keepdims=True)
    filters = np.einsum("pi,qj->ijpq", weight, weight)
    return filters.reshape(*filters.shape[:2], 1, scale * scale).astype(np.float32)


@keras.saving.register_keras_serializable("sr")
class BicubicUpsampling(keras.layers.Layer):
    """(n, h, w, 1) to (n, h * scale, w * scale, 1); always in float32, with nothing to train.

    Edges are mirrored, the border pixel repeated; h and w must be at least 2.
    """

    def __init__(self, scale: int, kind: Kind = "matlab", name: str | None = None) -> None:
        super().__init__(name=name, dtype="float32", trainable=False)
        self.scale, self.kind = scale, kind

    def call(self, inputs):  # type: ignore[no-untyped-def]
        """Enlarge a batch."""
        x = _mirrored(_mirrored(inputs, 1), 2)
        phases = ops.conv(x, ops.convert_to_tensor(bicubic_filters(self.scale, self.kind)))
        return ops.depth_to_space(phases, self.scale)

    def get_config(self) -> dict:
        """What rebuilds the layer."""
        return {"scale": self.scale, "kind": self.kind, "name": self.name}


def _mirrored(x, axis):  # type: ignore[no-untyped-def]
    """RADIUS rows or columns more on either side, the border pixel repeated."""
    # Of slices: `ops.pad` exports to operators that OpenCV's dnn crashes on.
    start = [slice(i, i + 1) for i in reversed(range(RADIUS))]
    end = [slice(-i, 1 - i or None) for i in range(1, RADIUS + 1)]
    before = (slice(None),) * axis
    return ops.concatenate([x[(*before, part)] for part in (*start, slice(None), *end)], axis)
