"""PSNR and SSIM are those of the literature; the table of metrics is complete."""

import math

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio
from skimage.metrics import structural_similarity as skimage_ssim

from srstudy.images.protocols import FULL_RANGE, LITERATURE, Protocol
from srstudy.images.psnr import psnr
from srstudy.scoring.metrics import METRICS, ssim
from srstudy.scoring.ssim import ROWS, WINDOW, structural_similarity

Grey = NDArray[np.uint8]  # whose luma is what it is: by FULL_RANGE the whole image is scored


@pytest.fixture
def planes() -> tuple[Grey, Grey]:
    rng = np.random.default_rng(0)
    hr = 128 + 60 * np.sin(np.arange(20 * 31).reshape(20, 31) / 7)
    restored = np.clip(hr + rng.normal(0, 9, hr.shape), 0, 255)
    return hr.astype(np.uint8), restored.astype(np.uint8)


def test_psnr_of_a_known_error() -> None:
    # Every pixel is wrong by 5: 10 log10(255^2 / 25) = 34.1514 dB.
    hr = np.full((4, 6), 100, np.uint8)
    assert psnr(hr, hr + np.uint8(5)) == pytest.approx(34.15140, abs=1e-5)
    # uint8 must not wrap around: 5 - 10 is -5, not 251.
    assert psnr(hr - np.uint8(5), hr) == psnr(hr + np.uint8(5), hr)


def test_psnr_equals_scikit_image(planes: tuple[Grey, Grey]) -> None:
    assert psnr(*planes) == pytest.approx(peak_signal_noise_ratio(*planes, data_range=255))


def test_ssim_equals_the_paper_computed_window_by_window(planes: tuple[Grey, Grey]) -> None:
    # Wang et al. (2004), eq. 13 to 16: an 11 x 11 Gaussian window of sigma 1.5 that sums to 1,
    # K1 = 0.01, K2 = 0.03, the mean over all windows that lie inside the image.
    line = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2

    def weighted(plane: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.einsum("ijkl,kl->ij", sliding_window_view(plane, (11, 11)), window)

    x, y = (plane.astype(np.float64) for plane in planes)
    mean_x, mean_y = weighted(x), weighted(y)
    var_x, var_y = weighted(x * x) - mean_x**2, weighted(y * y) - mean_y**2
    covariance = weighted(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    similarity = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
        (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    )
    assert ssim(FULL_RANGE, *planes, 2) == pytest.approx(similarity.mean(), abs=1e-9)


def _like_scikit_image(hr: NDArray[np.float64], restored: NDArray[np.float64]) -> None:
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    theirs = skimage_ssim(hr, restored, data_range=255.0, **options)
    assert structural_similarity(hr, restored) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("width", [WINDOW, WINDOW + 1, 97])
@pytest.mark.parametrize("height", [WINDOW, 12, 31, *range(ROWS + 9, ROWS + 12), 3 * ROWS + 5])
def test_ssim_equals_scikit_image_at_every_shape(height: int, width: int) -> None:
    random = np.random.default_rng(height * width)
    hr = random.uniform(0, 255, (height, width))
    for noise in (0.01, 3, 90):
        _like_scikit_image(hr, np.clip(hr + random.normal(0, noise, hr.shape), 0, 255))


def test_ssim_equals_scikit_image_on_flat_and_photographed_planes(
    photo: NDArray[np.uint8],
) -> None:
    flat = [np.full((40, 50), value) for value in (0.0, 16.0, 128.0, 255.0)]
    steps = np.repeat([[0.0, 255.0]], 40, 0).repeat(25, 1)
    for hr in (*flat, steps):
        for restored in (*flat, steps):
            _like_scikit_image(hr, restored)
    for protocol in (LITERATURE, FULL_RANGE):
        for image in (photo, photo[..., 1]):
            coarse = (image // 32 * 32).astype(np.uint8)
            _like_scikit_image(*protocol.planes(image, coarse, 2))
            _like_scikit_image(*protocol.planes(image, image, 2))


@pytest.mark.parametrize("protocol", [LITERATURE, FULL_RANGE], ids=["literature", "full range"])
@pytest.mark.parametrize("scale", [2, 3])
def test_score_uses_the_protocols_luma_inside_its_border(
    photo: NDArray[np.uint8], protocol: Protocol, scale: int
) -> None:
    hr, restored = photo[:40, :50], photo[1:41, :50]
    inside = slice(scale, -scale) if protocol.crops else slice(None)
    lumas = [protocol.luma(image)[inside, inside] for image in (hr, restored)]
    score = METRICS["psnr"].function(protocol, hr, restored, scale)
    assert score == protocol.psnr(hr, restored, scale) == psnr(*lumas)
    # Where only the border is wrong, the literature's protocol sees nothing.
    framed = hr.copy()
    framed[0] = 0
    assert (protocol.psnr(hr, framed, scale) == math.inf) == protocol.crops
    assert (ssim(protocol, hr, framed, scale) == pytest.approx(1)) == protocol.crops


def test_identical_images_score_infinity_and_one() -> None:
    plane = np.random.default_rng(0).integers(256, size=(12, 15), dtype=np.uint8)
    assert psnr(plane, plane) == FULL_RANGE.psnr(plane, plane, 2) == math.inf
    assert ssim(FULL_RANGE, plane, plane, 2) == pytest.approx(1)


def test_planes_of_different_shapes_are_refused() -> None:
    # (12, 12) and (12, 1) would broadcast.
    wide, narrow = np.zeros((12, 12), np.uint8), np.zeros((12, 1), np.uint8)
    with pytest.raises(ValueError, match=r"\(12, 12\) and \(12, 1\)"):
        psnr(wide, narrow)
    for metric in METRICS.values():
        with pytest.raises(ValueError, match=r"\(12, 12\) and \(12, 1\)"):
            metric.function(LITERATURE, wide, narrow, 2)


def test_planes_smaller_than_the_window_have_no_ssim() -> None:
    for protocol, least in ((FULL_RANGE, 11), (LITERATURE, 15)):  # a border of 2 on either side
        small, large = np.zeros((least - 1, 40), np.uint8), np.zeros((least, 40), np.uint8)
        assert math.isnan(ssim(protocol, small, small, 2))
        assert ssim(protocol, large, large, 2) == pytest.approx(1)


@pytest.mark.parametrize("name", METRICS)
def test_each_metric_gives_a_number_for_two_images(photo: NDArray[np.uint8], name: str) -> None:
    metric = METRICS[name]
    assert metric.title and metric.digits >= 0
    hr = photo[:41, :50]
    for protocol in (LITERATURE, FULL_RANGE):
        for one in (hr, hr[..., 1]):
            near, far = (
                metric.function(protocol, one, (one // step * step).astype(np.uint8), 2)
                for step in (4, 64)
            )
            assert math.isfinite(near) and math.isfinite(far) and near != far


def test_psnr_is_the_first_of_the_metrics() -> None:
    assert next(iter(METRICS)) == "psnr"  # the one that short tables and comparisons show
