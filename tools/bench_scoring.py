"""The part of `make bench` about scoring: its time over that of the network and the metrics."""

import statistics
from contextlib import chdir, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from skimage.metrics import structural_similarity as skimage_ssim

from srstudy.common.params import read
from srstudy.datasets.download import fetch
from srstudy.datasets.lr_folders import FULL, make_folders, write_pair
from srstudy.degradations.shared.degradation import degradation
from srstudy.imagefiles.listing import list_images
from srstudy.imagefiles.reading import read_image
from srstudy.networks.shared.inference import restore_luma
from srstudy.scoring.evaluation import evaluate, scored
from srstudy.scoring.restoring import restore
from srstudy.scoring.ssim import SIGMA, structural_similarity
from srstudy.training.recipe import Recipe
from srstudy.training.settings import NetworkSettings
from tools.timing import by_turns

Row = tuple[str, str, str]
SCALE, IMAGES, ROUNDS = 2, 10, 3
HEIGHT, WIDTH = 700, 1024  # about the size of Urban100's images


def scoring() -> list[Row]:
    """Scoring of a test set over its network and metrics alone, and SSIM over scikit-image's."""
    made_by = degradation("matlab")
    model = Recipe.of(read(NetworkSettings), SCALE).architecture(made_by.name).build()
    network = partial(restore_luma, model)
    photos = _colour_photos()
    pairs = [made_by.pair(photos[number % len(photos)], SCALE) for number in range(IMAGES)]
    lumas = [made_by.protocol.luma(pair.lr) for pair in pairs]
    restored = [made_by.enlarge(pair.lr, SCALE) for pair in pairs]

    def whole() -> None:
        with redirect_stdout(StringIO()):
            evaluate(
                "bench", SCALE, "plain", made_by, lambda lr: restore(network, lr, SCALE, made_by)
            )

    def network_alone() -> None:
        for luma in lumas:
            network(luma)

    def metrics_alone() -> None:
        for pair, image in zip(pairs, restored, strict=True):
            scored(made_by.protocol, pair.hr, image, SCALE)

    planes = made_by.protocol.planes(pairs[0].hr, restored[0], SCALE)
    options = {"gaussian_weights": True, "sigma": SIGMA, "use_sample_covariance": False}
    theirs = partial(skimage_ssim, *planes, data_range=255.0, **options)
    with TemporaryDirectory() as folder, chdir(folder):
        source = Path(f"data/lr/x{SCALE}/test/bench")
        make_folders(source, [FULL])
        for number, pair in enumerate(pairs):
            write_pair(source, FULL, f"{number:02d}", pair)
        rounds = by_turns([whole, network_alone, metrics_alone], ROUNDS)
    ratio = statistics.median(all_ / (net + metrics) for all_, net, metrics in rounds)
    all_, net, metrics = (statistics.median(times) for times in zip(*rounds, strict=True))
    turns = by_turns([partial(structural_similarity, *planes), theirs])
    ours, plain = (statistics.median(times) * 1e3 for times in zip(*turns, strict=True))
    size = f"{WIDTH} x {HEIGHT}"
    return [
        (
            f"scoring images of {size} at x{SCALE}: time over network plus metrics alone",
            f"{ratio:.2f}",
            f"{all_:.1f} over {net:.1f} + {metrics:.1f} s, {IMAGES} images, read and written",
        ),
        (
            f"SSIM of {size}: time over scikit-image's",
            f"{ours / plain:.3f}",
            f"{ours:.0f} over {plain:.0f} ms",
        ),
    ]


def _colour_photos() -> list[np.ndarray]:
    """The embedded photographs in colour, enlarged to the size for the measurement."""
    with TemporaryDirectory() as folder:
        fetch("sample", Path(folder) / "photos")
        photos = [read_image(path) for path in list_images(Path(folder) / "photos")]
    return [cv2.resize(photo, (WIDTH, HEIGHT)) for photo in photos if photo.ndim == 3]
