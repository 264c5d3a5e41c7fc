"""Detecting from the pixels whether an image was a JPEG file."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from srstudy.degradations.shared.degradation import degradation
from srstudy.images.jpeg import decoded_jpeg
from srstudy.upscale.jpeg_traces import ENOUGH, evidence, was_jpeg
from tools.jpeg_traces import SUBSAMPLING, TABLE, measured, read_table

Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def clean() -> Image:
    """A photograph that was never a JPEG file at this size: 256 x 256 pixels."""
    return degradation("matlab").degrade(np.asarray(data.astronaut()), 2)


@pytest.mark.parametrize("sampling", SUBSAMPLING)
@pytest.mark.parametrize("quality", [30, 50, 75, 85, 95])
def test_decoded_jpeg_is_detected_at_every_quality(
    clean: Image, quality: int, sampling: str
) -> None:
    assert not was_jpeg(clean)
    assert was_jpeg(decoded_jpeg(clean, quality, SUBSAMPLING[sampling]))


def test_grey_and_alpha_images_are_detected_like_colour(clean: Image) -> None:
    grey, colour = decoded_jpeg(clean[..., 1].copy(), 75), decoded_jpeg(clean, 75)
    assert was_jpeg(grey) and not was_jpeg(clean[..., 1])
    assert was_jpeg(np.dstack([colour, clean[..., 0]]))


@pytest.mark.parametrize("top", range(8))
def test_cropped_jpeg_is_detected_at_any_block_position(clean: Image, top: int) -> None:
    assert was_jpeg(decoded_jpeg(clean, 75)[top:, 7 - top :])


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_rotated_and_mirrored_jpeg_is_detected(clean: Image, turns: int) -> None:
    decoded = decoded_jpeg(clean[:250, :251].copy(), 75)
    assert was_jpeg(np.rot90(decoded, turns)) and was_jpeg(np.rot90(decoded[:, ::-1], turns))


def test_jpeg_of_64_pixels_is_detected_and_a_smaller_one_never(clean: Image) -> None:
    decoded = decoded_jpeg(clean[40:104, 80:144].copy(), 75)
    assert was_jpeg(decoded) and not was_jpeg(decoded[:63])


def test_resized_jpeg_is_not_detected(clean: Image) -> None:
    smaller = cv2.resize(decoded_jpeg(clean, 75), (200, 200), interpolation=cv2.INTER_AREA)
    assert not was_jpeg(np.asarray(smaller, np.uint8))


def test_16_bit_image_gives_no_evidence(clean: Image) -> None:
    assert evidence(decoded_jpeg(clean, 50).astype(np.uint16) * 257) == 0


def _drawings() -> dict[str, Image]:
    random, (y, x) = np.random.default_rng(0), np.mgrid[:320, :320].astype(float)
    large = random.integers(1, 6, (40, 40), np.uint8) * 40
    written = np.full((320, 320), 240, np.uint8)
    for row in range(20, 320, 20):
        cv2.putText(written, "Neither photograph nor JPEG", (5, row), 0, 0.5, (20,), 1, cv2.LINE_AA)
    return {
        "one grey": np.full((320, 320, 3), 120, np.uint8),
        "black and white": random.integers(0, 2, (320, 320), np.uint8) * 255,
        "noise": random.integers(0, 256, (320, 320, 3), np.uint8),
        "gradient": np.clip(0.11 * y + 0.43 * x + 5, 0, 255).astype(np.uint8),
        "circles": (np.hypot(y - 150, x - 140) * 0.5 + 20).astype(np.uint8),
        "wave": (128 + 100 * np.sin(x * np.pi / 8)).astype(np.uint8),
        "squares of 8 pixels": large.repeat(8, 0).repeat(8, 1),
        "squares of 4 pixels": large.repeat(4, 0).repeat(4, 1),
        "squares of 2 pixels": large.repeat(2, 0).repeat(2, 1),
        "text": written,
    }


@pytest.mark.parametrize("name", _drawings())
def test_drawing_is_not_detected_decoded_jpeg(name: str) -> None:
    assert evidence(_drawings()[name]) < ENOUGH


def test_table_has_no_false_alarm_on_test_sets_and_finds_every_jpeg() -> None:
    rows = [row for row in read_table() if row.set in ("set5", "set14", "bsd100")]
    assert {row.set for row in rows} == {"set5", "set14", "bsd100"}
    for row in rows:
        if row.case.startswith("LR"):
            assert row.told == 0
        elif row.case.startswith("JPEG"):
            assert row.told == row.images


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["set5", "set14"])
def test_table_equals_a_new_measurement(
    name: str, real_images: Callable[[str], list[Path]]
) -> None:
    found = [row[:4] for row in measured(name, real_images(name))]
    assert found == [row[:4] for row in read_table() if row.set == name], TABLE
