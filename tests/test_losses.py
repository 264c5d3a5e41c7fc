import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from srstudy.losses import charbonnier, mse
from srstudy.losses.shared.objective import objective, squared_gradient


def _batch(*images: NDArray) -> tf.Tensor:
    return tf.constant(np.stack(images)[..., None], tf.float32)


def _noise(*shape: int) -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).random((*shape, 1)), tf.float32)


def _value(tensor: tf.Tensor) -> float:
    return float(keras.ops.convert_to_numpy(tensor))


HAND = np.array([[1, 2, 4], [3, 3, 0]])


def test_smoothness_of_a_hand_computed_case() -> None:
    # To the left: 1 + 4 and 0 + 9; upwards: 4 + 1 + 16; 35 over 6 pixels.
    assert _value(squared_gradient(_batch(HAND))) == pytest.approx(35 / 6)


def test_smoothness_is_not_total_variation() -> None:
    # Absolute differences: 1 + 2 + 0 + 3 + 2 + 1 + 4.
    assert _value(tf.image.total_variation(_batch(HAND))[0]) == 13
    assert _value(squared_gradient(_batch(HAND))) * HAND.size == pytest.approx(35)


def test_smoothness_is_the_double_sum_divided_by_the_pixels() -> None:
    image = _noise(1, 7, 5)
    y = image.numpy()[0, ..., 0].astype(np.float64)
    total = 0.0
    for i in range(7):
        for j in range(5):
            total += (y[i, j] - y[i, j - 1]) ** 2 if j else 0
            total += (y[i, j] - y[i - 1, j]) ** 2 if i else 0
    assert _value(squared_gradient(image)) == pytest.approx(total / 35, rel=1e-5)


def test_smoothness_of_a_constant_is_zero_without_wraparound() -> None:
    assert _value(squared_gradient(_batch(np.full((6, 6), 0.7)))) == 0
    step = np.zeros((1, 4))
    step[:, 2:] = 1  # one step of 1 inside; a difference around the edge would be a second
    assert _value(squared_gradient(_batch(step))) == pytest.approx(1 / 4)


def test_smoothness_weights_both_directions_equally() -> None:
    image = _noise(2, 6, 9)
    turned = tf.transpose(image, (0, 2, 1, 3))
    assert _value(squared_gradient(turned)) == pytest.approx(
        _value(squared_gradient(image)), rel=1e-5
    )


def test_loss_is_the_error_plus_lambda_times_smoothness() -> None:
    hr, restored = _batch(HAND), _batch(HAND * 2)
    # Error: the mean of HAND^2 is 39 / 6; smoothness of the doubled image: 4 * 35 / 6.
    assert _value(objective("mse", 0.5)(hr, restored)) == pytest.approx(39 / 6 + 0.5 * 140 / 6)


def test_lambda_zero_is_exactly_the_mean_squared_error() -> None:
    hr, restored = _noise(2, 8, 8), tf.reverse(_noise(2, 8, 8), [0])
    assert _value(objective("mse", 0.0)(hr, restored)) == _value(mse.loss(hr, restored))
    # Even where the smoothness term is no number.
    endless = tf.constant([[[[np.inf], [np.inf]]]], tf.float32)
    assert _value(objective("mse", 0.0)(tf.zeros_like(endless), endless)) == np.inf


def test_charbonnier_is_close_to_the_absolute_difference_and_smooth_at_0() -> None:
    hr, restored = _batch(HAND), _batch(HAND + np.array([[1, -2, 0], [0, 0, 3]]))
    # sqrt(d^2 + 0.001^2) of 1, 2, 3 and three times 0.
    expected = (sum(np.hypot(d, 0.001) for d in (1, 2, 3)) + 3 * 0.001) / 6
    assert _value(charbonnier.loss(hr, restored)) == pytest.approx(expected)
    assert _value(objective("charbonnier", 0.0)(hr, restored)) == pytest.approx(expected)


def test_loss_is_the_mean_over_the_batch() -> None:
    hr, restored = _noise(4, 8, 8), tf.reverse(_noise(4, 8, 8), [1])
    single = [_value(objective("mse", 0.1)(hr[i : i + 1], restored[i : i + 1])) for i in range(4)]
    assert _value(objective("mse", 0.1)(hr, restored)) == pytest.approx(np.mean(single), rel=1e-5)


def test_weight_of_smoothness_does_not_depend_on_the_patch_size() -> None:
    # A ramp of slope g has g^2 (n - 1) / n in its own direction: only the edge differs.
    values = [
        _value(squared_gradient(_batch(np.tile(np.arange(n) * 0.25, (n, 1))))) for n in (16, 32)
    ]
    assert values[0] == pytest.approx(0.0625 * 15 / 16)
    assert values[1] == pytest.approx(values[0], rel=0.05)


def test_gradient_of_smoothness_is_that_of_the_double_sum() -> None:
    # For [a, b]: (b - a)^2 / 2 has the derivatives a - b and b - a.
    image = tf.Variable(_batch(np.array([[1.0, 4.0]])))
    with tf.GradientTape() as tape:
        value = squared_gradient(image)
    np.testing.assert_allclose(tape.gradient(value, image).numpy().ravel(), [-3, 3])
