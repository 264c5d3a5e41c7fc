"""Exported networks in other runtimes: they restore like the trained networks."""

import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from srstudy.common.errors import InputError
from srstudy.export import __main__ as command
from srstudy.export import onnx_files
from srstudy.export.storing import store_small
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.weights import save
from srstudy.upscale.models import WEIGHTS
from tests.small import as_trained

LR = np.random.default_rng(0).random((1, 11, 14, 1), np.float32)
SIZE = {"channels": 4, "blocks": 2, "equivariant": False}


@pytest.fixture
def weights(tmp_path: Path) -> tuple[Path, NDArray[np.float32]]:
    """A weights file, and what its network makes of LR."""
    architecture = Architecture("progressive", 4, SIZE, "matlab")
    model = as_trained(architecture)
    path = tmp_path / "x4-plain.weights.h5"
    save(path, model, architecture)
    return path, model(LR).numpy()


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["export", *map(str, arguments)])
    try:
        command.main()
    except SystemExit as end:
        return end.code
    return 0


def _by_onnxruntime(path: Path) -> NDArray[np.float32]:
    (found,) = onnxruntime.InferenceSession(path).run(None, {"lr": LR})
    return found


def _by_opencv(path: Path, shape: tuple[int, ...] = (1, 44, 56, 1)) -> NDArray[np.float32]:
    network = cv2.dnn.readNetFromONNX(str(path))
    network.setInput(LR)
    return np.asarray(network.forward(), np.float32).reshape(shape)  # it drops a dimension


def _by_litert(path: Path) -> NDArray[np.float32]:
    interpreter = tf.lite.Interpreter(str(path))
    (given,) = interpreter.get_input_details()
    interpreter.resize_tensor_input(given["index"], LR.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], LR)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def test_each_runtime_restores_like_the_trained_network(
    weights: tuple[Path, NDArray[np.float32]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, expected = weights
    out = tmp_path / "exported"
    assert _run(monkeypatch, path, "-o", out) == 0
    assert sorted(p.name for p in out.iterdir()) == ["x4-plain.onnx", "x4-plain.tflite"]
    assert expected.shape == (1, 44, 56, 1)
    for found in (
        _by_onnxruntime(out / "x4-plain.onnx"),
        _by_opencv(out / "x4-plain.onnx"),
        _by_litert(out / "x4-plain.tflite"),
    ):
        np.testing.assert_allclose(found, expected, strict=True, atol=1e-5)


@pytest.mark.parametrize("name", ["x2-clean", "x4-plain"])
def test_networks_in_weights_are_read_by_other_runtimes(name: str) -> None:
    # Their kernels are put together by the runtime: Cast, Gather, Transpose of six dimensions.
    path = WEIGHTS / f"{name}.onnx"
    expected = _by_onnxruntime(path)
    (by_reference,) = ReferenceEvaluator(onnx.load(path)).run(None, {"lr": LR})
    np.testing.assert_allclose(by_reference, expected, strict=True, atol=1e-5)
    np.testing.assert_allclose(_by_opencv(path, expected.shape), expected, strict=True, atol=1e-5)


def _any(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("kernel", "once"),
    [
        (_any(8, 8, 3, 3), False),
        (_any(12, 8, 3, 3), False),
        (_any(8, 8, 3, 1), False),
        (_any(8, 8, 5, 5), False),
        (_any(8), False),
        (np.full((16, 8, 3, 3), 0.1, np.float32), True),  # eight are equal, by chance
        (np.full((16, 12, 3, 3), 0.1, np.float32), False),
    ],
    ids=lambda value: "x".join(map(str, value.shape)) if hasattr(value, "shape") else str(value),
)
def test_any_kernel_is_unchanged_except_for_rounding_to_16_bits(
    kernel: NDArray[np.float32], once: bool
) -> None:
    output = onnx.helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, kernel.shape)
    tensor = onnx.numpy_helper.from_array(kernel, "kernel")
    use = onnx.helper.make_node("Identity", ["kernel"], ["out"])
    graph = onnx.helper.make_graph([use], "network", [], [output], [tensor])
    store_small(graph, SimpleNamespace(get_weights=lambda: [kernel]))
    assert ("Gather" in [node.op_type for node in graph.node]) == once
    opset = [onnx.helper.make_opsetid("", 18)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=10)
    (found,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {})
    expected = kernel.astype(np.float16).astype(np.float32)
    np.testing.assert_array_equal(found, expected, strict=True)


def test_network_with_a_weight_too_large_for_16_bits_is_not_written(tmp_path: Path) -> None:
    architecture = Architecture("edsr", 2, SIZE, "matlab")
    model, weights = as_trained(architecture), tmp_path / "x2.weights.h5"
    kernel = next(v for v in reversed(model.trainable_variables) if len(v.shape) == 4)
    kernel.assign(np.sign(np.asarray(kernel)) * 1e5)  # infinity less infinity is no number
    save(weights, model, architecture)
    target = tmp_path / "x2.onnx"
    with (
        np.errstate(over="ignore"),
        pytest.raises(InputError, match=r"x2\.onnx: the ONNX exporter"),
    ):
        onnx_files.save_onnx(target, model, architecture, weights, half=True)
    assert not target.exists()


def test_without_a_name_every_model_is_exported(
    weights: tuple[Path, NDArray[np.float32]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = _run(monkeypatch, "-o", "exported")
    assert isinstance(said, str) and said.startswith("error: models: holds no network")
    (tmp_path / "models").mkdir()
    weights[0].rename(tmp_path / "models/x4-plain.weights.h5")
    assert _run(monkeypatch, "-o", "exported") == 0
    assert (tmp_path / "exported/x4-plain.onnx").is_file()


@pytest.mark.parametrize("name", ["missing.weights.h5", "model.keras"])
def test_file_without_a_trained_network_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = _run(monkeypatch, tmp_path / name, "-o", tmp_path / "exported")
    assert isinstance(said, str) and said.startswith(f"error: {tmp_path / name}: ")
    assert "\n" not in said and not (tmp_path / "exported").exists()


def _with_a_dimension_too_many(network: onnx.ModelProto) -> onnx.ModelProto:
    """A graph with the fault that the exporter's optimizer sometimes makes."""
    output = network.graph.output[0].name
    for node in network.graph.node:
        node.output[:] = ["flat" if name == output else name for name in node.output]
    axes = onnx.numpy_helper.from_array(np.array([0]), "axes")
    network.graph.initializer.append(axes)
    network.graph.node.append(onnx.helper.make_node("Unsqueeze", ["flat", "axes"], [output]))
    return network


@pytest.mark.parametrize("wrong", [2, onnx_files.TRIES])
def test_a_wrongly_exported_network_is_never_written(
    wrong: int,
    weights: tuple[Path, NDArray[np.float32]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load, loaded = onnx.load, []

    def sometimes_wrong(path: Path) -> onnx.ModelProto:
        loaded.append(path)
        network = load(path)
        return _with_a_dimension_too_many(network) if len(loaded) <= wrong else network

    monkeypatch.setattr(onnx_files.onnx, "load", sometimes_wrong)
    said = _run(monkeypatch, weights[0], "-o", tmp_path / "exported")
    if wrong < onnx_files.TRIES:
        assert said == 0
        np.testing.assert_allclose(
            _by_onnxruntime(tmp_path / "exported/x4-plain.onnx"), weights[1], strict=True, atol=1e-5
        )
    else:
        assert isinstance(said, str) and "exported/x4-plain.onnx: the ONNX exporter made" in said
        assert not list(tmp_path.glob("exported/*.onnx"))
