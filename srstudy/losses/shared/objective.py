"""What training makes small: a loss, and the smoothness term of the regularized setting."""

from collections.abc import Callable

from keras import KerasTensor, ops

from srstudy.common import choices
from srstudy.common.errors import InputError

ROOM = "losses"
Loss = Callable[[KerasTensor, KerasTensor], KerasTensor]


def objective(name: str, lambda_: float) -> Loss:
    """The function loss + lambda * smoothness of (hr, restored), both (n, h, w, 1) in [0, 1].

    With lambda = 0 the term is left out, so that regularized is plain. Raises ValueError where
    there is no loss of that name; `InputError` names its file where it is not one number.
    """
    loss: Loss = choices.chosen(ROOM, name, ("loss",)).loss
    tried = loss(ops.zeros((2, 8, 8, 1)), ops.ones((2, 8, 8, 1)))
    if ops.shape(tried) != ():
        raise InputError(
            f"srstudy/{ROOM}/{name}.py: loss gives shape {tuple(ops.shape(tried))}; allowed: one "
            "number, as the mean over all pixels"
        )
    if lambda_ == 0:
        return loss

    def regularized(hr: KerasTensor, restored: KerasTensor) -> KerasTensor:
        return loss(hr, restored) + lambda_ * squared_gradient(restored)

    return regularized


def squared_gradient(restored: KerasTensor) -> KerasTensor:
    """Quadratic (Tikhonov) smoothness of (n, h, w, 1): squared differences to left and upper pixel.

    The sum over each image of (y(i,j) - y(i,j-1))^2 + (y(i,j) - y(i-1,j))^2, differences inside
    the image only, divided by its number of pixels. That division, which the mean squared error
    has as well, makes lambda independent of the patch size: where the term is written as a plain
    sum over an m x n image, lambda_sum = lambda / (m n). This is not total variation, which takes
    absolute differences (`tf.image.total_variation`).
    """
    horizontal = ops.square(restored[:, :, 1:] - restored[:, :, :-1])
    vertical = ops.square(restored[:, 1:] - restored[:, :-1])
    pixels = ops.cast(ops.size(restored), restored.dtype)
    return (ops.sum(horizontal) + ops.sum(vertical)) / pixels
