"""Equivariance: if the input is rotated or mirrored, so is the output.

The result for each of the eight orientations of an image is the same HR image in that orientation,
exactly as with a self-ensemble, but in one pass. Each training patch counts in all eight
orientations, which helps with a small training set.

The channels between layers are grouped in fields of eight, one channel for each orientation. If the
input is turned, each channel's plane is turned and the channels of a field are permuted (group
convolutions, Cohen and Welling, ICML 2016). The layers are ordinary convolutions: equivariance is a
property of their weights, which are equal in groups of eight. Weights that start equivariant and
get equivariant updates stay equivariant.
"""

from functools import lru_cache
from typing import Any, Literal

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from srstudy.images.orientations import ORIENTATIONS, turned

Channels = Literal["image", "features", "phases"]


class Equivariant(keras.constraints.Constraint):
    """The equivariant part of a layer's kernel (k, k, m, n) or bias (n,): a linear projection.

    Each weight becomes the mean over the eight orientations of the layer. inputs and outputs: the
    kind of channels: "image", a single plane; "features", fields of eight channels; "phases", the
    factor * factor pixels inside an LR pixel, in the order of `depth_to_space`. It is set as the
    layer's constraint, and the optimizer applies it to gradients and updates.
    """

    def __init__(self, inputs: Channels, outputs: Channels) -> None:
        self.inputs, self.outputs = inputs, outputs

    def __call__(self, values: Any) -> Any:
        """The projected values, in the same shape."""
        shape = tuple(values.shape)
        members, orbit = _orbits(shape, self.inputs, self.outputs)
        means = ops.mean(ops.take(ops.reshape(values, [-1]), members), axis=1)
        return ops.reshape(ops.take(means, orbit), shape)


class EquivariantStart(keras.initializers.Initializer):
    """The equivariant part of another initializer's kernel, scaled to the size before averaging."""

    def __init__(self, other: keras.initializers.Initializer, part: Equivariant) -> None:
        self.other, self.part = other, part

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """A kernel of shape (k, k, m, n)."""
        return self.part(self.other(shape, dtype)) * ORIENTATIONS**0.5

    def get_config(self) -> dict[str, Any]:
        """The configuration that rebuilds the initializer."""
        return {"other": self.other, "part": self.part}


@lru_cache
def _orbits(
    shape: tuple[int, ...], inputs: Channels, outputs: Channels
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The groups of equal weights (orbits): the eight members of each, and the orbit per weight."""
    places = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    images = np.stack(
        [_turned(places, inputs, outputs, way).ravel() for way in range(ORIENTATIONS)]
    )
    first, orbit = np.unique(images.min(axis=0), return_inverse=True)
    return images[:, first].T, orbit.astype(np.int32)


def _turned(
    weights: NDArray[np.int32], inputs: Channels, outputs: Channels, way: int
) -> NDArray[np.int32]:
    """The weights of a layer that acts on a turned image as these weights act on the image."""
    after = _exchanged(weights.shape[-1], outputs, way)
    if weights.ndim == 1:
        return weights[after]
    before = _exchanged(weights.shape[-2], inputs, way)
    return turned(weights, way)[:, :, before][..., after]


def _exchanged(channels: int, kind: Channels, way: int) -> NDArray[np.int64]:
    """For each channel, the channel that replaces it when the image is turned in this way."""
    if kind == "image":
        return np.arange(channels)
    if kind == "phases":
        side = round(channels**0.5)
        return turned(np.arange(side * side).reshape(side, side), way).ravel()
    one_field = np.argsort([_composed(orientation, way) for orientation in range(ORIENTATIONS)])
    fields = np.arange(0, channels, ORIENTATIONS)
    return (fields[:, None] + one_field).ravel()


def _composed(first: int, second: int) -> int:
    """The orientation that results from two orientations, one after the other."""
    plane = np.arange(4).reshape(2, 2)
    both = turned(turned(plane, first), second)
    return next(way for way in range(ORIENTATIONS) if np.array_equal(turned(plane, way), both))
