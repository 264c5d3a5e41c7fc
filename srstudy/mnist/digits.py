"""MNIST: reading the files, and the network of the student project's warm-up."""

import gzip
import math
import zlib
from pathlib import Path

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from srstudy.common.errors import InputError

CLASSES = 10
_UNSIGNED_BYTES = 8  # the type code of IDX files that MNIST uses


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array of a gzipped IDX file of unsigned bytes (LeCun et al., the MNIST database).

    `InputError` if the file is missing, broken, or of another type or length.
    """
    try:
        data = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read as gzip: {error}") from error
    if len(data) < 4 or data[:3] != bytes([0, 0, _UNSIGNED_BYTES]):
        raise InputError(f"{path}: is not an IDX file of unsigned bytes")
    start = 4 + 4 * data[3]  # after the type and the sizes of the array
    if len(data) < start:
        raise InputError(f"{path}: ends within its header")
    shape = tuple(int(n) for n in np.frombuffer(data[4:start], ">u4"))
    values = np.frombuffer(data, np.uint8, offset=start)
    if values.size != math.prod(shape):
        raise InputError(f"{path}: holds {values.size} values; its header says {shape}")
    return values.reshape(shape)


def read_digits(folder: Path, part: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Images (n, 28, 28, 1) in [0, 1] and labels (n,) of a part: `train` or `t10k`.

    `InputError` if a file is missing or broken, or if the two do not fit each other.
    """
    images = read_idx(folder / f"{part}-images-idx3-ubyte.gz")
    labels = read_idx(folder / f"{part}-labels-idx1-ubyte.gz")
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        raise InputError(f"{folder}: {part} has images {images.shape} and labels {labels.shape}")
    return (images[..., None] / np.float32(255)).astype(np.float32), labels.astype(np.int64)


def digit_network(dropout: float, precision: str) -> keras.Model:
    """Two 5 x 5 convolutions with pooling, 1024 dense units, dropout, 10 logits (float32)."""
    policy = "mixed_bfloat16" if precision == "bfloat16" else "float32"
    inputs = keras.Input((28, 28, 1))
    x = layers.Conv2D(32, 5, padding="same", activation="relu", dtype=policy)(inputs)
    x = layers.MaxPooling2D(2, 2, dtype=policy)(x)
    x = layers.Conv2D(64, 5, padding="same", activation="relu", dtype=policy)(x)
    x = layers.MaxPooling2D(2, 2, dtype=policy)(x)
    x = layers.Flatten(dtype=policy)(x)
    x = layers.Dense(1024, activation="relu", dtype=policy)(x)
    x = layers.Dropout(dropout, dtype=policy)(x)
    return keras.Model(inputs, layers.Dense(CLASSES, dtype="float32")(x), name="digits")
