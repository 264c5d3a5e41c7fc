"""How far a network looks: the radius of its receptive field."""

import numpy as np
import tensorflow as tf

from stages.core.weights import Architecture


def reach(architecture: Architecture) -> int:
    """The distance in LR pixels to the farthest input pixel that an output pixel depends on.

    Found by differentiation: with positive weights and a positive image nothing cancels and no
    unit is shut, so the gradient of one LR pixel's outputs is not zero just where they depend on
    the input. One row tells it, as all networks treat rows and columns alike.
    """
    model = architecture.build()
    positive = [
        np.full(w.shape, 1 / np.prod(w.shape[:-1])) if w.ndim == 4 else np.zeros(w.shape)
        for w in model.get_weights()
    ]
    model.set_weights(positive)
    scale, middle = architecture.scale, 16
    while True:
        row = tf.fill((1, 2, 2 * middle + 1, 1), 0.6)
        with tf.GradientTape() as tape:
            tape.watch(row)
            one = model(row)[:, :, middle * scale : (middle + 1) * scale]
        depends = np.flatnonzero(np.any(tape.gradient(one, row).numpy() != 0, axis=(0, 1, 3)))
        found = int(np.abs(depends - middle).max())
        if found < middle:
            return found
        middle *= 2
