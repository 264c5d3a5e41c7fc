import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from stages.core.colour import Swing, chroma, luma, to_rgb, to_uint8
from stages.core.protocol import Protocol

SWINGS: tuple[Swing, ...] = ("studio", "full")


def _pixel(*rgb: int) -> NDArray[np.uint8]:
    return np.array([[rgb]], np.uint8)


def _ycbcr(image: NDArray[np.uint8], swing: Swing) -> NDArray[np.uint8]:
    return to_uint8(np.concatenate([luma(image, swing)[..., None], chroma(image, swing)], axis=-1))


@pytest.mark.parametrize(
    ("rgb", "ycbcr"),
    [
        ((0, 0, 0), (16, 128, 128)),
        ((255, 255, 255), (235, 128, 128)),
        ((255, 0, 0), (81, 90, 240)),
        ((0, 255, 0), (145, 54, 34)),
        ((0, 0, 255), (41, 240, 110)),
    ],
)
def test_studio_swing_has_the_values_of_matlab_rgb2ycbcr(
    rgb: tuple[int, ...], ycbcr: tuple[int, ...]
) -> None:
    # What MATLAB's rgb2ycbcr gives for the uint8 primaries; also the BT.601 colour bar values.
    assert tuple(_ycbcr(_pixel(*rgb), "studio")[0, 0]) == ycbcr


def test_full_range_is_opencvs_ycrcb(photo: NDArray[np.uint8]) -> None:
    theirs = cv2.cvtColor(photo, cv2.COLOR_RGB2YCrCb)[..., [0, 2, 1]].astype(int)
    assert np.abs(_ycbcr(photo, "full").astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("swing", SWINGS)
def test_luma_and_chroma_make_the_image_again(photo: NDArray[np.uint8], swing: Swing) -> None:
    noise = np.random.default_rng(0).integers(256, size=(40, 40, 3), dtype=np.uint8)
    for image in (photo, noise):
        again = to_rgb(luma(image, swing), chroma(image, swing), swing)
        np.testing.assert_allclose(again, image, atol=1e-9)


@pytest.mark.parametrize("swing", SWINGS)
def test_grey_image_is_luma_as_it_is(swing: Swing) -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(luma(grey, swing), grey)


def test_luma_is_not_rounded() -> None:
    assert luma(_pixel(1, 0, 0), "full")[0, 0] == pytest.approx(0.299)


def test_rounding_is_half_up_and_clips() -> None:
    values = np.array([-3.0, 0.49, 0.5, 1.5, 2.5, 254.5, 300.0])
    np.testing.assert_array_equal(to_uint8(values), [0, 0, 1, 2, 3, 255, 255])


def test_protocol_of_a_degradation_has_its_swing_and_border() -> None:
    plane = np.arange(20 * 24, dtype=np.float64).reshape(20, 24)
    matlab, opencv = Protocol("matlab"), Protocol("opencv")
    assert matlab.luma(_pixel(255, 255, 255)) == pytest.approx(235)
    assert opencv.luma(_pixel(255, 255, 255)) == pytest.approx(255)
    np.testing.assert_array_equal(matlab.crop(plane, 4), plane[4:16, 4:20])
    np.testing.assert_array_equal(opencv.crop(plane, 4), plane)
    # Where the border would leave nothing, all of the plane is scored.
    np.testing.assert_array_equal(matlab.crop(plane[:16], 8), plane[:16])
    assert matlab.sentence() != opencv.sentence()
