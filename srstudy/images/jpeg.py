"""What JPEG compression makes of an image."""

import cv2
import numpy as np
from numpy.typing import NDArray

HALF_CHROMA = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420


def decoded_jpeg(
    image: NDArray[np.uint8], quality: int, sampling: int = HALF_CHROMA
) -> NDArray[np.uint8]:
    """(H, W) grey or (H, W, 3) RGB, as a JPEG file of it is decoded: by libjpeg-turbo, in OpenCV.

    quality: 1 .. 100; sampling: of chroma, one of OpenCV's IMWRITE_JPEG_SAMPLING_FACTOR_*, by
    default 4:2:0, half the height and half the width.
    """
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    if image.ndim == 3:
        options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    _, coded = cv2.imencode(".jpg", _channels_turned(image), options)
    decoded = np.asarray(cv2.imdecode(coded, cv2.IMREAD_UNCHANGED), np.uint8)
    return _channels_turned(decoded)


def _channels_turned(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """From RGB to OpenCV's order of channels, and back; grey images are not changed."""
    return image if image.ndim == 2 else np.ascontiguousarray(image[..., ::-1])
