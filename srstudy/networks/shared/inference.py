"""Running a trained network on a luma plane, by TensorFlow."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


def restore_luma(model: keras.Model, lr: NDArray[Any]) -> NDArray[np.float32]:
    """The HR luma (h * scale, w * scale) of LR luma (h, w): 0..255, not rounded and not clipped."""
    batch = tf.constant(lr[None, ..., None], tf.float32) / 255.0
    return _restore(model)(batch).numpy()[0, ..., 0] * 255.0


def _restore(model: keras.Model):  # type: ignore[no-untyped-def]
    """The model as one graph for all image sizes, made once and cached on the model."""
    if not hasattr(model, "restore_graph"):
        signature = [tf.TensorSpec((1, None, None, 1), tf.float32)]
        model.restore_graph = tf.function(lambda x: model(x, training=False), signature)
    return model.restore_graph
