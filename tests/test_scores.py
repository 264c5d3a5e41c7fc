import math

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio

from srstudy.scoring.metrics import psnr, ssim


@pytest.fixture
def planes() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(0)
    true = 128 + 60 * np.sin(np.arange(20 * 31).reshape(20, 31) / 7)
    return true, np.clip(true + rng.normal(0, 9, true.shape), 0, 255)


def test_psnr_of_a_known_error() -> None:
    # Every pixel is wrong by 5: 10 log10(255^2 / 25) = 34.1514 dB.
    true = np.full((4, 6), 100, np.uint8)
    assert psnr(true, true + np.uint8(5)) == pytest.approx(34.15140, abs=1e-5)
    # uint8 must not wrap around: 5 - 10 is -5, not 251.
    assert psnr(true - np.uint8(5), true) == psnr(true + np.uint8(5), true)


def test_psnr_is_that_of_scikit_image(
    planes: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    assert psnr(*planes) == pytest.approx(peak_signal_noise_ratio(*planes, data_range=255))


def test_ssim_is_that_of_the_paper_computed_window_by_window(
    planes: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    # Wang et al. (2004), eq. 13 to 16: an 11 x 11 Gaussian window of sigma 1.5 that sums to 1,
    # K1 = 0.01, K2 = 0.03, the mean over all windows that lie inside the image.
    line = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2

    def weighted(plane: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.einsum("ijkl,kl->ij", sliding_window_view(plane, (11, 11)), window)

    x, y = planes
    mean_x, mean_y = weighted(x), weighted(y)
    var_x, var_y = weighted(x * x) - mean_x**2, weighted(y * y) - mean_y**2
    covariance = weighted(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    similarity = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
        (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    )
    assert ssim(x, y) == pytest.approx(similarity.mean(), abs=1e-9)


def test_identical_planes_score_infinity_and_one() -> None:
    plane = np.random.default_rng(0).integers(256, size=(12, 15), dtype=np.uint8)
    assert psnr(plane, plane) == math.inf
    assert ssim(plane, plane) == pytest.approx(1)


def test_planes_of_different_shapes_are_refused() -> None:
    # (12, 12) and (12, 1) would broadcast.
    for score in (psnr, ssim):
        with pytest.raises(ValueError, match=r"\(12, 12\) and \(12, 1\)"):
            score(np.zeros((12, 12)), np.zeros((12, 1)))


def test_planes_below_the_window_have_no_ssim() -> None:
    assert math.isnan(ssim(np.zeros((10, 40)), np.zeros((10, 40))))
    assert ssim(np.zeros((11, 40)), np.zeros((11, 40))) == pytest.approx(1)
