"""Every file in srstudy/networks meets the requirements for a network; new files are included."""

import inspect
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from srstudy.common import choices
from srstudy.common.scales import SCALES
from srstudy.export.onnx_files import save_onnx
from srstudy.export.receptive_field import receptive_field_radius
from srstudy.images.interpolation import LEAST_SIDE, Interpolation
from srstudy.losses.shared.objective import objective
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.sizes import ROOM, WANTED, sizes
from srstudy.networks.shared.weights import load, save
from srstudy.patches.batches import Batches
from srstudy.patches.reading import PatchFile
from srstudy.training.recipe import Recipe
from srstudy.training.trainer import Trainer
from srstudy.upscale.runtime import load_network
from srstudy.upscale.upscaling import count_tiles, restore_photo
from tests.conftest import MakePatches
from tests.imports import ROOT
from tests.small import NETWORKS, as_trained, network_of_own, small

every_network = pytest.mark.parametrize("name", NETWORKS)
# One scale in the quick tests, all of them in the slow ones.
every_scale = pytest.mark.parametrize(
    "scale", [s if s == 2 else pytest.param(s, marks=pytest.mark.slow) for s in SCALES]
)


def _input(height: int, width: int, batch: int = 1) -> np.ndarray:
    return np.random.default_rng(0).random((batch, height, width, 1), np.float32)


def test_check_of_sizes_does_not_start_tensorflow() -> None:
    networks = [f"srstudy.{ROOM}.{name}" for name in NETWORKS]
    settings = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / "srstudy").rglob("settings.py"))
    ]
    assert "srstudy.training.settings" in settings and "srstudy.study.settings" in settings
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module(name)\n"
        "    started = {'tensorflow', 'keras'} & set(sys.modules)\n"
        "    assert not started, f'{name} imports {started}'\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, *networks, *settings],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr


@every_network
def test_file_has_everything_that_a_network_needs(name: str) -> None:
    file = choices.chosen(ROOM, name, WANTED)
    assert file.__doc__ and file.__doc__.strip()
    assert isinstance(file.SOURCE, str) and file.SOURCE.strip()
    assert type(file.BFLOAT16) is bool
    assert callable(file.network)
    first, second, *others = inspect.signature(file.network).parameters
    assert (first, second) == ("scale", "interpolation") and others == list(file.SIZES)
    # The defaults are among the values allowed, and go together; else this is a ValueError.
    assert list(sizes(name, {})) == others


@every_network
@every_scale
def test_output_is_scale_times_the_input_for_odd_sizes(name: str, scale: int) -> None:
    whole = Architecture(name, scale, sizes(name, {}), "matlab").build()
    for model, shape in (
        (whole, (1, 7, 5)),
        (small(name, scale).build(), (2, 5, 9)),
        (as_trained(small(name, scale, "opencv")), (1, LEAST_SIDE, LEAST_SIDE)),
    ):
        output = model(_input(*shape[1:], shape[0]))
        assert output.shape == (shape[0], shape[1] * scale, shape[2] * scale, 1)
        assert output.dtype == tf.float32
        assert np.isfinite(output.numpy()).all()


@every_network
@every_scale
def test_every_weight_has_a_finite_gradient(name: str, scale: int) -> None:
    model = as_trained(small(name, scale))
    hr = tf.constant(_input(7 * scale, 5 * scale))
    with tf.GradientTape() as tape:
        loss = objective("mse", 0.01)(hr, model(_input(7, 5), training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    assert gradients
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert gradient is not None, f"nothing depends on {variable.path}"
        assert np.isfinite(tf.convert_to_tensor(gradient).numpy()).all(), variable.path


@every_network
@every_scale
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_network_trains_a_step(
    make_patches: MakePatches, name: str, scale: int, precision: str
) -> None:
    architecture = small(name, scale)
    recipe = Recipe(name, architecture.size, scale, steps=1, batch_size=4, lambda_=0.01)
    with PatchFile(make_patches(size=8 * scale, stride=8 * scale, scale=scale), scale) as patches:
        trainer = Trainer(recipe, architecture, precision, tf.distribute.get_strategy())
        batches = Batches(patches, recipe.batch_size, recipe.seed, recipe.augment)
        model, (point,) = trainer.train(batches, list(patches.validation()), "test")
    assert point.step == 1 and np.isfinite(point.loss) and np.isfinite(point.validation_psnr)
    keras.utils.set_random_seed(recipe.seed)
    fresh = architecture.build(precision)
    moved = [
        not np.array_equal(now, before)
        for now, before in zip(model.trainable_variables, fresh.trainable_variables, strict=True)
    ]
    assert any(moved)
    assert all(np.isfinite(now).all() for now in model.get_weights())


@every_network
@every_scale
def test_saved_and_loaded_network_restores_the_same(tmp_path: Path, name: str, scale: int) -> None:
    architecture = small(name, scale)
    model, path = as_trained(architecture), tmp_path / "a.weights.h5"
    save(path, model, architecture)
    loaded, described = load(path, scale)
    assert described == architecture
    np.testing.assert_array_equal(loaded(_input(7, 5)), model(_input(7, 5)))


@every_network
@every_scale
def test_receptive_field_radius_is_right_in_onnx_runtime(
    tmp_path: Path, name: str, scale: int
) -> None:
    architecture = small(name, scale)
    model, weights = as_trained(architecture), tmp_path / "a.weights.h5"
    save(weights, model, architecture)
    save_onnx(tmp_path / "a.onnx", model, architecture, weights)
    network = load_network(tmp_path / "a.onnx")
    radius = network.receptive_field_radius
    assert radius == receptive_field_radius(architecture)

    # Tiled equals untiled, as finely as 16 bits show it: what such weights give, from its least to
    # its largest value.
    own = 2 * (radius or 0) + 16  # LR pixels on a side of a tile with its surroundings
    shape = (own + 9, own + 14)
    image = np.random.default_rng(0).integers(1 << 16, size=shape, dtype=np.uint16)
    luma = image / np.float32(257)
    values = network.restore_luma(luma)
    low, high = values.min(), values.max()
    assert low < high
    shown = replace(
        network, restore_luma=lambda lr: (network.restore_luma(lr) - low) * (255 / (high - low))
    )
    assert count_tiles(image, [shown], side=10_000) == 1
    whole = restore_photo(image, [shown], side=10_000)
    assert (count_tiles(image, [shown], side=own * scale) >= 4) == (radius is not None)
    tiled = restore_photo(image, [shown], side=own * scale)
    assert np.abs(tiled.astype(int) - whole).max() <= ROUNDING

    if radius is not None:
        # One pixel changed: no output changes beyond the radius.
        changed, middle = luma.copy(), (shape[0] // 2, shape[1] // 2)
        changed[middle] = 255 - changed[middle]
        rows, columns = (network.restore_luma(changed) != values).nonzero()
        assert len(rows)
        for places, centre in ((rows, middle[0]), (columns, middle[1])):
            assert np.abs(places // scale - centre).max() <= radius


# Of 65535: what is left is the order of sums in float32, and rounding that falls the other way.
ROUNDING = 2


# --- The radius of networks that the study does not have ------------------------------------------


def _radius(monkeypatch: pytest.MonkeyPatch, network: Callable[..., keras.Model]) -> int | None:
    name = network_of_own(monkeypatch, network)
    return receptive_field_radius(Architecture(name, 2, {}, "matlab"))


def _stack(scale: int, x: keras.KerasTensor, count: int, normalized: bool) -> keras.KerasTensor:
    for _ in range(count):
        x = layers.Conv2D(4, 3, padding="same")(x)
        if normalized:
            x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
    return keras.ops.depth_to_space(layers.Conv2D(scale**2, 1)(x), scale)


def test_radius_with_batch_normalization_is_that_of_the_convolutions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def network(scale: int, interpolation: Interpolation) -> keras.Model:
        inputs = keras.Input((None, None, 1))
        return keras.Model(inputs, _stack(scale, inputs, 7, normalized=True))

    assert _radius(monkeypatch, network) == 7


def test_radius_of_a_very_deep_network_is_exact(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def network(scale: int, interpolation: Interpolation) -> keras.Model:
        inputs = keras.Input((None, None, 1))
        return keras.Model(inputs, _stack(scale, inputs, 70, normalized=False))

    assert _radius(monkeypatch, network) == 70


def test_receptive_field_of_channel_attention_is_the_whole_image(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def network(scale: int, interpolation: Interpolation) -> keras.Model:
        inputs = keras.Input((None, None, 1))
        x = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
        weight = layers.GlobalAveragePooling2D(keepdims=True)(x)
        weight = layers.Dense(2, activation="relu")(weight)
        weight = layers.Dense(4, activation="sigmoid")(weight)
        return keras.Model(inputs, _stack(scale, layers.Multiply()([x, weight]), 1, False))

    assert _radius(monkeypatch, network) is None


def test_receptive_field_of_image_normalization_is_the_whole_image(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Also where only the deviation of the pixels is looked at, as in contrast-aware attention.
    def network(scale: int, interpolation: Interpolation) -> keras.Model:
        inputs = keras.Input((None, None, 1))
        x = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
        deviation = keras.ops.std(x, axis=(1, 2), keepdims=True)
        weight = layers.Dense(4, activation="sigmoid")(deviation)
        return keras.Model(inputs, _stack(scale, layers.Multiply()([x, weight]), 1, False))

    assert _radius(monkeypatch, network) is None


def test_radius_is_found_if_a_layer_and_an_operation_have_one_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def build(architecture: Architecture) -> keras.Model:
        inputs = keras.Input((None, None, 1))
        first = layers.Conv2D(4, 3, padding="same")(inputs)
        x = layers.Add()([first, first + first])
        model = keras.Model(inputs, keras.ops.depth_to_space(x, 2))
        for operation in model.operations:  # Keras numbers the two kinds apart
            if type(operation).__name__ == "Add":
                operation.name = "add_13"
        return model

    monkeypatch.setattr(Architecture, "build", build)
    assert receptive_field_radius(Architecture("sesr", 2, {}, "matlab")) == 1
