"""Why was the student project worse than bicubic interpolation? `make below-bicubic`.

SRCNN on 32-pixel patches, x2, OpenCV's degradation, no cropped border, Adam, random initial weights
as in a plain Keras script. It is scored on Set5 after several numbers of steps, in three ways: the
whole image at once; patch by patch, put together again; and trained with a loss without the
zero-padded border. Writes docs/below-bicubic.csv and, from it, docs/below-bicubic.md.
"""

from srstudy.backend import quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

from collections.abc import Callable
from functools import partial as bind
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from numpy.typing import NDArray

from srstudy.common.running import run
from srstudy.degradations.shared.degradation import degradation
from srstudy.imagefiles.listing import list_images
from srstudy.imagefiles.reading import read_image
from srstudy.images.colour import to_uint8
from srstudy.images.pairs import Pair
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.inference import restore_luma
from srstudy.patches.grid import cut
from srstudy.scoring.tables import markdown
from tools.published import student
from tools.writing import write_table, write_text

SCALE, SIZE, STRIDE, BATCH = 2, 32, 16, 64
RIM = 6  # pixels that SRCNN's zero padding affects, with kernels of 9 x 9 and 5 x 5
STEPS = (30, 100, 300, 1000)
DEGRADATION = degradation("opencv")
PROTOCOL = DEGRADATION.protocol
TABLE, PAGE = Path("docs/below-bicubic.csv"), Path("docs/below-bicubic.md")
MEAN, THEIRS = "mean", "the student project"

Plane = NDArray[np.uint8]


def main() -> None:
    """Train twice, score after each number of steps, write table and page."""
    keras.utils.set_random_seed(1)
    patches = [cut(pair, SIZE, STRIDE, SCALE) for pair in _pairs("t91")]
    lr = np.concatenate([pair.lr for pair in patches])[..., None] / np.float32(255)
    hr = np.concatenate([pair.hr for pair in patches])[..., None] / np.float32(255)
    scores, theirs = bind(_scores, _pairs("set5")), student()["plain"]

    rows: list[list[Any]] = [["bicubic", *scores(lambda low: DEGRADATION.enlarge(low, SCALE))]]
    for rim in (0, RIM):
        network = _randomly_started()
        network.compile(keras.optimizers.Adam(1e-3), loss=_mean_squared_error_inside(rim))
        done = 0
        for steps in STEPS:
            data = tf.data.Dataset.from_tensor_slices((lr, hr))
            data = data.shuffle(len(lr), seed=steps).batch(BATCH).repeat()
            network.fit(data, steps_per_epoch=steps - done, verbose=0)
            done = steps
            what = f"{steps} steps" + (", rim not in the loss" if rim else "")
            rows.append([what, *scores(bind(_whole, network))])
            if not rim:
                rows.append([f"{what}, patch by patch", *scores(bind(_patch_by_patch, network))])
    rows.append([THEIRS, *theirs.values(), np.mean(list(theirs.values()))])
    write_table(TABLE, pd.DataFrame(rows, columns=["trained", *theirs, MEAN]).round(4))
    write_text(PAGE, page(pd.read_csv(TABLE)))
    print(PAGE.read_text("utf-8"))


def page(rows: pd.DataFrame) -> str:
    """The page, from the rows of docs/below-bicubic.csv: PSNR in dB of each image, and the mean."""
    images = [*rows.columns[1:]]
    lines = [[str(row[0]), *(f"{value:.2f}" for value in row[1:])] for row in rows.values.tolist()]
    return (
        "# What brings an SRCNN below bicubic\n\nSet5 x2, PSNR in dB, OpenCV's degradation, "
        "full-range luma, nothing cropped; luma is restored (and enlarged, for bicubic), not "
        f"colours. The same as CSV: [{TABLE.name}]({TABLE.name}). Written by `make "
        f"below-bicubic`.\n\n{markdown(['SRCNN, randomly started', *images], lines)}\n"
        f"{nearest(rows)}\n"
    )


def nearest(rows: pd.DataFrame) -> str:
    """The row of ours that is closest to the student project's, image by image, in words."""
    values = rows.set_index("trained").drop(columns=MEAN).round(2)
    far = (values.drop(index=THEIRS) - values.loc[THEIRS]).abs()
    name = far.mean(axis=1).idxmin()
    return (
        f"Most like the student project: {name} ({far.loc[name].mean():.2f} dB apart in the mean "
        f"over the images, {far.loc[name].max():.2f} at most)."
    )


def _pairs(dataset: str) -> list[Pair]:
    """LR and HR luma of the images of a data set."""
    images = (read_image(path) for path in list_images(Path("data/raw") / dataset))
    return [Pair(*map(PROTOCOL.training_luma, DEGRADATION.pair(image, SCALE))) for image in images]


def _randomly_started() -> keras.Model:
    """SRCNN 9-1-5 with Keras's default initial weights; this project's SRCNN starts as identity."""
    network = Architecture("srcnn", SCALE, {"middle_kernel": 1}, DEGRADATION.name).build()
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            layer.kernel.assign(keras.initializers.GlorotUniform()(layer.kernel.shape))
    return network


def _mean_squared_error_inside(rim: int):  # type: ignore[no-untyped-def]
    def loss(true: tf.Tensor, restored: tf.Tensor) -> tf.Tensor:
        inside = slice(rim, SIZE - rim)
        return tf.reduce_mean(tf.square((true - restored)[:, inside, inside]))

    return loss


def _whole(network: keras.Model, low: Plane) -> Plane:
    return to_uint8(restore_luma(network, low))


def _patch_by_patch(network: keras.Model, low: Plane) -> Plane:
    """Restore every 32 x 32 patch separately; patches at the edges can be smaller."""
    side = SIZE // SCALE
    restored = np.zeros((low.shape[0] * SCALE, low.shape[1] * SCALE), np.uint8)
    for top in range(0, low.shape[0], side):
        for left in range(0, low.shape[1], side):
            patch = low[top : top + side, left : left + side]
            y, x = top * SCALE, left * SCALE
            restored[y : y + SIZE, x : x + SIZE] = _whole(network, patch)
    return restored


def _scores(test: list[Pair], restore: Callable[[Plane], Plane]) -> list[float]:
    values = [PROTOCOL.psnr(pair.hr, restore(pair.lr), SCALE) for pair in test]
    return [*values, float(np.mean(values))]


if __name__ == "__main__":
    run(main)
