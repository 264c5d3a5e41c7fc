"""Your own networks, losses, degradations and metrics: faulty ones are refused by name."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from numpy.typing import NDArray

from srstudy.backend.checkpoints import Arrays, Checkpoints
from srstudy.common import choices
from srstudy.common.errors import InputError
from srstudy.common.scales import SCALES
from srstudy.degradations.shared.degradation import Degradation, degradation
from srstudy.images.interpolation import Interpolation
from srstudy.losses.shared.objective import objective
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.checking import check
from srstudy.scoring.evaluation import scored
from srstudy.scoring.metrics import METRICS, Metric
from srstudy.training.recipe import Recipe
from tests.conftest import MakePatches
from tests.small import NETWORKS, network_of_own, small
from tests.test_trainer import train_tiny

Builder = Callable[[int, Interpolation], Any]


def _network(body: Callable[[Any, int], Any]) -> Builder:
    """A network's function around a body, from the input and the scale to the output."""

    def network(scale: int, interpolation: Interpolation) -> Any:
        inputs = keras.Input((None, None, 1))
        return keras.Model(inputs, body(inputs, scale))

    return network


def _conv(filters: int, **more: Any) -> Any:
    return layers.Conv2D(filters, 3, padding="same", **more)


def _shuffled(x: Any, scale: int, **more: Any) -> Any:
    return ops.depth_to_space(_conv(scale**2, **more)(x), scale)


class _Subclassed(keras.Model):
    def call(self, x):  # type: ignore[no-untyped-def]
        return _shuffled(x, 2)


def _failing(scale: int, interpolation: Interpolation) -> Any:
    raise KeyError("depth")


CLUMSY: dict[str, tuple[Builder, str]] = {
    "ignores the scale": (_network(lambda x, s: _shuffled(x, 2)), "gives float32 of shape"),
    "constraint": (
        _network(lambda x, s: _shuffled(x, s, kernel_constraint="non_neg")),
        "found the constraint NonNeg; allowed: none",
    ),
    "regularizer": (
        _network(lambda x, s: _shuffled(x, s, kernel_regularizer="l2")),
        "adds losses of its own",
    ),
    "two outputs": (
        _network(lambda x, s: [_shuffled(x, s), _shuffled(x, s)]),
        "gives several outputs; allowed: one",
    ),
    "no weights": (
        _network(lambda x, s: layers.UpSampling2D(s)(x)),
        "has no weights to train",
    ),
    "unused weights": (
        _network(lambda x, s: ops.stop_gradient(_shuffled(x, s))),
        "the output does not depend on it",
    ),
    "one size only": (
        _network(lambda x, s: layers.Dense(4)(layers.Reshape((64,))(x))),
        "cannot be run at x3 on 9 x 11 pixels",
    ),
    "nothing": (lambda s, i: None, r"gives NoneType; allowed: keras\.Model\(inputs, outputs\)"),
    "subclassed": (lambda s, i: _Subclassed(), "gives _Subclassed; allowed: keras"),
    "fails": (_failing, "cannot be built at x3: KeyError: 'depth'"),
}


@pytest.mark.parametrize("kind", CLUMSY)
def test_wrong_network_is_refused_and_its_file_is_named(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    builder, said = CLUMSY[kind]
    architecture = Architecture(network_of_own(monkeypatch, builder), 3, {}, "matlab")
    with pytest.raises(InputError, match=rf"^srstudy/networks/own\.py: .*{said}") as caught:
        check(architecture, architecture.build())
    assert "\n" not in str(caught.value)


def test_network_whose_output_is_not_float32_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    own = network_of_own(monkeypatch, _network(lambda x, s: _shuffled(x, s)))
    monkeypatch.setattr(sys.modules["srstudy.networks.own"], "BFLOAT16", True)
    architecture = Architecture(own, 2, {}, "matlab")
    check(architecture, architecture.build())
    with pytest.raises(InputError, match="gives bfloat16 of shape"):
        check(architecture, architecture.build("bfloat16"))


def test_network_with_the_same_weights_at_each_call_is_refused(
    monkeypatch: pytest.MonkeyPatch, make_patches: MakePatches
) -> None:
    model = _network(lambda x, s: _shuffled(x, s))(2, degradation("matlab").interpolation)
    own = network_of_own(monkeypatch, lambda scale, interpolation: model)
    with pytest.raises(InputError, match="returns the same weights at each call"):
        train_tiny(make_patches(), Recipe(own, {}, 2, steps=1))


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", NETWORKS)
def test_weights_of_x2_start_every_scale(name: str, scale: int) -> None:
    one, other = small(name, 2), small(name, scale)
    source, model = one.build(), other.build()
    taken = other.load_matching(model, source, one)
    weighty = [layer for layer in model.layers if layer.weights]
    # At another scale a last layer that makes the pixels itself may keep its own.
    assert len(weighty) - (scale != 2) <= taken <= len(weighty)


def test_network_that_enlarges_in_steps_starts_from_x2(monkeypatch: pytest.MonkeyPatch) -> None:
    def body(x: Any, scale: int) -> Any:
        x = keras.Sequential([_conv(4), _conv(4)])(_conv(4)(x))
        for _ in range(scale.bit_length() - 1):
            x = ops.depth_to_space(_conv(16)(x), 2)
        return _conv(1)(x)

    own = network_of_own(monkeypatch, _network(body))
    one, other = (Architecture(own, scale, {}, "matlab") for scale in (2, 4))
    source, model = one.build(), other.build()
    # The head, both layers of the model inside, and the first step; the second has no source.
    assert other.load_matching(model, source, one) == 4
    inner = [[w for w in m.get_weights() if w.shape == (3, 3, 4, 4)] for m in (model, source)]
    for mine, theirs in zip(*inner, strict=True):
        np.testing.assert_array_equal(mine, theirs)


LOSSES: dict[str, tuple[Any, str]] = {
    "one number a pixel": (lambda hr, sr: ops.abs(hr - sr), r"gives float32 of shape \(1, 192"),
    "a sum": (lambda hr, sr: ops.sum(ops.square(hr - sr)), "allowed: a mean over the batch"),
    "a number": (3, "TypeError: 'int' object is not callable"),
    "NumPy": (lambda hr, sr: np.mean(hr - sr), "loss cannot be computed"),
    "three arguments": (lambda hr, sr, x: ops.mean(hr - sr), "loss cannot be computed: TypeError"),
    "nothing of the image": (lambda hr, sr: ops.mean(hr), "does not depend on the restored image"),
    "float64": (lambda hr, sr: tf.cast(ops.mean(hr - sr), tf.float64), "gives float64"),
    "no number": (
        lambda hr, sr: ops.mean(ops.sqrt(ops.abs((hr - sr) * 0)) + ops.square(hr - sr)),
        "gradients that are not all finite",
    ),
}


def _loss_of_own(monkeypatch: pytest.MonkeyPatch, loss: Any) -> str:
    file, listed = ModuleType("srstudy.losses.own"), choices.names
    vars(file)["loss"] = loss
    monkeypatch.setitem(sys.modules, file.__name__, file)
    monkeypatch.setattr(choices, "names", lambda room: (*listed(room), "own"))
    return "own"


@pytest.mark.parametrize("kind", LOSSES)
def test_wrong_loss_is_refused_and_its_file_is_named(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    loss, said = LOSSES[kind]
    own = _loss_of_own(monkeypatch, loss)
    for lambda_ in (0.0, 0.1):
        with pytest.raises(InputError, match=rf"^srstudy/losses/own\.py.*{said}") as caught:
            objective(own, lambda_)
        assert "\n" not in str(caught.value)


def test_loss_may_use_neighbouring_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    ssim = lambda hr, sr: 1 - tf.reduce_mean(tf.image.ssim(hr, sr, 1.0))  # noqa: E731
    assert objective(_loss_of_own(monkeypatch, ssim), 0) is ssim


def _own_degradation(function: Callable[[NDArray[np.uint8], int], Any]) -> Degradation:
    known = degradation("matlab")
    return Degradation("own", "nothing", known.interpolation, known.protocol, function)


def test_degradation_cannot_change_the_original_image(
    photo: NDArray[np.uint8],
) -> None:
    def blacken(hr: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
        hr[:] = 0
        return hr[::scale, ::scale]

    before = photo.copy()
    lr, hr = _own_degradation(blacken).pair(photo, 2)
    assert not lr.any()
    np.testing.assert_array_equal(photo, before)
    np.testing.assert_array_equal(hr, before[: len(hr)])


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda hr, s: None, "degrade gave NoneType"),
        (lambda hr, s: hr[::s, ::s].astype(float), "degrade gave float64"),
        (lambda hr, s: hr, "degrade gave uint8 of shape"),
        (lambda hr, s: hr / "x", "degrade failed on an image"),
    ],
)
def test_wrong_degradation_is_refused_and_its_file_is_named(
    photo: NDArray[np.uint8], function: Any, said: str
) -> None:
    with pytest.raises(InputError, match=rf"^srstudy/degradations/own\.py: {said}"):
        _own_degradation(function).degrade(photo, 2)


def test_metric_may_return_any_number_type_and_cannot_change_images(
    monkeypatch: pytest.MonkeyPatch, photo: NDArray[np.uint8]
) -> None:
    def meddling(protocol: Any, hr: NDArray[np.uint8], restored: Any, scale: int) -> float:
        restored[:] = hr
        return 0.0

    protocol, other = degradation("matlab").protocol, photo[::-1].copy()
    half: Any = np.float32(0.5)
    number = Metric(lambda *_: half, "half", 2)
    monkeypatch.setattr("srstudy.scoring.evaluation.METRICS", {"half": number, **METRICS})
    values = scored(protocol, photo.copy(), other, 2)
    assert values["half"] == 0.5 and type(values["half"]) is float
    monkeypatch.setattr(
        "srstudy.scoring.evaluation.METRICS", {"bad": Metric(meddling, "", 2), **METRICS}
    )
    with pytest.raises(InputError, match=r"^metric bad: ValueError: .*read-only"):
        scored(protocol, photo.copy(), other, 2)


def _normalized(x: Any, scale: int) -> Any:
    x = layers.BatchNormalization(momentum=0.5)(_conv(4)(x))
    return _shuffled(layers.Dropout(0.1)(x), scale)


class _Killed(BaseException):
    """Simulates a kill: the project's code must not catch it."""


class _Killer(Checkpoints):
    """Saves at each step; the process is killed after the fifth."""

    def due(self) -> bool:
        return True

    def save(self, step: int, arrays: Arrays) -> None:
        super().save(step, arrays)
        if step == 5:
            raise _Killed


def test_batch_normalization_keeps_its_statistics_after_a_kill(
    monkeypatch: pytest.MonkeyPatch, make_patches: MakePatches, tmp_path: Path
) -> None:
    own, path = network_of_own(monkeypatch, _network(_normalized)), make_patches()
    recipe = Recipe(own, {}, 2, steps=12, batch_size=8, ema=0.9)
    whole, curve = train_tiny(path, recipe)
    statistics = {v.name: v.numpy() for v in whole.non_trainable_variables if "moving" in v.name}
    assert np.abs(statistics["moving_mean"]).max() > 0
    assert np.abs(statistics["moving_variance"] - 1).max() > 0.01

    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    with pytest.raises(_Killed):
        train_tiny(path, recipe, checkpoints=_Killer("own"))
    resumed, again = train_tiny(path, recipe, checkpoints=Checkpoints("own"))
    assert again == curve
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
