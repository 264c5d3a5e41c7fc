"""Networks and losses of one's own: the clumsy ones are refused by name, the others train right."""

import sys
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pytest
from keras import layers, ops

from srstudy.backend.checkpoints import Arrays, Checkpoints
from srstudy.common import choices
from srstudy.common.errors import InputError
from srstudy.images.interpolation import Interpolation
from srstudy.losses.shared.objective import objective
from srstudy.networks.shared.architecture import Architecture
from srstudy.training.recipe import Recipe
from tests.conftest import MakePatches
from tests.small import network_of_own
from tests.test_trainer import train_tiny


def _plain(scale: int, interpolation: Interpolation) -> keras.Model:
    """Ignores the scale: always x2."""
    inputs = keras.Input((None, None, 1))
    return keras.Model(inputs, ops.depth_to_space(layers.Conv2D(4, 3, padding="same")(inputs), 2))


def test_network_that_ignores_its_scale_is_refused_by_its_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = network_of_own(monkeypatch, _plain)
    for scale in (2, 3):
        architecture = Architecture(own, scale, {}, "matlab")
        model = architecture.build()
        if scale == 2:
            architecture.check(model)
            continue
        with pytest.raises(InputError, match=r"srstudy/networks/own\.py: gives float32 of shape"):
            architecture.check(model)


def test_network_whose_output_is_not_float32_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    own = network_of_own(monkeypatch, _plain)
    monkeypatch.setattr(sys.modules["srstudy.networks.own"], "BFLOAT16", True)
    architecture = Architecture(own, 2, {}, "matlab")
    with pytest.raises(InputError, match="gives bfloat16 of shape"):
        architecture.check(architecture.build("bfloat16"))


def test_loss_that_is_not_one_number_is_refused_by_its_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file, listed = ModuleType("srstudy.losses.own"), choices.names
    vars(file)["loss"] = lambda hr, restored: ops.abs(hr - restored)
    monkeypatch.setitem(sys.modules, file.__name__, file)
    monkeypatch.setattr(choices, "names", lambda room: (*listed(room), "own"))
    for lambda_ in (0.0, 0.1):
        with pytest.raises(InputError, match=r"srstudy/losses/own\.py: loss gives shape \(2, 8"):
            objective("own", lambda_)


def _normalized(scale: int, interpolation: Interpolation) -> keras.Model:
    inputs = keras.Input((None, None, 1))
    x = layers.BatchNormalization(momentum=0.5)(layers.Conv2D(4, 3, padding="same")(inputs))
    x = layers.Conv2D(scale**2, 3, padding="same")(layers.Dropout(0.1)(x))
    return keras.Model(inputs, ops.depth_to_space(x, scale))


class _Killed(BaseException):
    """Stands for a kill: nothing of ours may catch it."""


class _Killer(Checkpoints):
    """Saves at each step; the process is killed after the fifth."""

    def due(self) -> bool:
        return True

    def save(self, step: int, arrays: Arrays) -> None:
        super().save(step, arrays)
        if step == 5:
            raise _Killed


def test_batch_normalization_is_restored_with_its_statistics_and_goes_on_after_a_kill(
    monkeypatch: pytest.MonkeyPatch, make_patches: MakePatches, tmp_path: Path
) -> None:
    own, path = network_of_own(monkeypatch, _normalized), make_patches()
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
