import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from srstudy.images.colour import Swing, colour_differences, luma, to_uint8, with_luma
from srstudy.images.protocols import FULL_RANGE, LITERATURE

SWINGS: tuple[Swing, ...] = ("studio", "full")


def _pixel(*rgb: int) -> NDArray[np.uint8]:
    return np.array([[rgb]], np.uint8)


@pytest.mark.parametrize(
    ("rgb", "expected"),
    [
        ((0, 0, 0), 16),
        ((255, 255, 255), 235),
        ((255, 0, 0), 81),
        ((0, 255, 0), 145),
        ((0, 0, 255), 41),
    ],
)
def test_studio_swing_has_the_luma_of_matlab_rgb2ycbcr(rgb: tuple[int, ...], expected: int) -> None:
    # What MATLAB's rgb2ycbcr gives for the uint8 primaries; also the BT.601 colour bar values.
    assert to_uint8(luma(_pixel(*rgb), "studio"))[0, 0] == expected


def test_full_range_is_opencvs_luma(photo: NDArray[np.uint8]) -> None:
    theirs = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    assert np.abs(to_uint8(luma(photo, "full")).astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("swing", SWINGS)
def test_image_with_new_luma_keeps_its_chroma(photo: NDArray[np.uint8], swing: Swing) -> None:
    image = photo.astype(np.float32)
    other = luma(photo[::-1], swing).astype(np.float32)
    changed = with_luma(colour_differences(image), other, swing)
    np.testing.assert_allclose(luma(changed, swing), other, atol=1e-3)  # type: ignore[arg-type]
    before, after = (
        cv2.cvtColor(rgb / np.float32(255), cv2.COLOR_RGB2YCrCb)[..., 1:]
        for rgb in (image, changed)
    )
    np.testing.assert_allclose(after, before, atol=1e-3)
    assert np.abs(changed - image).max() > 10


@pytest.mark.parametrize("swing", SWINGS)
def test_image_with_its_own_luma_is_unchanged(photo: NDArray[np.uint8], swing: Swing) -> None:
    differences = colour_differences(photo.astype(np.float32))
    same = with_luma(differences, luma(photo, swing).astype(np.float32), swing)
    np.testing.assert_allclose(same, photo, atol=1e-3)


@pytest.mark.parametrize("swing", SWINGS)
def test_luma_of_a_grey_image_is_its_values(swing: Swing) -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(luma(grey, swing), grey)


def test_luma_is_not_rounded() -> None:
    assert luma(_pixel(1, 0, 0), "full")[0, 0] == pytest.approx(0.299)


def test_rounding_is_half_up_and_clips() -> None:
    values = np.array([-3.0, 0.49, 0.5, 1.5, 2.5, 254.5, 300.0])
    np.testing.assert_array_equal(to_uint8(values), [0, 0, 1, 2, 3, 255, 255])


def test_protocols_have_the_right_swing_and_border() -> None:
    plane = np.arange(20 * 24, dtype=np.float64).reshape(20, 24)
    assert LITERATURE.luma(_pixel(255, 255, 255)) == pytest.approx(235)
    assert FULL_RANGE.luma(_pixel(255, 255, 255)) == pytest.approx(255)
    np.testing.assert_array_equal(LITERATURE.crop(plane, 4), plane[4:16, 4:20])
    np.testing.assert_array_equal(FULL_RANGE.crop(plane, 4), plane)
    # Where the border would leave nothing, all of the plane is scored.
    np.testing.assert_array_equal(LITERATURE.crop(plane[:16], 8), plane[:16])
    assert LITERATURE.words != FULL_RANGE.words
