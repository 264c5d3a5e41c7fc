"""On what training runs, with GPUs that TensorFlow is made to name: this machine needs none."""

from types import SimpleNamespace
from typing import Any

import pytest
import tensorflow as tf

from srstudy.backend import devices
from srstudy.common import machine
from srstudy.patches.batches import Batches
from srstudy.patches.reading import PatchFile
from srstudy.training.recipe import Recipe
from srstudy.training.trainer import Trainer
from tests.conftest import MakePatches

experimental = tf.config.experimental
GPUS = [SimpleNamespace(name=f"/physical_device:GPU:{number}") for number in range(2)]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What is set, in its order, where TensorFlow names two GPUs."""
    made: list[tuple[Any, ...]] = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: GPUS)
    monkeypatch.setattr(
        experimental, "get_device_details", lambda gpu: {"device_name": "NVIDIA L4"}
    )
    for name, where in (
        ("set_memory_growth", experimental),
        ("enable_tensor_float_32_execution", experimental),
        ("enable_op_determinism", experimental),
        ("set_intra_op_parallelism_threads", tf.config.threading),
        ("set_inter_op_parallelism_threads", tf.config.threading),
    ):
        monkeypatch.setattr(where, name, lambda *given, n=name: made.append((n, *given)))
    return made


@pytest.fixture
def without(calls: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The same on a machine of six cores without a GPU."""
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.setattr(devices, "cores", lambda: 6)
    monkeypatch.setattr(devices, "has_nvidia_device", lambda: False)
    return calls


def test_gpus_compute_in_float32_and_repeatably_and_take_memory_as_they_need_it(
    calls: list[tuple[Any, ...]],
) -> None:
    devices.prepare_gpus()
    assert calls == [
        ("set_memory_growth", GPUS[0], True),
        ("set_memory_growth", GPUS[1], True),
        ("enable_tensor_float_32_execution", False),
        ("enable_op_determinism",),
    ]


def test_without_a_gpu_nothing_is_changed(without: list[tuple[Any, ...]]) -> None:
    devices.prepare_gpus()
    assert without == []


def test_cores_are_divided_among_the_parts_only_where_no_gpu_computes(
    calls: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    devices.one_core_for_each_part()
    assert calls == []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.setattr(devices, "cores", lambda: 6)
    devices.one_core_for_each_part()
    assert calls == [
        ("set_intra_op_parallelism_threads", 3),
        ("set_inter_op_parallelism_threads", 2),
    ]


def test_device_is_named_in_words(
    calls: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert devices.device_words() == "2 GPUs (NVIDIA L4)"
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    for number, words in ((1, "1 CPU core"), (6, "6 CPU cores")):
        monkeypatch.setattr(devices, "cores", lambda n=number: n)
        assert devices.device_words() == words


def test_gpu_that_is_not_used_is_said_in_one_line_with_what_to_install(
    without: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert devices.notes() == []
    monkeypatch.setattr(devices, "has_nvidia_device", lambda: True)
    (line,) = devices.notes()
    assert "NVIDIA GPU that TensorFlow does not use; run: make setup GPU=1" in line
    assert "\n" not in line
    # Who hides it wants no word of it; nor where it is used.
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert devices.notes() == []
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: GPUS)
    assert devices.notes() == []


def test_tf_config_is_said_not_to_be_used(
    without: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["a:1", "b:1"]}}')
    (line,) = devices.notes()
    assert line.startswith("note: TF_CONFIG is set and is not used: a training runs on one machine")
    assert devices.choose_strategy().num_replicas_in_sync == 1


def test_first_line_of_a_training_names_device_and_precision(
    make_patches: MakePatches, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("TF_CONFIG", "{}")
    monkeypatch.setattr(machine, "NVIDIA", ())
    recipe = Recipe("espcn", {"first": 8, "second": 4}, 2, steps=1, batch_size=4)
    with PatchFile(make_patches(), 2) as patches:
        batches = Batches(patches, 4, 1, True)
        trainer = Trainer(
            recipe, recipe.architecture("matlab"), "float32", devices.choose_strategy()
        )
        trainer.train(batches, list(patches.validation()), "train own")
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == f"train own: begins, 1 steps, on {devices.device_words()} in float32"
    assert second.startswith("note: TF_CONFIG is set")
