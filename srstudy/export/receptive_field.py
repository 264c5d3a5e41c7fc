"""The radius of a network's receptive field."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from srstudy.networks.shared.architecture import Architecture

FARTHEST = 1024  # LR pixels: with a larger radius, the whole image counts as receptive field


def receptive_field_radius(architecture: Architecture) -> int | None:
    """The distance in LR pixels to the farthest input pixel that an output pixel depends on.

    None if that is the whole image, for example with an attention that uses the image's mean. Found
    by differentiation: with positive weights and a positive image, nothing cancels and no unit is
    inactive. So the gradient of one LR pixel's outputs is non-zero exactly where they depend on the
    input. One row is enough, because all networks treat rows and columns in the same way.
    """
    model = architecture.build()
    for weight in model.weights:
        weight.assign(_open(weight.name, tuple(weight.shape)))
    model = _with_kept_gradients(model)
    scale, middle = architecture.scale, 16
    while middle <= FARTHEST:
        # The values must differ: a standard deviation of 0 has no gradient.
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
    """Values of a weight that block nothing: kernels average, factors are 1."""
    if len(shape) >= 2:
        return np.full(shape, 1 / np.prod(shape[:-1]))
    added = any(word in name for word in ("bias", "beta", "mean"))
    return np.zeros(shape) if added else np.ones(shape)


def _with_kept_gradients(model: keras.Model) -> keras.Model:
    """The same network, but a gradient does not vanish in its many layers.

    A 3 x 3 layer passes a ninth of the gradient to a corner of its kernel. After 60 layers the rest
    is too small for float32.
    """
    if not isinstance(model, keras.Function):
        return model

    def call(operation: Any, *arguments: Any, **more: Any) -> Any:
        return keras.tree.map_structure(_kept, operation(*arguments, **more))

    # Keras numbers its layers and its operations apart, so that two may have one name, which a copy
    # of the model must not have.
    for place, operation in enumerate(model.operations):
        operation.name = f"operation_{place}"
    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)


def _kept(value: Any) -> Any:
    is_real = hasattr(value, "dtype") and keras.backend.is_float_dtype(value.dtype)
    return _KeptGradient(dtype=value.dtype)(value) if is_real else value


class _KeptGradient(keras.layers.Layer):
    """Returns its input, scaled to at most 1, so that no activation saturates.

    The gradient keeps its zeros and signs; its sizes are moved closer to 1.
    """

    def call(self, inputs):  # type: ignore[no-untyped-def]
        @tf.custom_gradient
        def same(x):  # type: ignore[no-untyped-def]
            # Large values would saturate activations with an upper limit (relu6, tanh).
            low = x / tf.maximum(tf.cast(1, x.dtype), tf.reduce_max(tf.abs(x)))
            return low, lambda upstream: tf.sign(upstream) * tf.sqrt(tf.abs(upstream))

        return same(inputs)
