"""Bicubic resizing as MATLAB's `imresize(image, scale, 'bicubic')` does it.

Why this project has its own function: OpenCV's bicubic has no antialiasing, and those that have it
(Pillow, TensorFlow) treat edges and rounding differently. Super-resolution results can only be
compared on LR images with MATLAB's pixels: another kernel changes PSNR by whole decibels.

Source of the method: R. G. Keys, "Cubic convolution interpolation for digital image
processing" (1981), with a = -0.5. Edges, antialiasing and rounding follow MATLAB. They were found
by comparison with images that MATLAB made.
"""

from functools import partial
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Image = TypeVar("Image", NDArray[np.uint8], NDArray[np.float64], NDArray[np.float32])

KEYS_A = -0.5


def cubic(distance: NDArray[np.float64], a: float = KEYS_A) -> NDArray[np.float64]:
    """The cubic convolution kernel at distances from its centre, in pixels."""
    x = np.abs(distance)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def taps(
    length: int, new_length: int, scale: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The input pixels of each output pixel along one axis, and their weights.

    Returns indices into the axis and weights, both of shape (new_length, taps); each row of
    weights sums to 1. Edges are mirrored and the border pixel is repeated (symmetric).
    """
    stretch = min(scale, 1.0)  # for antialiasing, the kernel is wider if the image shrinks
    width = 4.0 / stretch
    centre = (np.arange(new_length) + 0.5) / scale - 0.5
    first = np.floor(centre - width / 2)
    index = (first[:, None] + np.arange(int(np.ceil(width)) + 2)).astype(np.int64)
    weight = stretch * cubic(stretch * (centre[:, None] - index))
    weight /= weight.sum(axis=1, keepdims=True)
    used = np.any(weight != 0, axis=0)
    mirrored = np.concatenate([np.arange(length), np.arange(length)[::-1]])
    return mirrored[index[:, used] % (2 * length)], weight[:, used]


def imresize(
    image: Image, scale: float | None = None, size: tuple[int, int] | None = None
) -> Image:
    """Resize an image by a factor, or to (height, width), as MATLAB's bicubic `imresize`.

    image: (H, W) or (H, W, C), uint8 or floating point. The result has shape
    (ceil(H * scale), ceil(W * scale)) and the image's dtype. uint8 is rounded (half up) and
    clipped after each axis, as MATLAB does; floats are not rounded and not clipped.
    Raises ValueError for other dtypes and for a scale of 0 or less.
    """
    if image.dtype != np.uint8 and not np.issubdtype(image.dtype, np.floating):
        raise ValueError(f"imresize takes uint8 or floating point images, not {image.dtype}")
    if (scale is None) == (size is None):
        raise ValueError("imresize takes either a scale or a size")
    if size is None:
        assert scale is not None
        if not scale > 0:
            raise ValueError(f"scale must be above 0, not {scale}")
        size = (int(np.ceil(image.shape[0] * scale)), int(np.ceil(image.shape[1] * scale)))
        factors = (scale, scale)
    else:
        factors = (size[0] / image.shape[0], size[1] / image.shape[1])

    # MATLAB starts with the axis that shrinks most. If both are equal, it starts with the rows.
    for axis in np.argsort(factors, kind="stable"):
        image = _resize_axis(image, int(axis), size[axis], factors[axis])
    return image


def _resize_axis(image: Image, axis: int, new_length: int, scale: float) -> Image:
    index, weight = taps(image.shape[axis], new_length, scale)
    source: NDArray[Any] = np.moveaxis(image, axis, 0)
    # One pass per tap: even a wide kernel needs memory for only one output image.
    total = np.zeros((new_length, *source.shape[1:]), np.float64)
    for tap in range(index.shape[1]):
        column = weight[:, tap].reshape(-1, *[1] * (source.ndim - 1))
        total += column * source[index[:, tap]]
    if image.dtype == np.uint8:
        total = np.clip(np.floor(total + 0.5), 0, 255)
    return np.moveaxis(total, 0, axis).astype(image.dtype)


def imenlarge(planes: NDArray[np.float32], scale: int) -> NDArray[np.float32]:
    """The same as `imresize` for float32 planes and a whole scale, about ten times faster.

    planes: (H, W) or (H, W, C), C at most 4. Every scale-th pixel of a row or column has the same
    weights: they form one phase. So each axis needs `scale` small filters, which OpenCV runs.
    """
    height, width, *rest = planes.shape
    filtered = partial(cv2.filter2D, ddepth=cv2.CV_32F, borderType=cv2.BORDER_REFLECT)
    phases = (np.arange(scale) + 0.5) / scale - 0.5
    starts = [-2 if phase < 0 else -1 for phase in phases]  # the first of the kernel's four pixels
    kernels = [
        cubic(phase - np.arange(start, start + 4))
        for phase, start in zip(phases, starts, strict=True)
    ]
    columns = [
        filtered(planes, kernel=kernel[None], anchor=(-start, 0))
        for kernel, start in zip(kernels, starts, strict=True)
    ]
    wide = cv2.merge(columns).reshape(height, width * scale, *rest)
    enlarged = np.empty((height * scale, width * scale, *rest), np.float32)
    for i, (kernel, start) in enumerate(zip(kernels, starts, strict=True)):
        filtered(wide, kernel=kernel[:, None], anchor=(0, -start), dst=enlarged[i::scale])
    return enlarged
