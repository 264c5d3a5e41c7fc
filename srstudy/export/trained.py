"""A trained network, ready to restore photographs with TensorFlow."""

import srstudy.backend.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from srstudy.export.receptive_field import receptive_field_radius
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.inference import restore_luma
from srstudy.networks.shared.weights import load


def load_trained(
    path: Path, on_cpu: bool = False
) -> tuple[Callable[[NDArray[Any]], NDArray[np.float32]], Architecture, int | None]:
    """Load a .weights.h5 file: a function from LR luma (h, w) to HR luma, 0..255; the architecture;
    its receptive field radius in LR pixels.

    on_cpu: do not use GPUs. `InputError` if the file is missing or broken.
    """

    def place() -> Any:
        return tf.device("/CPU:0") if on_cpu else nullcontext()

    with place():
        model, architecture = load(path)

    def restore(lr: NDArray[Any]) -> NDArray[np.float32]:
        with place():
            return restore_luma(model, lr)

    return restore, architecture, receptive_field_radius(architecture)
