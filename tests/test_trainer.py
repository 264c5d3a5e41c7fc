import csv
import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
import yaml

from srstudy.common.errors import InputError
from srstudy.degradations.shared.degradation import degradation
from srstudy.images.colour import to_uint8
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.inference import restore_luma
from srstudy.networks.shared.weights import load, save, trained_steps
from srstudy.patches.batches import Batches
from srstudy.patches.reading import PatchFile
from srstudy.training import training
from srstudy.training.optimizer import Optimizer
from srstudy.training.recipe import Recipe
from srstudy.training.trainer import CurvePoint, Trainer
from stages import pretrain, train
from tests.conftest import MakePatches
from tests.imports import ROOT

SIZE = {"channels": 8, "blocks": 1, "equivariant": False}
SHORT = Recipe("edsr", SIZE, 2, epochs=4, learning_rate=3e-3, warmup_share=0.1, ema=0.9)
TINY = SHORT.architecture("matlab")


def train_tiny(
    path: Path, recipe: Recipe = SHORT, precision: str = "float32", **more: Any
) -> tuple[keras.Model, list[CurvePoint]]:
    """Train on a patch file; more: `start`, `checkpoints`."""
    strategy = tf.distribute.get_strategy()
    with PatchFile(path, recipe.scale) as patches:
        batches = Batches(patches, recipe.batch_size, recipe.seed, recipe.augment)
        architecture = recipe.architecture(patches.degradation)
        trainer = Trainer(recipe, architecture, precision, strategy, more.get("start"))
        held_out = list(patches.validation())
        return trainer.train(batches, held_out, "test", more.get("checkpoints"))


def _rates(steps: int, **changed: Any) -> list[float]:
    recipe = replace(SHORT, learning_rate=0.5, **changed)
    return [recipe.learning_rate_at(step, steps) for step in range(steps)]


def test_learning_rate_rises_to_its_peak_and_falls_as_a_cosine() -> None:
    rates = _rates(100, warmup_share=0.1)
    assert rates[0] == pytest.approx(0.05)  # the first of 10 warm-up steps
    assert rates[9] == rates[10] == pytest.approx(0.5)
    assert rates[55] == pytest.approx(0.25)  # halfway down
    assert rates[99] == pytest.approx(0.25 * (1 + math.cos(math.pi * 89 / 90)))
    assert np.all(np.diff(rates[:10]) > 0) and np.all(np.diff(rates[10:]) < 0)


def test_without_warm_up_the_first_step_has_the_peak() -> None:
    assert _rates(1, warmup_share=0)[0] == _rates(50, warmup_share=0)[0] == 0.5


def test_constant_learning_rate_stays_at_its_peak_after_the_warm_up() -> None:
    rates = _rates(100, warmup_share=0.1, final_rate_share=1)
    assert rates[4] == pytest.approx(0.25) and set(rates[9:]) == {0.5}


def test_learning_rate_ends_at_its_final_share_of_the_peak() -> None:
    rates = _rates(1000, warmup_share=0, final_rate_share=0.2)
    assert rates[0] == 0.5 and rates[500] == pytest.approx(0.3)
    assert rates[-1] == pytest.approx(0.1, abs=1e-5) and np.all(np.diff(rates) < 0)


def test_budget_is_epochs_or_steps() -> None:
    assert replace(SHORT, epochs=3).total_steps(7) == 21
    assert replace(SHORT, epochs=0).total_steps(7) == 0
    assert replace(SHORT, epochs=None, steps=5).total_steps(7) == 5
    for epochs, steps in ((None, None), (1, 1)):
        with pytest.raises(InputError, match=r"at x2: epochs, steps: found .*allowed"):
            replace(SHORT, epochs=epochs, steps=steps).total_steps(7)


def test_training_lowers_the_loss_and_ends_above_bicubic(make_patches: MakePatches) -> None:
    path = make_patches()
    recipe = replace(SHORT, epochs=40, warmup_share=0.02, ema=0.95)
    model, curve = train_tiny(path, recipe)
    assert curve[-1].loss < 0.9 * curve[0].loss
    with PatchFile(path, 2) as patches:
        ((lr, hr),) = patches.validation()
    made_by = degradation("matlab")
    bicubic = made_by.protocol.psnr(hr, made_by.enlarge(lr, 2), 2)
    assert curve[-1].validation_psnr > bicubic + 0.1
    # The curve's last score is that of the very network that is given back.
    restored = to_uint8(restore_luma(model, lr))
    assert curve[-1].validation_psnr == pytest.approx(made_by.protocol.psnr(hr, restored, 2))


def test_curve_has_the_last_step_and_epoch(make_patches: MakePatches) -> None:
    path = make_patches()
    with PatchFile(path, 2) as patches:
        per_epoch = len(patches) // 16
    _, curve = train_tiny(path)
    steps = 4 * per_epoch
    assert curve[-1].step == steps and curve[-1].epoch == 4
    assert np.all(np.diff([point.step for point in curve]) > 0)
    for point in curve:
        assert point.epoch == pytest.approx(point.step / per_epoch, abs=0.01)
        assert point.learning_rate == SHORT.learning_rate_at(point.step - 1, steps)


def test_budget_in_steps_may_end_inside_an_epoch(make_patches: MakePatches) -> None:
    path = make_patches()
    with PatchFile(path, 2) as patches:
        per_epoch = len(patches) // 16
    assert per_epoch > 2
    for steps in (2, per_epoch + 1):
        _, curve = train_tiny(path, replace(SHORT, epochs=None, steps=steps))
        assert curve[-1].step == steps
        assert curve[-1].epoch == pytest.approx(steps / per_epoch, abs=0.01)
        assert curve[-1].learning_rate == SHORT.learning_rate_at(steps - 1, steps)


def test_equal_budgets_in_steps_and_epochs_give_the_same_bytes(make_patches: MakePatches) -> None:
    path = make_patches()
    of_epochs, curve = train_tiny(path)
    of_steps, other = train_tiny(path, replace(SHORT, epochs=None, steps=curve[-1].step))
    assert other == curve
    for one, two in zip(of_epochs.get_weights(), of_steps.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_same_seed_gives_the_same_bytes(
    make_patches: MakePatches, tmp_path: Path, precision: str
) -> None:
    path = make_patches()
    files = [tmp_path / f"{i}.weights.h5" for i in range(2)]
    curves = []
    for file in files:
        model, curve = train_tiny(path, precision=precision)
        save(file, model, TINY)
        curves.append(curve)
    assert curves[0] == curves[1]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_lambda_makes_the_restored_image_smoother(make_patches: MakePatches) -> None:
    path = make_patches()
    with PatchFile(path, 2) as patches:
        ((lr, _),) = patches.validation()
    roughness = []
    for lambda_ in (0.0, 10.0):
        model, _ = train_tiny(path, replace(SHORT, lambda_=lambda_))
        image = restore_luma(model, lr)
        roughness.append(np.square(np.diff(image)).mean() + np.square(np.diff(image.T)).mean())
    assert roughness[1] < 0.9 * roughness[0]


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
def test_loss_that_is_not_finite_ends_the_training(make_patches: MakePatches) -> None:
    endless = replace(SHORT, epochs=20, learning_rate=1e30, warmup_share=0, ema=0.0)
    with pytest.raises(InputError, match=r"learning_rate: found 1e\+30, .* after \d+ steps"):
        train_tiny(make_patches(), endless)


def _stage(
    folder: Path, monkeypatch: pytest.MonkeyPatch, setting: str, **changed: Any
) -> tuple[bytes, list[dict[str, str]]]:
    """Run the stage `train` in a folder with x2 patches: its weights' bytes and its curve."""
    values = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    values["network_size"]["edsr"] = {"channels": 4, "blocks": 1, "equivariant": False}
    values |= {
        "network": "edsr",
        "pretrain_epochs": 1,
        "pretrain_steps": None,
        "epochs": {"x2": 2},
        "steps": {"x2": None},
        "batch_size": {"x2": 16},
        "precision": "float32",
        **changed,
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(values))
    monkeypatch.chdir(folder)
    if not Path("models/pretrained.weights.h5").exists():
        monkeypatch.setattr(sys, "argv", ["pretrain", "--scale", "2"])
        pretrain.main()
    monkeypatch.setattr(sys, "argv", ["train", "--scale", "2", "--setting", setting])
    train.main()
    with (folder / f"metrics/curves/x2-{setting}.csv").open(newline="") as lines:
        curve = list(csv.DictReader(lines))
    return (folder / f"models/x2-{setting}.weights.h5").read_bytes(), curve


def test_lambda_zero_gives_the_bytes_of_the_plain_setting(
    make_patches: MakePatches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_patches(tmp_path / "data/patches/x2.h5")
    plain, curve = _stage(tmp_path, monkeypatch, "plain", **{"lambda": 0})
    regularized, _ = _stage(tmp_path, monkeypatch, "regularized", **{"lambda": 0})
    other, _ = _stage(tmp_path, monkeypatch, "regularized", **{"lambda": 0.1})
    assert plain == regularized != other
    assert list(curve[0]) == ["step", "epoch", "learning_rate", "loss", "validation_psnr"]


def test_final_rate_share_does_not_apply_to_the_pretraining(
    make_patches: MakePatches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_patches(tmp_path / "data/patches/x2.h5")
    _, falling = _stage(tmp_path, monkeypatch, "plain", final_rate_share=0)
    _, held = _stage(tmp_path, monkeypatch, "plain", final_rate_share=1)
    with (tmp_path / "metrics/curves/pretrained.csv").open(newline="") as lines:
        pretrained = list(csv.DictReader(lines))
    assert float(falling[-1]["learning_rate"]) < 0.5 * 0.002
    assert {float(curve[-1]["learning_rate"]) for curve in (held, pretrained)} == {0.002}


def test_weights_count_their_steps_and_the_average_continues(
    make_patches: MakePatches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_patches(tmp_path / "data/patches/x2.h5")
    seen = []

    class Seen(Optimizer):
        def __init__(self, *arguments: Any) -> None:
            seen.append(arguments[4])
            super().__init__(*arguments)

    monkeypatch.setattr("srstudy.training.trainer.Optimizer", Seen)
    _stage(tmp_path, monkeypatch, "plain", pretrain_epochs=None, pretrain_steps=7)
    counted = [trained_steps(Path(f"models/{n}.weights.h5")) for n in ("pretrained", "x2-plain")]
    with Path("metrics/curves/x2-plain.csv").open(newline="") as lines:
        own = int(list(csv.DictReader(lines))[-1]["step"])
    assert counted == [7, 7 + own] and seen == [0, 7]


def test_average_starts_again_if_some_weights_are_fresh() -> None:
    started = []
    for scale in (2, 4):  # edsr makes the pixels of x4 by a layer of its own
        at_scale = Architecture("edsr", scale, SIZE, "matlab")
        recipe = replace(SHORT, scale=scale)
        trainer = Trainer(
            recipe, at_scale, "float32", tf.distribute.get_strategy(), (TINY.build(), TINY), 100
        )
        started.append(trainer._optimizer._trained)
    assert started == [100.0, 0.0]


def test_checkpoints_depend_on_setting_start_and_patches(
    make_patches: MakePatches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patches = make_patches(tmp_path / "data/patches/x2.h5")
    values = {"pretrain_epochs": 0, "epochs": {"x2": 1}, "lambda": 0.1}
    _stage(tmp_path, monkeypatch, "plain", **values)  # now the pretrained weights exist
    keys: list[str] = []

    class Seen(Exception):
        pass

    def seen(key: str) -> None:
        keys.append(key)
        raise Seen

    monkeypatch.setattr(training, "Checkpoints", seen)

    def run(setting: str, **changed: Any) -> None:
        with pytest.raises(Seen):
            _stage(tmp_path, monkeypatch, setting, **{**values, **changed})

    run("plain")
    run("plain")
    assert keys[0] == keys[1]
    run("regularized")
    run("regularized", **{"lambda": 0.2})
    run("plain", seed=2)
    run("plain", epochs={"x2": 2})
    run("plain", epochs={"x2": None}, steps={"x2": 9})
    run("plain", loss="charbonnier")
    weights = tmp_path / "models/pretrained.weights.h5"
    model, architecture = load(weights)
    model.set_weights([array + 0.01 for array in model.get_weights()])
    save(weights, model, architecture)
    run("plain")
    with h5py.File(patches, "r+") as file:
        file.attrs["stride"] = 6
    run("plain")
    assert len(set(keys)) == len(keys) - 1


def test_stage_saves_nothing_if_training_diverges(
    make_patches: MakePatches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_patches(tmp_path / "data/patches/x2.h5")
    _stage(tmp_path, monkeypatch, "plain")
    before = (tmp_path / "models/x2-plain.weights.h5").stat().st_mtime_ns
    monkeypatch.setattr(Trainer, "step", lambda *_: math.nan)
    with pytest.raises(InputError, match=r"learning_rate: found 0.002, .* after \d+ steps"):
        _stage(tmp_path, monkeypatch, "plain")
    assert (tmp_path / "models/x2-plain.weights.h5").stat().st_mtime_ns == before


def test_without_pretraining_every_network_starts_from_fresh_weights(
    make_patches: MakePatches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_patches(tmp_path / "data/patches/x2.h5")
    _stage(tmp_path, monkeypatch, "plain", pretrain_epochs=0)
    pretrained, _ = load(tmp_path / "models/pretrained.weights.h5")
    keras.utils.set_random_seed(1)
    fresh = Architecture("edsr", 2, SIZE | {"channels": 4}, "matlab").build()
    for mine, theirs in zip(pretrained.get_weights(), fresh.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_pretraining_starts_from_the_weights_in_start_from(
    make_patches: MakePatches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_patches(tmp_path / "data/patches/x2.h5")
    monkeypatch.chdir(tmp_path)
    before, x4 = (
        Path("before.weights.h5"),
        Architecture("edsr", 4, SIZE | {"channels": 4}, "matlab"),
    )
    save(before, x4.build(), x4, 7)  # of another scale: all but the last layer is taken
    _stage(tmp_path, monkeypatch, "plain", start_from=str(before), pretrain_epochs=0)
    pretrained, architecture = load(Path("models/pretrained.weights.h5"))
    pairs = list(zip(pretrained.get_weights(), load(before)[0].get_weights(), strict=True))
    assert architecture.scale == 2
    assert [np.array_equal(*pair) for pair in pairs[:-2]] == [True] * (len(pairs) - 2)
    # The last layer is fresh: an average of 7 steps would hold on to it.
    assert trained_steps(Path("models/pretrained.weights.h5")) == 0


def test_training_that_would_start_from_weights_that_do_not_fit_names_their_file(
    make_patches: MakePatches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_patches(tmp_path / "data/patches/x2.h5")
    monkeypatch.chdir(tmp_path)
    file, other = Path("before.weights.h5"), Architecture("srcnn", 2, {}, "matlab")
    save(file, other.build(), other)
    recipe = Recipe("edsr", SIZE | {"channels": 4}, 2, steps=1)
    with pytest.raises(InputError) as caught:
        training.train("x2-plain", recipe, file)
    assert str(caught.value) == f"{file}: network: found 'srcnn'; allowed: 'edsr'"
    assert not list(tmp_path.glob("models/x2-*"))


@pytest.mark.parametrize(("steps", "points"), [(3, 3), (60, 5), (240, 10), (480, 20), (9600, 20)])
def test_learning_curve_has_a_point_per_24_steps_but_5_to_20_points(
    make_patches: MakePatches, monkeypatch: pytest.MonkeyPatch, steps: int, points: int
) -> None:
    monkeypatch.setattr(Trainer, "step", lambda *_: 0.1)
    monkeypatch.setattr(Trainer, "_validate", lambda *_: 30.0)
    _, curve = train_tiny(make_patches(), replace(SHORT, epochs=None, steps=steps))
    assert len(curve) == points and curve[-1].step == steps


def test_training_starts_from_the_given_weights(make_patches: MakePatches) -> None:
    path = make_patches()
    start = TINY.build()
    rng = np.random.default_rng(0)
    start.set_weights([w + rng.normal(0, 0.05, w.shape) for w in start.get_weights()])
    still = replace(SHORT, epochs=0)
    model, curve = train_tiny(path, still, start=(start, TINY))
    assert curve[0].step == 0 and math.isnan(curve[0].loss) and len(curve) == 1
    for mine, theirs in zip(model.get_weights(), start.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


TWO_HOSTS = {
    "cluster": {"worker": ["127.0.0.1:1", "127.0.0.1:2"]},
    "task": {"type": "worker", "index": 0},
}
# Logical devices must be made before TensorFlow starts, so this runs in a process of its own.
TWO_DEVICES = """
import sys
from dataclasses import replace
from pathlib import Path
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from srstudy.backend.devices import choose_strategy
from srstudy.patches.batches import Batches
from srstudy.patches.reading import PatchFile
from srstudy.training.optimizer import Optimizer
from srstudy.training.recipe import Recipe
from srstudy.training.trainer import Trainer

size = {"channels": 8, "blocks": 1, "equivariant": False}
base = Recipe("edsr", size, 2, lambda_=0.01, epochs=2, optimizer="muon", learning_rate=3e-3,
              warmup_share=0.1, ema=0.9)
one = choose_strategy()
# Two logical CPUs stand for two GPUs.
listed = tf.config.list_logical_devices
tf.config.list_logical_devices = lambda kind: listed("CPU")
mirrored = choose_strategy()
tf.config.list_logical_devices = listed
assert (one.num_replicas_in_sync, mirrored.num_replicas_in_sync) == (1, 2)
for case in sys.argv[2:]:
    batch_size, clip = case.split(":")
    recipe = replace(base, batch_size=int(batch_size), gradient_clip=float(clip))
    for strategy in (one, mirrored):
        with PatchFile(Path(sys.argv[1]), 2) as patches:
            batches = Batches(patches, recipe.batch_size, recipe.seed, recipe.augment)
            trainer = Trainer(recipe, recipe.architecture("matlab"), "float32", strategy)
            _, curve = trainer.train(batches, list(patches.validation()), "test")
        print("curve", *(value for point in curve for value in (point.loss, point.validation_psnr)))
"""


def test_two_devices_train_as_one_and_no_host_of_tf_config_is_waited_for(
    make_patches: MakePatches,
) -> None:
    # A clip that takes hold must be that of the whole batch's gradient, as on one device.
    cases = ["16:1000", "16:0.01"]
    done = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES, str(make_patches()), *cases],
        cwd=ROOT,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CONFIG": json.dumps(TWO_HOSTS)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    curves = [[float(value) for value in values] for word, *values in lines if word == "curve"]
    assert len(curves) == 2 * len(cases)
    # What is left is the order of sums in float32.
    for case, one, two in zip(cases, curves[::2], curves[1::2], strict=True):
        assert two == pytest.approx(one, rel=1e-3), f"batch size : clip = {case}"
