"""The two degradations of the study; common tests are in test_every_degradation.py."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from srstudy.common.errors import InputError
from srstudy.degradations.shared.degradation import Degradation, degradation
from srstudy.imagefiles.reading import read_image
from srstudy.images.protocols import FULL_RANGE, LITERATURE
from srstudy.images.resize import imresize

MATLAB, OPENCV = degradation("matlab"), degradation("opencv")
every_degradation = pytest.mark.parametrize("made_by", [MATLAB, OPENCV], ids=lambda d: d.name)


def test_matlab_lr_is_imresize_of_the_cropped_image(photo: NDArray[np.uint8]) -> None:
    lr = MATLAB.degrade(photo[:97, :83], 4)
    np.testing.assert_array_equal(lr, imresize(photo[:96, :80], 1 / 4))


def test_opencv_degradation_and_enlargement_are_cv2_resize(photo: NDArray[np.uint8]) -> None:
    lr, hr = OPENCV.pair(photo[:97, :83], 4)
    np.testing.assert_array_equal(hr, photo[:96, :80])
    np.testing.assert_array_equal(lr, cv2.resize(hr, (20, 24), interpolation=cv2.INTER_CUBIC))
    enlarged = cv2.resize(lr, (80, 96), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_array_equal(OPENCV.enlarge(lr, 4), enlarged)


def test_matlab_and_opencv_differ_in_pixels_and_protocol(photo: NDArray[np.uint8]) -> None:
    assert (MATLAB.degrade(photo, 4) != OPENCV.degrade(photo, 4)).mean() > 0.5
    assert MATLAB.protocol == LITERATURE != FULL_RANGE == OPENCV.protocol


@every_degradation
def test_at_scale_1_an_image_is_its_own_lr(photo: NDArray[np.uint8], made_by: Degradation) -> None:
    np.testing.assert_array_equal(made_by.degrade(photo, 1), photo)


@every_degradation
def test_wrong_arguments_are_refused_by_name(made_by: Degradation) -> None:
    image = np.zeros((6, 9), np.uint8)
    with pytest.raises(ValueError, match="uint8, not float64"):
        made_by.degrade(image.astype(np.float64), 2)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 1, not 0"):
        made_by.degrade(image, 0)
    with pytest.raises(ValueError, match="9 x 6 pixels; allowed: at least 8 x 8"):
        made_by.degrade(image, 8)
    with pytest.raises(ValueError, match="uint8"):
        made_by.enlarge(image.astype(np.float32), 2)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 1, not 0"):
        made_by.enlarge(image, 0)


@pytest.mark.parametrize(
    "wrong",
    [lambda hr, scale: hr, lambda hr, scale: hr[::scale, ::scale] / 255],
    ids=["size", "dtype"],
)
def test_degradation_that_returns_a_wrong_result_is_named(
    wrong: Callable[[NDArray[np.uint8], int], NDArray[np.uint8]],
) -> None:
    made_by = Degradation("own", "an own one", MATLAB.interpolation, MATLAB.protocol, wrong)
    with pytest.raises(InputError, match=r"^srstudy/degradations/own\.py: degrade gave .*allowed"):
        made_by.degrade(np.zeros((6, 9), np.uint8), 3)


@pytest.mark.parametrize(
    ("made_by", "sentence"),
    [
        (
            MATLAB,
            "LR by MATLAB's bicubic imresize; luma of BT.601, 16..235; border of `scale` pixels "
            "cropped; mean over the images",
        ),
        (
            OPENCV,
            "LR by OpenCV's INTER_CUBIC, no antialias; luma of BT.601, 0..255; nothing cropped; "
            "mean over the images",
        ),
    ],
    ids=["matlab", "opencv"],
)
def test_sentences_about_the_degradations_are_these(made_by: Degradation, sentence: str) -> None:
    assert made_by.sentence() == sentence


def test_name_is_added_to_a_description_that_lacks_it() -> None:
    made_by = Degradation("soft", "a Gaussian", MATLAB.interpolation, LITERATURE, imresize)
    assert made_by.sentence() == f"LR by a Gaussian (`soft`); {LITERATURE.words}"


RealImages = Callable[[str], list[Path]]


def _enlarged_score(image: NDArray[np.uint8], scale: int, made_by: Degradation) -> float:
    lr, hr = made_by.pair(image, scale)
    return made_by.protocol.psnr(hr, made_by.enlarge(lr, scale), scale)


# The bicubic rows in the tables of the literature (SRCNN, VDSR, LapSRN and many later papers).
@pytest.mark.slow
@pytest.mark.parametrize(
    ("test_set", "scale", "published"),
    [
        ("set5", 2, 33.66),
        ("set5", 3, 30.39),
        ("set5", 4, 28.42),
        ("set5", 8, 24.40),
        ("set14", 2, 30.24),
        ("set14", 3, 27.55),
        ("set14", 4, 26.00),
        ("bsd100", 2, 29.56),
        ("bsd100", 4, 25.96),
        ("urban100", 2, 26.88),
        ("urban100", 4, 23.14),
    ],
)
def test_bicubic_scores_equal_those_of_the_literature(
    real_images: RealImages, test_set: str, scale: int, published: float
) -> None:
    images = real_images(test_set)
    scores = [_enlarged_score(read_image(path), scale, MATLAB) for path in images]
    assert np.mean(scores) == pytest.approx(published, abs=0.03)


@pytest.mark.slow
def test_scores_of_the_opencv_degradation_on_set5_are_these(real_images: RealImages) -> None:
    # Computed once, only with cv2.resize and the Y of cv2.cvtColor. The student project, which used
    # this degradation, printed 36.00 36.75 27.01 33.55 31.76.
    pinned = {"baby": 36.24, "bird": 36.74, "butterfly": 27.05, "head": 33.72, "woman": 31.72}
    scores = {
        path.stem.removesuffix("_GT"): _enlarged_score(read_image(path), 2, OPENCV)
        for path in real_images("set5")
    }
    assert scores == pytest.approx(pinned, abs=0.03)
