"""Restoring images with a trained network: luma by the network, chroma by bicubic interpolation."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from stages.core.colour import chroma, compose, to_uint8
from stages.core.degradation import upscale_float
from stages.core.orientations import ORIENTATIONS, turned, turned_back
from stages.core.protocol import Protocol


def restore_luma(model: keras.Model, lr: NDArray[Any]) -> NDArray[np.float32]:
    """The HR luma (h * scale, w * scale) of an LR luma (h, w): 0..255, not rounded or clipped."""
    batch = tf.constant(lr[None, ..., None], tf.float32) / 255.0
    return _restore(model)(batch).numpy()[0, ..., 0] * 255.0


def restore_luma_ensemble(model: keras.Model, lr: NDArray[Any]) -> NDArray[np.float32]:
    """As `restore_luma`, as the mean over the eight orientations, in eight times the time.

    The LR luma is turned, restored, and turned back: the self-ensemble of Timofte et al. (Seven
    ways to improve example-based single image super-resolution, CVPR 2016).
    """
    ways = (
        turned_back(restore_luma(model, turned(lr, orientation)), orientation)
        for orientation in range(ORIENTATIONS)
    )
    return np.sum(np.stack(list(ways)), axis=0) / np.float32(ORIENTATIONS)


def _restore(model: keras.Model):  # type: ignore[no-untyped-def]
    """The model as one graph for every image size, made once and kept with the model."""
    if not hasattr(model, "restore_graph"):
        signature = [tf.TensorSpec((1, None, None, 1), tf.float32)]
        model.restore_graph = tf.function(lambda x: model(x, training=False), signature)
    return model.restore_graph


def restore(
    model: keras.Model,
    lr: NDArray[np.uint8],
    scale: int,
    protocol: Protocol,
    ensemble: bool = False,
) -> NDArray[np.uint8]:
    """The HR image of an LR image, (h, w) grey or (h, w, 3) RGB, uint8.

    ensemble: restore the luma in all eight orientations and take the mean.
    """
    by_network = restore_luma_ensemble if ensemble else restore_luma
    luma = by_network(model, protocol.luma(lr))
    if lr.ndim == 2:
        return to_uint8(luma)
    colour = upscale_float(chroma(lr, protocol.swing), scale, protocol.degradation)
    return compose(luma, colour, protocol.swing)
