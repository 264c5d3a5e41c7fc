"""Initial weights of networks without a skip connection: they enlarge like an interpolation.

The layers of SRCNN, FSRCNN and ESPCN make the HR pixels alone. From random weights, most of a short
training is spent on learning to enlarge, because one step of all weights of a kernel changes the
mean of the image much more than its detail. Here, some channels carry the centred image (without
mid-grey) through every layer to the last one, which enlarges it. All other filters start with a
mean of 0 and do not read these channels, and the last layer gives them very small weights.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from srstudy.images.resize import cubic
from srstudy.networks.shared.upsampling import bicubic_filters

MID_GREY = 0.5
# The first channels carry the image and its negative, because ReLU keeps only positive values; or
# only the image, if the activations keep both signs.
BOTH, ONE = (1.0, -1.0), (1.0,)
LAST_DEVIATION = 0.001  # standard deviation of the last layer's weights for all other channels


class Start(keras.initializers.Initializer):
    """The kernel of another initializer, changed by `edit`, which writes into a float32 array."""

    def __init__(
        self,
        other: keras.initializers.Initializer,
        edit: Callable[[NDArray[np.float32]], None],
    ) -> None:
        self.other, self.edit = other, edit

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """A kernel of this shape."""
        kernel = ops.convert_to_numpy(self.other(shape, dtype)).copy()
        self.edit(kernel)
        return ops.convert_to_tensor(kernel)

    def get_config(self) -> dict[str, Any]:
        """The configuration that rebuilds the initializer."""
        return {"other": self.other, "edit": self.edit}


def centred(image: Any) -> Any:
    """An image in [0, 1], minus mid-grey."""
    return layers.Rescaling(1.0, -MID_GREY, dtype="float32")(image)


def uncentred(image: Any) -> Any:
    """The inverse of `centred`; float32."""
    return layers.Rescaling(1.0, MID_GREY, dtype="float32")(image)


def first_start(other: keras.initializers.Initializer, signs: tuple[float, ...]) -> Start:
    """For a kernel (k, k, 1, n), k odd: the image in the first channels, then zero-mean filters."""

    def edit(kernel: NDArray[np.float32]) -> None:
        kernel -= kernel.mean((0, 1), keepdims=True)
        kernel[..., : len(signs)] = 0
        kernel[*_centre(kernel), 0, : len(signs)] = signs

    return Start(other, edit)


def middle_start(other: keras.initializers.Initializer, signs: tuple[float, ...]) -> Start:
    """For a kernel (k, k, n, m), k odd: the first channels pass on the image unchanged."""

    def edit(kernel: NDArray[np.float32]) -> None:
        number = len(signs)
        kernel[:, :, :number] = 0
        kernel[..., :number] = 0
        kernel[*_centre(kernel), :number, :number] = np.eye(number)

    return Start(other, edit)


def last_start(scale: int, a: float, signs: tuple[float, ...]) -> Start:
    """For a kernel (k, k, n, scale * scale), k odd, before a pixel shuffle: a bicubic enlargement.

    a: the parameter of the cubic convolution kernel, which is truncated to k LR pixels.
    """

    def edit(kernel: NDArray[np.float32]) -> None:
        enlarging = bicubic_filters(scale, a, kernel.shape[0] // 2)[:, :, 0]
        for channel, sign in enumerate(signs):
            kernel[:, :, channel] = sign * enlarging

    return Start(keras.initializers.RandomNormal(stddev=LAST_DEVIATION), edit)


def deconvolution_start(scale: int, a: float, signs: tuple[float, ...]) -> Start:
    """The same for a transposed convolution of stride scale: a kernel (k, k, 1, n), k > scale."""

    def edit(kernel: NDArray[np.float32]) -> None:
        width = kernel.shape[0]
        # "same" padding crops the result; if the two sides differ, one pixel less at the start.
        hr = np.arange(width) - (width - scale) // 2
        weight = cubic((hr + 0.5) / scale - 0.5, a)
        for phase in range(scale):
            weight[phase::scale] /= weight[phase::scale].sum()
        for channel, sign in enumerate(signs):
            kernel[:, :, 0, channel] = sign * np.outer(weight, weight)

    return Start(keras.initializers.RandomNormal(stddev=LAST_DEVIATION), edit)


def _centre(kernel: NDArray[np.float32]) -> tuple[int, int]:
    return kernel.shape[0] // 2, kernel.shape[1] // 2
