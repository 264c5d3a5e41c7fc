"""How far a network looks: the radius of its receptive field."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from srstudy.networks.shared.architecture import Architecture

FARTHEST = 1024  # LR pixels: a network that looks farther looks at the whole image


def receptive_field_radius(architecture: Architecture) -> int | None:
    """The distance in LR pixels to the farthest input pixel that an output pixel depends on.

    None where that is the whole image, as with an attention that takes its mean. Found by
    differentiation: with positive weights and a positive image nothing cancels and no unit is
    shut, so the gradient of one LR pixel's outputs is not zero just where they depend on the
    input. One row tells it, as all networks treat rows and columns alike.
    """
    model = architecture.build()
    for weight in model.weights:
        weight.assign(_open(weight.name, tuple(weight.shape)))
    model = _with_kept_gradients(model)
    scale, middle = architecture.scale, 16
    while middle <= FARTHEST:
        # Not one value everywhere: a standard deviation of 0 has no gradient.
        values = np.random.default_rng(0).uniform(0.5, 0.7, (1, 2, 2 * middle + 1, 1))
        row = tf.constant(values, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(row)
            one = model(row)[:, :, middle * scale : (middle + 1) * scale]
        depends = np.flatnonzero(np.any(tape.gradient(one, row).numpy() != 0, axis=(0, 1, 3)))
        found = int(np.abs(depends - middle).max())
        if found < middle:
            return found
        middle *= 2
    return None


def _open(name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Values of a weight that let everything through: kernels average, factors are 1."""
    if len(shape) >= 2:
        return np.full(shape, 1 / np.prod(shape[:-1]))
    added = any(word in name for word in ("bias", "beta", "mean"))
    return np.zeros(shape) if added else np.ones(shape)


def _with_kept_gradients(model: keras.Model) -> keras.Model:
    """The same network, through whose many layers a gradient does not shrink to nothing.

    A layer of 3 x 3 gives a ninth of it to a corner of its kernel; after 60 of them float32 has
    no number as small as what is left.
    """
    if not isinstance(model, keras.Function):
        return model

    def call(operation: Any, *arguments: Any, **more: Any) -> Any:
        return keras.tree.map_structure(_kept, operation(*arguments, **more))

    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)


def _kept(value: Any) -> Any:
    is_real = hasattr(value, "dtype") and keras.backend.is_float_dtype(value.dtype)
    return _KeptGradient(dtype=value.dtype)(value) if is_real else value


class _KeptGradient(keras.layers.Layer):
    """Gives back what it is given, made no larger than 1, so that no activation is shut.

    The gradient keeps zeros and signs, with sizes nearer to 1.
    """

    def call(self, inputs):  # type: ignore[no-untyped-def]
        @tf.custom_gradient
        def same(x):  # type: ignore[no-untyped-def]
            # Above 1, activations with an upper end (relu6, tanh) would be shut.
            low = x / tf.maximum(tf.cast(1, x.dtype), tf.reduce_max(tf.abs(x)))
            return low, lambda upstream: tf.sign(upstream) * tf.sqrt(tf.abs(upstream))

        return same(inputs)
