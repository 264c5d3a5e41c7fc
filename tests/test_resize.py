import numpy as np
import pytest

from srstudy.images.resize import cubic, imenlarge, imresize, taps


def test_kernel_has_the_values_of_keys_at_hand_computed_points() -> None:
    # a = -0.5: 1.5 x^3 - 2.5 x^2 + 1 up to 1, -0.5 x^3 + 2.5 x^2 - 4 x + 2 up to 2.
    distances = np.array([0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 3])
    expected = [1, 0.8671875, 0.5625, 0.2265625, 0, -0.0703125, -0.0625, -0.0234375, 0, 0]
    np.testing.assert_array_equal(cubic(distances), expected)
    np.testing.assert_array_equal(cubic(-distances), expected)


def test_kernel_with_a_of_opencv_has_its_values() -> None:
    # a = -0.75: 1.25 x^3 - 2.25 x^2 + 1, and -0.75 x^3 + 3.75 x^2 - 6 x + 3.
    np.testing.assert_allclose(cubic(np.array([0.5, 1.5]), a=-0.75), [0.59375, -0.09375])


@pytest.mark.parametrize(
    ("length", "new", "scale"),
    [(24, 12, 1 / 2), (24, 8, 1 / 3), (24, 3, 1 / 8), (7, 21, 3.0), (5, 40, 8.0), (31, 28, 0.9)],
)
def test_weights_of_every_output_pixel_sum_to_one(length: int, new: int, scale: float) -> None:
    index, weight = taps(length, new, scale)
    assert index.shape == weight.shape and len(weight) == new
    assert index.min() >= 0 and index.max() < length
    np.testing.assert_allclose(weight.sum(axis=1), 1, atol=1e-12)


def test_shrinking_by_two_widens_the_kernel_to_eight_pixels() -> None:
    # Half the kernel at distances 0.25, 0.75, 1.25, 1.75 on both sides (values as above).
    half = np.array([0.8671875, 0.2265625, -0.0703125, -0.0234375]) / 2
    index, weight = taps(24, 12, 0.5)
    row = np.zeros(24)
    np.add.at(row, index[5], weight[5])  # centred between input pixels 10 and 11
    np.testing.assert_allclose(row[7:15], [*half[::-1], *half])
    assert not row[:7].any() and not row[15:].any()


@pytest.mark.parametrize("scale", [1 / 8, 1 / 4, 1 / 3, 1 / 2, 0.6, 0.9, 1, 2, 3, 4, 8])
def test_a_constant_image_stays_constant(scale: float) -> None:
    image = np.full((24, 32, 3), 137, np.uint8)
    resized = imresize(image, scale)
    assert resized.shape == (np.ceil(24 * scale), np.ceil(32 * scale), 3)
    assert (resized == 137).all()


def test_scale_one_changes_nothing() -> None:
    image = np.random.default_rng(0).integers(256, size=(7, 5), dtype=np.uint8)
    np.testing.assert_array_equal(imresize(image, 1), image)


# Halving a 2 x 2 image: with mirrored edges each axis is the plain mean of its two pixels.


def test_uint8_is_rounded_half_up_after_each_axis() -> None:
    # Rows: (0 + 1) / 2 = 0.5 -> 1 and 0; columns: (1 + 0) / 2 = 0.5 -> 1. Rounded only at the
    # end it would be 0.25 -> 0.
    assert imresize(np.array([[0, 0], [1, 0]], np.uint8), 0.5) == 1


def test_rows_are_resized_before_columns() -> None:
    # Rows first: 0.5 -> 1 and 1.5 -> 2, then 1.5 -> 2. Columns first: 0 and 2, then 1.
    image = np.array([[0, 0], [1, 3]], np.uint8)
    assert imresize(image, 0.5) == 2
    assert imresize(image.T, 0.5) == 1


def test_floating_point_is_neither_rounded_nor_clipped() -> None:
    assert imresize(np.array([[0, 0], [1, 0]], np.float64), 0.5) == 0.25
    step = np.tile([0.0] * 4 + [255.0] * 4, (2, 1))
    assert imresize(step, 2).min() < 0 and imresize(step, 2).max() > 255


def test_overshoot_of_uint8_is_clipped_not_wrapped() -> None:
    step = np.tile(np.array([0] * 4 + [255] * 4, np.uint8), (2, 1))
    enlarged = imresize(step, 2)[0].astype(int)
    assert (np.diff(enlarged) >= 0).all() and enlarged[0] == 0 and enlarged[-1] == 255


def test_edges_are_mirrored_with_the_border_pixel_repeated() -> None:
    # The first pixel of [10, 20] enlarged by 2 lies at -0.25. Weights -0.0234375, 0.2265625,
    # 0.8671875, -0.0703125 fall on pixels -2, -1, 0, 1, which are 20, 10, 10, 20: 9.0625.
    enlarged = imresize(np.array([[10.0, 20.0]]), 2)
    assert enlarged[0, 0] == 9.0625
    assert enlarged[0, -1] == 20.9375  # the same from the other side


def test_both_sides_of_a_non_square_image_are_resized() -> None:
    image = np.random.default_rng(0).random((9, 14))
    assert imresize(image, 1 / 3).shape == (3, 5)
    np.testing.assert_allclose(imresize(image.T, 1 / 3), imresize(image, 1 / 3).T)


def test_the_axis_that_shrinks_most_comes_first() -> None:
    # Halved in width only, then 2 x 1 stays 2 x 1: one axis, one rounding.
    image = np.array([[0, 1], [0, 0]], np.uint8)
    np.testing.assert_array_equal(imresize(image, size=(2, 1)), [[1], [0]])


def test_colour_planes_are_resized_one_by_one() -> None:
    image = np.random.default_rng(0).integers(256, size=(12, 16, 3), dtype=np.uint8)
    planes = np.stack([imresize(image[..., c], 0.25) for c in range(3)], axis=-1)
    np.testing.assert_array_equal(imresize(image, 0.25), planes)


def test_other_dtypes_and_scales_are_refused() -> None:
    with pytest.raises(ValueError, match="int64"):
        imresize(np.zeros((4, 4), np.int64), 0.5)  # type: ignore[type-var]
    with pytest.raises(ValueError, match="above 0"):
        imresize(np.zeros((4, 4)), 0)
    with pytest.raises(ValueError, match="either a scale or a size"):
        imresize(np.zeros((4, 4)))


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("shape", [(1, 1), (2, 5, 3), (31, 17), (16, 9, 4)])
def test_enlargement_in_phases_is_imresize(shape: tuple[int, ...], scale: int) -> None:
    image = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
    np.testing.assert_allclose(imenlarge(image, scale), imresize(image, scale), atol=1e-3)
