import keras
import numpy as np
import pytest
import tensorflow as tf

from srstudy.training.optimizer import Optimizer

SHAPES = [(3, 3, 1, 8), (8,), (3, 3, 8, 8), (8,), (3, 3, 8, 8), (5, 5, 4, 4), (3, 3, 8, 1)]


def _variables() -> list[tf.Variable]:
    rng = np.random.default_rng(0)
    return [tf.Variable(rng.normal(0, 0.1, shape).astype("float32")) for shape in SHAPES]


def _gradients(step: int) -> list[tf.Tensor]:
    rng = np.random.default_rng([1, step])
    return [tf.constant(rng.normal(0, 1, shape), tf.float32) for shape in SHAPES]


def _step(optimizer: Optimizer, step: int, rate: float = 1e-3) -> None:
    optimizer.apply(optimizer.vector(_gradients(step)), tf.constant(rate))


def test_adam_equals_keras_with_the_whole_gradient_clipped() -> None:
    mine, theirs = _variables(), [keras.Variable(v.numpy()) for v in _variables()]
    optimizer = Optimizer(mine, "adam", clip=30.0, ema=0)  # gradients have a norm of about 41
    reference = keras.optimizers.Adam(1e-3, global_clipnorm=30.0)
    for step in range(20):
        _step(optimizer, step)
        reference.apply(_gradients(step), theirs)
    for one, other in zip(mine, theirs, strict=True):
        # Weights have moved by up to 0.02; what is left is where float32 and epsilon round.
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=5e-5)


def test_muon_updates_square_kernels_and_adam_the_other_weights() -> None:
    muon, adam = _variables(), _variables()
    optimizers = [Optimizer(muon, "muon", 2.0, 0), Optimizer(adam, "adam", 2.0, 0)]
    for step in range(3):
        for optimizer in optimizers:
            _step(optimizer, step)
    for shape, one, other in zip(SHAPES, muon, adam, strict=True):
        same = np.allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=1e-7)
        assert same == (len(shape) < 4 or shape[2] != shape[3]), shape


def test_muon_moves_a_kernel_by_an_almost_orthogonal_matrix() -> None:
    variables = _variables()
    before = [v.numpy() for v in variables]
    _step(Optimizer(variables, "muon", 1e9, 0), 0, rate=1.0)
    for place, gradient in enumerate(_gradients(0)):
        shape = SHAPES[place]
        if len(shape) < 4 or shape[2] != shape[3]:
            continue
        moved = (before[place] - variables[place].numpy()).reshape(-1, shape[3])
        u, _, vt = np.linalg.svd(gradient.numpy().reshape(-1, shape[3]), full_matrices=False)
        # The published polynomial brings the singular values to 0.7 .. 1.2, not to 1.
        values = np.diag(u.T @ moved @ vt.T) / (0.2 * np.sqrt(len(moved)))
        assert np.all((values > 0.6) & (values < 1.3)), values
        rest = u.T @ moved @ vt.T - np.diag(np.diag(u.T @ moved @ vt.T))
        assert np.abs(rest).max() < 0.05 * np.abs(moved).max() * len(moved) ** 0.5


def test_average_follows_the_weights_and_is_written_in_the_order_of_the_variables() -> None:
    variables, copies = _variables(), _variables()
    optimizer = Optimizer(variables, "muon", 1.0, ema=0.5)
    expected = [v.numpy().astype("float64") for v in variables]
    for step in range(30):
        _step(optimizer, step)
        kept = min(0.5, (step + 1) / (step + 11))
        expected = [
            kept * e + (1 - kept) * v.numpy() for e, v in zip(expected, variables, strict=True)
        ]
    optimizer.write_average(copies)
    for copy, value in zip(copies, expected, strict=True):
        np.testing.assert_allclose(copy.numpy(), value, rtol=1e-4, atol=1e-6)


def test_average_of_trained_weights_continues_from_them() -> None:
    variables, copies = _variables(), _variables()
    optimizer = Optimizer(variables, "adam", 1.0, ema=0.9, trained=1000)
    first = [v.numpy() for v in variables]
    _step(optimizer, 0, rate=0.1)
    optimizer.write_average(copies)
    for copy, before, now in zip(copies, first, variables, strict=True):
        np.testing.assert_allclose(copy.numpy(), 0.9 * before + 0.1 * now.numpy(), atol=1e-6)


@pytest.mark.parametrize("kind", ["adam", "muon"])
def test_restored_state_leads_to_the_same_bytes(kind: str) -> None:
    one, other = _variables(), [tf.Variable(tf.zeros(shape)) for shape in SHAPES]
    first, second = (Optimizer(v, kind, 1.0, 0.9) for v in (one, other))
    for step in range(5):
        _step(first, step)
    second.restore({name: value.numpy() for name, value in first.state.items()})
    for step in range(5, 8):
        _step(first, step)
        _step(second, step)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_state_of_another_network_is_refused() -> None:
    optimizer = Optimizer(_variables(), "adam", 1.0, 0.9)
    state = {name: value.numpy()[:-1] for name, value in optimizer.state.items()}
    with pytest.raises(ValueError, match="shape"):
        optimizer.restore(state)
