"""Equivariance: a network whose output turns and mirrors with its input.

An image in any of its eight orientations is then restored to the same HR image in that
orientation, exactly as a mean over all of them would, but in one pass. Training sees eight times
as much in each patch, which is what a small training set lacks.

The channels between layers stand in fields of eight, one for each orientation; turning the input
turns each channel's plane and exchanges the channels of a field (group convolutions, Cohen and
Welling, ICML 2016). Layers stay plain convolutions: equivariance is a property of their weights,
eight of which at a time are equal. Weights that start so, and are updated by gradients made so,
stay so.
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

    Each weight becomes the mean over the eight orientations of the layer. inputs and outputs say
    what the channels are: "image", a single plane; "features", a multiple of eight, in fields;
    "phases", the factor * factor pixels within an LR pixel, as `depth_to_space` takes them. As the
    layer's constraint it is what its gradient goes through.
    """

    def __init__(self, inputs: Channels, outputs: Channels) -> None:
        self.inputs, self.outputs = inputs, outputs

    def __call__(self, values: Any) -> Any:
        """Of the same shape as the values."""
        shape = tuple(values.shape)
        members, orbit = _orbits(shape, self.inputs, self.outputs)
        means = ops.mean(ops.take(ops.reshape(values, [-1]), members), axis=1)
        return ops.reshape(ops.take(means, orbit), shape)


class EquivariantStart(keras.initializers.Initializer):
    """Another initializer's kernel made equivariant, as large as before: eight are averaged."""

    def __init__(self, other: keras.initializers.Initializer, part: Equivariant) -> None:
        self.other, self.part = other, part

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """A kernel of shape (k, k, m, n)."""
        return self.part(self.other(shape, dtype)) * ORIENTATIONS**0.5

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the initializer."""
        return {"other": self.other, "part": self.part}


@lru_cache
def _orbits(
    shape: tuple[int, ...], inputs: Channels, outputs: Channels
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Which weights are one: the eight members of each orbit, and the orbit of each weight."""
    places = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    images = np.stack(
        [_turned(places, inputs, outputs, way).ravel() for way in range(ORIENTATIONS)]
    )
    first, orbit = np.unique(images.min(axis=0), return_inverse=True)
    return images[:, first].T, orbit.astype(np.int32)


def _turned(
    weights: NDArray[np.int32], inputs: Channels, outputs: Channels, way: int
) -> NDArray[np.int32]:
    """The weights of the layer that does to a turned image what these do to the image."""
    after = _exchanged(weights.shape[-1], outputs, way)
    if weights.ndim == 1:
        return weights[after]
    before = _exchanged(weights.shape[-2], inputs, way)
    return turned(weights, way)[:, :, before][..., after]


def _exchanged(channels: int, kind: Channels, way: int) -> NDArray[np.int64]:
    """Which channel takes the place of each when the image is turned that way."""
    if kind == "image":
        return np.arange(channels)
    if kind == "phases":
        side = round(channels**0.5)
        return turned(np.arange(side * side).reshape(side, side), way).ravel()
    one_field = np.argsort([_composed(orientation, way) for orientation in range(ORIENTATIONS)])
    fields = np.arange(0, channels, ORIENTATIONS)
    return (fields[:, None] + one_field).ravel()


def _composed(first: int, second: int) -> int:
    """The orientation that two, one after the other, make together."""
    plane = np.arange(4).reshape(2, 2)
    both = turned(turned(plane, first), second)
    return next(way for way in range(ORIENTATIONS) if np.array_equal(turned(plane, way), both))
