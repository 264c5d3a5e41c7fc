"""Chroma filtered along the restored luma, for networks trained on noise and JPEG."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from srstudy.degradations.shared.degradation import degradation
from srstudy.images.colour import colour_differences
from srstudy.upscale.chroma import LEAST_NOISE, RADIUS, chroma_noise, filtered, with_clean_chroma
from srstudy.upscale.runtime import Network
from srstudy.upscale.upscaling import count_tiles, restore_photo
from tools.chroma import CASES, TABLE
from tools.photo_cases import spoiled

Image = NDArray[np.uint8]


def _enlarged(lr: NDArray[Any]) -> NDArray[np.float32]:
    return degradation("matlab").interpolation.planes(np.asarray(lr, np.float32), 2)


# Bicubic luma does not depend on tiles: so any difference comes from the filter.
PLAIN = Network(_enlarged, 2, degradation("matlab"), 2)
CLEANING = replace(PLAIN, cleans_chroma=True)


@pytest.fixture
def noisy(photo: Image) -> Image:
    return spoiled(photo, "noise10", "photo")


def _apart(one: NDArray[Any], other: NDArray[Any]) -> float:
    """The mean squared error of the colour differences of two images."""
    both = [colour_differences(image.astype(np.float32)) for image in (one, other)]
    return float(np.square(both[0] - both[1]).mean())


def test_colour_noise_is_removed_and_luma_is_kept(photo: Image, noisy: Image) -> None:
    clean, before, after = (
        restore_photo(image, [network])
        for image, network in ((photo, PLAIN), (noisy, PLAIN), (noisy, CLEANING))
    )
    assert _apart(after, clean) < 0.5 * _apart(before, clean)
    luma = degradation("matlab").protocol.luma
    inside = (after > 0) & (after < 255) & (before > 0) & (before < 255)
    assert np.abs(luma(after) - luma(before))[inside.all(axis=2)].max() < 1


def test_colour_edge_without_an_edge_in_luma_is_kept() -> None:
    lr = np.empty((30, 40, 3), np.float32)
    lr[:, :20], lr[:, 20:] = (200, 80, 80), (90, 136, 80)  # of equal luma, to half a level
    clean = with_clean_chroma(lr, np.full((60, 80), 110, np.float32), np.zeros(3, np.float32))
    assert np.abs(clean - lr).max() < 1


def test_filter_equals_a_computation_pixel_by_pixel() -> None:
    random = np.random.default_rng(0)
    planes = random.uniform(-60, 60, (25, 25, 3)).astype(np.float32)
    guide = random.uniform(0, 255, (25, 25)).astype(np.float32)
    size = 2 * RADIUS + 1

    def mean(values: NDArray[Any]) -> NDArray[Any]:
        views = np.lib.stride_tricks.sliding_window_view(values.astype(float), (size, size), (0, 1))
        return views.mean(axis=(-2, -1))

    def cut(values: NDArray[Any]) -> NDArray[Any]:
        return values[RADIUS:-RADIUS, RADIUS:-RADIUS]

    luma, noise = guide[..., None].astype(float), np.array([3.0, 40.0, 900.0], np.float32)
    covariance = mean(luma * planes) - mean(luma) * mean(planes)
    slope = covariance / (mean(luma * luma) - mean(luma) ** 2 + 4.0)
    fit = mean(slope) * cut(cut(luma)) + mean(mean(planes) - slope * mean(luma))
    rest = cut(cut(planes)) - fit
    kept = np.maximum(0, 1 - noise / mean(rest * rest))
    expected = cut(fit) + cut(rest) * kept
    np.testing.assert_allclose(cut(cut(cut(filtered(planes, guide, noise)))), expected, atol=0.02)


def test_measured_noise_is_the_added_noise(photo: Image) -> None:
    smooth = np.asarray(cv2.GaussianBlur(photo, (0, 0), 3), np.uint8)
    for sigma in (5, 10):
        noise = np.random.default_rng(0).normal(0, sigma, smooth.shape)
        noisy = np.clip(np.rint(smooth + noise), 0, 255).astype(np.uint8)
        added = colour_differences(noise.astype(np.float32)).var(axis=(0, 1))
        for image in (noisy, noisy.astype(np.uint16) * 257):
            np.testing.assert_allclose(chroma_noise(image), added, rtol=0.2)
    assert chroma_noise(smooth).max() < 1


@pytest.mark.parametrize("kind", ["colour", "alpha", "16 bits"])
def test_tiles_have_no_seams(noisy: Image, kind: str) -> None:
    image: Any = noisy
    if kind == "alpha":
        image = np.dstack([noisy, np.where(noisy[..., 1] > 90, 255, noisy[..., 0])])
    if kind == "16 bits":
        image = noisy.astype(np.uint16) * 257
    assert count_tiles(image, [CLEANING], 70) >= 9
    whole, tiled = (restore_photo(image, [CLEANING], side=side) for side in (10_000, 70))
    seen = whole[..., 3:] > 0 if kind == "alpha" else np.True_
    apart = np.abs(tiled.astype(int) - whole) * seen
    assert apart.max() <= (3 if kind == "16 bits" else 1)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 30, 3), (2, 2, 4), (9, 7), (3, 5, 3)])
def test_output_has_the_kind_of_the_input(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    large = restore_photo(image, [CLEANING])
    assert large.shape == (shape[0] * 2, shape[1] * 2, *shape[2:]) and large.dtype == np.uint8


def test_table_shows_a_gain_of_the_filter_for_noise_and_jpeg() -> None:
    table = pd.read_csv(TABLE)
    chosen = table.query(
        f"guide == 'restored' and radius == {RADIUS} and least_noise == {LEAST_NOISE}"
    )
    assert set(chosen.case) == set(CASES) and set(chosen.luma) > {"true"}
    assert (chosen[chosen.case != "clean"].gain > 0).all()
