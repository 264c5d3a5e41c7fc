"""Checks, before training, that a network has the common interface and can be trained."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from srstudy.common.choices import failure, file_of
from srstudy.common.errors import ChoiceError
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.equivariance import Equivariant
from srstudy.networks.shared.sizes import ROOM

ODD = (9, 11)  # height and width of the test plane


def check(architecture: Architecture, model: keras.Model) -> None:
    """Run a network on a small plane; ChoiceError names its file and the fault.

    Faults are, for example: an output of another scale, a last layer that is not float32, own
    losses or constraints (the trainer would ignore them), weights that do not affect the output.
    """
    name = architecture.network
    lr = tf.constant(np.random.default_rng(0).random((1, *ODD, 1), np.float32))
    try:
        with tf.GradientTape() as tape:
            restored = model(lr, training=False)
            outputs = [tf.cast(output, tf.float32) for output in tf.nest.flatten(restored)]
            total = tf.add_n([tf.reduce_sum(output) for output in outputs])
        gradients = tape.gradient(total, model.trainable_variables)
    except Exception as error:  # the layers may be the user's own and raise anything
        what = f"cannot be run at x{architecture.scale} on {ODD[0]} x {ODD[1]} pixels"
        raise failure(ROOM, name, what, error) from error
    if fault := _fault(architecture, model, restored, gradients):
        raise ChoiceError(f"{file_of(ROOM, name)}: at x{architecture.scale}: {fault}")


def _fault(
    architecture: Architecture, model: keras.Model, restored: Any, gradients: list[Any]
) -> str | None:
    if not tf.is_tensor(restored):
        return "gives several outputs; allowed: one"
    expected = (1, *(side * architecture.scale for side in ODD), 1)
    if restored.dtype != tf.float32 or tuple(restored.shape) != expected:
        found = f"{restored.dtype.name} of shape {tuple(restored.shape)}"
        return (
            f"gives {found} for an input of shape {(1, *ODD, 1)}; "
            f"allowed: float32 of shape {expected}"
        )
    if model.losses:
        return "adds losses of its own; allowed: none, as the loss is a file of srstudy/losses"
    if not model.trainable_variables:
        return "has no weights to train"
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        constraint = getattr(variable, "constraint", None)
        if variable.dtype != "float32":
            return f"{variable.path}: found {variable.dtype}; allowed: float32"
        if constraint is not None and not isinstance(constraint, Equivariant):
            found = type(constraint).__name__
            return f"{variable.path}: found the constraint {found}; allowed: none"
        if gradient is None:
            return f"{variable.path}: the output does not depend on it"
    return None
