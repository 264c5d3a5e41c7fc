"""The objective that training minimizes: a loss, plus smoothness in the regularized setting."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from keras import KerasTensor, ops

from srstudy.common import choices
from srstudy.common.errors import ChoiceError

ROOM = "losses"
TRIED = 192  # side of the test image in pixels: some losses use several scales of an image
TOLERANCE = 0.001  # relative, of the loss of one image and of the same image twice
Loss = Callable[[KerasTensor, KerasTensor], KerasTensor]


def objective(name: str, lambda_: float) -> Loss:
    """The function loss + lambda * smoothness of (hr, restored), both (n, h, w, 1) in [0, 1].

    With lambda = 0 the term is left out: then regularized equals plain. ChoiceError if there is
    no loss of that name, or if it cannot be used for training.
    """
    loss: Loss = choices.chosen(ROOM, name, ("loss",)).loss
    _check(name, loss)
    if lambda_ == 0:
        return loss

    def regularized(hr: KerasTensor, restored: KerasTensor) -> KerasTensor:
        return loss(hr, restored) + lambda_ * squared_gradient(restored)

    return regularized


def squared_gradient(restored: KerasTensor) -> KerasTensor:
    """Quadratic (Tikhonov) smoothness of (n, h, w, 1): squared differences to left and upper pixel.

    The sum over each image of (y(i,j) - y(i,j-1))^2 + (y(i,j) - y(i-1,j))^2, with differences
    inside the image only, divided by its number of pixels. The mean squared error has the same
    division. It makes lambda independent of the patch size: for a plain sum over an m x n image,
    lambda_sum = lambda / (m n). This is not total variation, which uses absolute differences
    (`tf.image.total_variation`).
    """
    horizontal = ops.square(restored[:, :, 1:] - restored[:, :, :-1])
    vertical = ops.square(restored[:, 1:] - restored[:, :-1])
    pixels = ops.cast(ops.size(restored), restored.dtype)
    return (ops.sum(horizontal) + ops.sum(vertical)) / pixels


def _check(name: str, loss: Loss) -> None:
    """Run a loss in a graph, as the trainer does; ChoiceError names its file and the fault."""

    @tf.function
    def tried(hr: tf.Tensor, restored: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(restored)
            value = tf.convert_to_tensor(loss(hr, restored))
        return value, tape.gradient(value, restored)

    one, other = np.random.default_rng(0).random((2, 1, TRIED, TRIED, 1), np.float32)
    try:
        value, gradient = tried(tf.constant(one), tf.constant(other))
        twice, _ = tried(*(tf.constant(np.repeat(plane, 2, axis=0)) for plane in (one, other)))
    except Exception as error:  # the function may be the user's own and raise anything
        raise choices.failure(ROOM, name, "loss cannot be computed", error) from error
    if fault := _fault(value, twice, gradient):
        raise ChoiceError(f"{choices.file_of(ROOM, name)}: loss {fault}")


def _fault(value: tf.Tensor, twice: tf.Tensor, gradient: tf.Tensor | None) -> str | None:
    if value.shape.rank != 0 or value.dtype != tf.float32:
        found = f"{value.dtype.name} of shape {tuple(value.shape)}"
        return f"gives {found}; allowed: one float32 number, as the mean over all pixels"
    if gradient is None:
        return "does not depend on the restored image, or cannot be differentiated"
    if not np.isfinite(value) or not np.isfinite(gradient).all():
        return f"gives {float(value):g} with gradients that are not all finite"
    if abs(float(twice - value)) > TOLERANCE * abs(float(value)):
        # The trainer takes the mean over parts of a batch: the result must not depend on their
        # number.
        return (
            f"gives {float(value):g} for an image and {float(twice):g} for the same image twice; "
            "allowed: a mean over the batch"
        )
    return None
