"""Each file of srstudy/degradations meets the requirements of the study; new files are found."""

import numpy as np
import pytest
from numpy.typing import NDArray

from srstudy.common import choices
from srstudy.common.scales import SCALES
from srstudy.degradations.shared.degradation import ROOM, WANTED, degradation, names
from srstudy.images.interpolation import LEAST_SIDE, Interpolation
from srstudy.images.protocols import Protocol
from srstudy.networks.shared.upsampling import BicubicUpsampling

every_degradation = pytest.mark.parametrize("name", names())
every_scale = pytest.mark.parametrize("scale", SCALES)


def test_each_file_of_the_folder_is_a_degradation() -> None:
    assert set(names()) >= {"matlab", "opencv"}
    assert "shared" not in names()


@every_degradation
def test_file_has_all_parts_of_a_degradation(name: str) -> None:
    file = choices.chosen(ROOM, name, WANTED)
    assert file.__doc__ and file.__doc__.strip()
    assert isinstance(file.DESCRIPTION, str) and file.DESCRIPTION.strip()
    assert isinstance(file.INTERPOLATION, Interpolation)
    assert isinstance(file.PROTOCOL, Protocol)
    assert file.degrade.__doc__
    made_by = degradation(name)
    assert (made_by.name, made_by.protocol, made_by.interpolation) == (
        name,
        file.PROTOCOL,
        file.INTERPOLATION,
    )


@every_degradation
@every_scale
@pytest.mark.parametrize("channels", [(), (3,)], ids=["grey", "colour"])
def test_lr_has_the_size_of_the_cropped_image_over_the_scale(
    photo: NDArray[np.uint8], name: str, scale: int, channels: tuple[int, ...]
) -> None:
    image = photo[:97, :83] if channels else photo[:97, :83, 1]
    before = image.copy()
    lr, hr = degradation(name).pair(image, scale)
    np.testing.assert_array_equal(image, before)  # it is not changed
    assert lr.dtype == hr.dtype == np.uint8
    assert lr.shape == (97 // scale, 83 // scale, *channels)
    np.testing.assert_array_equal(hr, image[: lr.shape[0] * scale, : lr.shape[1] * scale])
    np.testing.assert_array_equal(degradation(name).degrade(image, scale), lr)  # always the same
    large = degradation(name).enlarge(lr, scale)
    assert large.dtype == np.uint8 and large.shape == hr.shape


@every_degradation
@every_scale
@pytest.mark.parametrize("channels", [(), (3,)], ids=["grey", "colour"])
def test_smallest_image_has_one_lr_pixel(name: str, scale: int, channels: tuple[int, ...]) -> None:
    lr = degradation(name).degrade(np.full((scale, scale, *channels), 77, np.uint8), scale)
    assert lr.shape == (1, 1, *channels) and (lr == 77).all()


# For these, only the mean of a ramp is tested: compression bends a ramp, but does not shift it.
LOSSY = {"photo"}
SLOPE = 2  # even, so that the centre of each LR pixel has a whole value at any scale


@every_degradation
@every_scale
@pytest.mark.parametrize("upright", [False, True], ids=["horizontal", "vertical"])
def test_its_enlargement_returns_a_ramp_without_a_shift(
    name: str, scale: int, upright: bool
) -> None:
    made_by = degradation(name)
    values = np.arange(0, 255, SLOPE).astype(np.uint8)
    ramp = np.tile(values[: len(values) // scale * scale], (10 * scale, 1))
    lr, hr = made_by.pair(ramp.T if upright else ramp, scale)
    enlarged = made_by.enlarge(lr, scale).astype(int)
    exact = made_by.interpolation.planes(lr.astype(np.float32), scale)
    if upright:
        lr, hr, enlarged, exact = lr.T, hr.T, enlarged.T, exact.T
    # Without the edges, where kernels reach beyond the ramp; and only whole JPEG blocks.
    low, high = slice(4, -4), slice(4 * scale, -4 * scale)
    centres = scale * np.arange(lr.shape[1]) + (scale - 1) / 2
    off = lr[low, low] - SLOPE * centres[low]
    difference = (enlarged - hr)[high, high]
    assert difference.size
    assert abs(off.mean()) <= 0.5 and abs(difference.mean()) <= 0.5 * SLOPE
    if name in LOSSY:
        return
    assert np.abs(off).max() <= 0.5
    # A shift by one HR pixel would be SLOPE everywhere. Some kernels bend a ramp a little in both
    # directions: OpenCV's by a twentieth of the step between two LR pixels.
    bent = 0.06 * SLOPE * scale
    assert np.abs(difference).max() <= bent + 0.5  # 0.5 for rounding
    assert abs(difference.mean()) <= 0.1 * SLOPE
    assert np.abs((exact - hr)[high, high]).max() <= bent
    assert abs((exact - hr)[high, high].mean()) <= 0.01 * SLOPE


@every_degradation
@every_scale
def test_networks_use_the_interpolation_of_the_degradation(
    photo: NDArray[np.uint8], name: str, scale: int
) -> None:
    interpolation = degradation(name).interpolation
    plane = (photo[:13, :11, 1] / 255).astype(np.float32)
    layer = BicubicUpsampling(scale, interpolation.a)
    output = layer(plane[None, ..., None]).numpy()[0, ..., 0]
    inside = (slice(LEAST_SIDE * scale, -LEAST_SIDE * scale),) * 2
    expected = interpolation.planes(plane, scale)
    assert output.shape == expected.shape and expected.dtype == np.float32
    np.testing.assert_allclose(output[inside], expected[inside], atol=1e-5)


@every_degradation
@every_scale
def test_enlarged_planes_equal_an_enlarged_image_except_for_rounding(
    photo: NDArray[np.uint8], name: str, scale: int
) -> None:
    interpolation = degradation(name).interpolation
    small = photo[:23, :17]
    exact = interpolation.planes(small.astype(np.float32), scale)
    assert exact.shape == (23 * scale, 17 * scale, 3) and exact.dtype == np.float32
    # Each of the two axes rounds by up to a half; the second axis multiplies the error of the first
    # by up to 1.6.
    difference = np.clip(exact, 0, 255) - interpolation.image(small, scale)
    assert np.abs(difference).max() <= 1.5
    alpha = np.dstack([small, small[..., :1]]).astype(np.float32)  # four planes at once
    np.testing.assert_allclose(interpolation.planes(alpha, scale)[..., :3], exact, atol=1e-3)


@every_degradation
def test_its_sentence_has_its_name_and_its_protocol(name: str) -> None:
    made_by = degradation(name)
    sentence = made_by.sentence()
    assert name.lower() in sentence.lower()
    assert made_by.description in sentence and made_by.protocol.words in sentence
    assert "\n" not in sentence


def test_no_two_sentences_are_the_same() -> None:
    sentences = [degradation(name).sentence() for name in names()]
    assert len(set(sentences)) == len(sentences)
