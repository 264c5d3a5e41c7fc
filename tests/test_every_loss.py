"""Every file in srstudy/losses meets the requirements for a loss; new files are included."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from srstudy.common import choices
from srstudy.common.scales import SCALES
from srstudy.degradations.shared.degradation import degradation
from srstudy.losses.shared.objective import ROOM, objective
from srstudy.networks.shared.architecture import Architecture
from tests.small import NETWORKS, small_size

LOSSES = choices.names(ROOM)
every_loss = pytest.mark.parametrize("name", LOSSES)


def _noise(seed: int, *shape: int) -> tf.Tensor:
    return tf.constant(np.random.default_rng(seed).random((*shape, 1)), tf.float32)


def _value(name: str, hr: tf.Tensor, restored: tf.Tensor) -> float:
    value = choices.chosen(ROOM, name, ("loss",)).loss(hr, restored)
    assert value.shape == () and value.dtype == tf.float32
    return float(value)


@every_loss
def test_file_describes_the_loss(name: str) -> None:
    file = choices.chosen(ROOM, name, ("loss",))
    assert file.__doc__ and file.__doc__.strip() and file.loss.__doc__


@every_loss
def test_equal_images_cost_least_and_more_error_costs_more(name: str) -> None:
    hr, noise = _noise(0, 2, 8, 8), _noise(1, 2, 8, 8) - 0.5
    values = [_value(name, hr, hr + share * noise) for share in (0.0, 0.1, 0.3, 1.0)]
    assert values[0] >= 0 and np.all(np.diff(values) > 0)
    assert values[0] < 0.05 * values[-1]


@every_loss
def test_loss_ignores_sign_place_and_order_of_errors(name: str) -> None:
    hr, error = _noise(0, 2, 8, 8), _noise(1, 2, 8, 8) - 0.5
    value = _value(name, hr, hr + error)
    assert _value(name, hr, hr - error) == pytest.approx(value, rel=1e-5)
    assert _value(name, hr + error, hr) == pytest.approx(value, rel=1e-5)
    turned = [tf.transpose(image, (0, 2, 1, 3)) for image in (hr, hr + error)]
    assert _value(name, *turned) == pytest.approx(value, rel=1e-5)


@every_loss
@pytest.mark.parametrize("error", [0.0, 1e-20, 1e-3, 0.5, 1.0])
def test_gradient_is_finite_and_points_to_the_hr_image(name: str, error: float) -> None:
    hr = _noise(0, 1, 6, 5)
    restored = tf.Variable(hr + error)
    with tf.GradientTape() as tape:
        value = choices.chosen(ROOM, name, ("loss",)).loss(hr, restored)
    gradient = tape.gradient(value, restored).numpy()
    assert np.isfinite(gradient).all()
    if error >= 1e-3:
        assert (gradient > 0).all()  # a smaller value costs less
    elif error == 0:
        assert (gradient == 0).all()


@every_loss
def test_loss_does_not_depend_on_patch_size_or_batch_size(name: str) -> None:
    values = [
        _value(name, hr, hr + 0.25)
        for hr in (_noise(0, *shape) for shape in ((1, 16, 16), (1, 64, 64), (8, 16, 24)))
    ]
    assert values == pytest.approx([values[0]] * 3, rel=1e-4)


@every_loss
def test_objective_with_lambda_0_is_the_loss_itself(name: str) -> None:
    hr, restored = _noise(0, 2, 8, 8), _noise(1, 2, 8, 8)
    assert float(objective(name, 0.0)(hr, restored)) == _value(name, hr, restored)
    assert float(objective(name, 0.1)(hr, restored)) > _value(name, hr, restored)


# --- Names that are not known ---------------------------------------------------------------------


def _built(name: str) -> object:
    return Architecture(name, SCALES[0], {}, "matlab").build()


def _built_for(name: str) -> object:
    size = small_size(NETWORKS[0])
    return Architecture(NETWORKS[0], SCALES[0], size, name).build()


def _objective(name: str) -> object:
    return objective(name, 0.1)


@pytest.mark.parametrize(
    ("room", "use"),
    [
        ("networks", _built),
        ("degradations", _built_for),
        ("degradations", degradation),
        ("losses", _objective),
    ],
)
@pytest.mark.parametrize("name", ["lanczos", "shared", "", "../mse", "os", "__init__"])
def test_unknown_loss_is_refused_with_the_allowed_names(
    room: str, use: Callable[[str], object], name: str
) -> None:
    with pytest.raises(ValueError) as refused:
        use(name)
    allowed = ", ".join(choices.names(room))
    assert str(refused.value) == f"{room}: found {name!r}; allowed: {allowed}"
