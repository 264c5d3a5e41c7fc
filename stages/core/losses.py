"""The training loss: mean squared error, and the smoothness term of the regularized setting."""

from keras import KerasTensor, ops

CHARBONNIER_EPSILON = 0.001


def mean_squared_error(true: KerasTensor, restored: KerasTensor) -> KerasTensor:
    """The mean over all pixels of the squared difference; both (n, h, w, 1), in [0, 1]."""
    return ops.mean(ops.square(true - restored))


def charbonnier(true: KerasTensor, restored: KerasTensor) -> KerasTensor:
    """The mean over all pixels of sqrt(d^2 + 0.001^2): near the absolute difference, but smooth.

    The loss of LapSRN (Lai et al., CVPR 2017).
    """
    return ops.mean(ops.sqrt(ops.square(true - restored) + CHARBONNIER_EPSILON**2))


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


def loss(
    kind: str, smoothness_weight: float, true: KerasTensor, restored: KerasTensor
) -> KerasTensor:
    """Error (`mse` or `charbonnier`) + lambda * smoothness.

    With lambda = 0 the term is left out, so that regularized is plain.
    """
    error = {"mse": mean_squared_error, "charbonnier": charbonnier}[kind](true, restored)
    if smoothness_weight == 0:
        return error
    return error + smoothness_weight * squared_gradient(restored)
