import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from srstudy.images.orientations import ORIENTATIONS, turned
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.equivariance import Channels, Equivariant, EquivariantStart
from srstudy.training.optimizer import Optimizer

SIZE = {"channels": 16, "blocks": 1}
LR = np.random.default_rng(0).random((7, 6), np.float32)
RANDOM = np.random.default_rng(1)
HR = {scale: RANDOM.random((7 * scale, 6 * scale), np.float32) for scale in (2, 3)}


def _restored(model: keras.Model, plane: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(model(np.ascontiguousarray(plane)[None, ..., None]))[0, ..., 0]


def _trained(network: str, scale: int, optimizer: str, equivariant: bool) -> keras.Model:
    """Train a few large steps on one patch in only one orientation."""
    keras.utils.set_random_seed(0)
    model = Architecture(network, scale, {**SIZE, "equivariant": equivariant}, "matlab").build()
    variables = model.trainable_variables
    steps = Optimizer(variables, optimizer, clip=1.0, ema=0)
    for _ in range(20):
        with tf.GradientTape() as tape:
            error = tf.reduce_mean(tf.square(model(LR[None, ..., None])[0, ..., 0] - HR[scale]))
        steps.apply(steps.vector(tape.gradient(error, variables)), tf.constant(0.01))
    return model


def _largest_difference(model: keras.Model) -> float:
    """The largest difference between restoring a turned image and turning the restored image."""
    straight = _restored(model, LR)
    return max(
        float(np.abs(_restored(model, turned(LR, way)) - turned(straight, way)).max())
        for way in range(ORIENTATIONS)
    )


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
@pytest.mark.parametrize(("network", "scale"), [("edsr", 2), ("edsr", 3), ("progressive", 2)])
def test_output_turns_with_the_input_also_after_training(
    network: str, scale: int, optimizer: str
) -> None:
    assert _largest_difference(_trained(network, scale, optimizer, True)) < 1e-5
    assert _largest_difference(_trained(network, scale, optimizer, False)) > 1e-2


@pytest.mark.parametrize(
    ("shape", "inputs", "outputs", "free"),
    [
        ((3, 3, 1, 16), "image", "features", 9 * 16 // 8),
        ((3, 3, 16, 16), "features", "features", 9 * 16 * 16 // 8),
        ((3, 3, 16, 4), "features", "phases", 9 * 16 * 4 // 8),
        ((5, 5, 8, 9), "features", "phases", 25 * 8 * 9 // 8),
        ((16,), "features", "features", 2),
        ((4,), "features", "phases", 1),
        ((9,), "features", "phases", 3),  # corners, edges, middle
    ],
)
def test_equivariant_part_is_a_projection_with_the_right_rank(
    shape: tuple[int, ...], inputs: Channels, outputs: Channels, free: int
) -> None:
    part = Equivariant(inputs, outputs)
    values = np.random.default_rng(0).random(shape, np.float32)
    once = np.asarray(part(values))
    np.testing.assert_allclose(part(once), once, atol=1e-6)
    assert len(np.unique(once)) == free
    assert once.mean() == pytest.approx(values.mean(), abs=1e-6)


def test_equivariant_start_keeps_the_size_of_the_weights() -> None:
    normal = keras.initializers.RandomNormal(stddev=0.1, seed=0)
    start = EquivariantStart(normal, Equivariant("features", "features"))
    assert np.std(start((3, 3, 48, 48))) == pytest.approx(0.1, rel=0.03)


def test_channels_that_are_not_a_multiple_of_eight_are_refused() -> None:
    size = {"channels": 12, "blocks": 1, "equivariant": True}
    with pytest.raises(ValueError, match="channels: found 12; allowed where equivariant"):
        Architecture("edsr", 2, size, "matlab").build()
