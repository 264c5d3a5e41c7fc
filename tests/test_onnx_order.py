"""An exported network has the same bytes each time, in an order of nodes that is fast to run."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from srstudy.export.arranging import arrange
from srstudy.export.onnx_files import save_onnx
from srstudy.networks.shared.architecture import Architecture
from tests.imports import ROOT
from tests.small import as_trained

# At x4 what the exporter makes of it depends on the order in which it goes through its sets.
PROGRESSIVE = Architecture(
    "progressive", 4, {"channels": 4, "blocks": 1, "equivariant": False}, "matlab"
)
IMAGE = helper.make_tensor_type_proto(TensorProto.FLOAT, [1, "h", "w", 1])


def _exported(folder: Path, half: bool) -> str:
    """The hash of a network's file; the weights file of its metadata stands for none."""
    folder.mkdir()
    source, target = folder / "x4.weights.h5", folder / "x4.onnx"
    source.write_bytes(b"weights")
    save_onnx(target, as_trained(PROGRESSIVE), PROGRESSIVE, source, half)
    return hashlib.sha256(target.read_bytes()).hexdigest()


@pytest.mark.parametrize("half", [False, True])
def test_two_exports_in_one_process_give_the_same_bytes(tmp_path: Path, half: bool) -> None:
    first = _exported(tmp_path / "first", half)
    keras.layers.Conv2D(1, 1)  # the layers' automatic names count on
    assert _exported(tmp_path / "second", half) == first


@pytest.mark.slow
def test_exports_with_other_hash_seeds_give_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.test_onnx_order import _exported\n"
        "print(*(_exported(Path(sys.argv[1], str(i)), True) for i in range(2)))"
    )
    found = set()
    for seed in "12":
        (tmp_path / seed).mkdir()
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", code, str(tmp_path / seed)]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        found |= set(ran.stdout.split())
    assert len(found) == 1


def _graph(*nodes: onnx.NodeProto, tensors: tuple[str, ...] = ()) -> onnx.GraphProto:
    """A graph from `lr` to `hr`, with fixed tensors of these names."""
    ends = [[helper.make_value_info(name, IMAGE)] for name in ("lr", "hr")]
    fixed = [numpy_helper.from_array(np.float32(len(name)), name) for name in tensors]
    return helper.make_graph(nodes, "network", *ends, fixed)


def _run(graph: onnx.GraphProto) -> np.ndarray:
    opset = [helper.make_opsetid("", 15)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {"lr": np.linspace(-1, 1, 6, dtype=np.float32).reshape(1, 2, 3, 1)})[0]


BRANCHES = (
    helper.make_node("Add", ["lr", "five5"], ["b"], name="n1"),
    helper.make_node("Relu", ["lr"], ["a"], name="n2"),
    helper.make_node("Neg", ["b"], ["unused"], name="n3"),
    helper.make_node("Mul", ["a", "two"], ["c"], name="n4"),
    helper.make_node("Sub", ["c", "b"], ["hr"], name="n5"),
)


def test_nodes_come_directly_before_their_users_longest_chain_last() -> None:
    graph = _graph(*BRANCHES, tensors=("two", "five5", "idle"))
    expected = _run(graph)
    arrange(graph)
    np.testing.assert_array_equal(_run(graph), expected)
    assert [node.op_type for node in graph.node] == ["Add", "Relu", "Mul", "Sub"]
    assert [node.name for node in graph.node] == ["Add_0", "Relu_1", "Mul_2", "Sub_3"]
    assert [tensor.name for tensor in graph.initializer] == ["Add_0.in1", "Mul_2.in1"]
    assert (graph.input[0].name, graph.output[0].name) == ("lr", "hr")


def test_order_and_names_do_not_depend_on_earlier_ones() -> None:
    graph = _graph(*BRANCHES, tensors=("two", "five5"))
    other = _graph(
        helper.make_node("Relu", ["lr"], ["z"], name="x"),
        helper.make_node("Mul", ["z", "two"], ["y"]),
        helper.make_node("Add", ["lr", "last5"], ["x"]),
        helper.make_node("Sub", ["y", "x"], ["hr"]),
        tensors=("last5", "two"),
    )
    for one in (graph, other):
        arrange(one)
    assert graph == other


def test_graphs_inside_a_node_are_also_arranged() -> None:
    def choice(*names: str) -> onnx.GraphProto:
        before, low, high = names
        mean = helper.make_node("ReduceMean", ["lr"], ["mean"], keepdims=0)
        positive = helper.make_node("Greater", ["mean", before], ["positive"])
        branches = {
            f"{kind}_branch": helper.make_graph(
                [
                    helper.make_node("Exp", ["lr"], [f"{kind}-idle"]),
                    helper.make_node("Add", [shared, before], [f"{kind}-{low}"]),
                    helper.make_node(operation, [f"{kind}-{low}"], [f"{kind}-{high}"]),
                ],
                kind,
                [],
                [helper.make_value_info(f"{kind}-{high}", IMAGE)],
            )
            for kind, operation, shared in (("then", "Relu", "s"), ("else", "Neg", "lr"))
        }
        double = helper.make_node("Add", ["lr", "lr"], ["s"])
        decide = helper.make_node("If", ["positive"], ["hr"], **branches)
        return _graph(mean, positive, double, decide, tensors=(before,))

    one, other = choice("two", "a", "b"), choice("six", "b", "a")
    expected = _run(one)
    for graph in (one, other):
        arrange(graph)
    np.testing.assert_array_equal(_run(one), expected)
    assert one == other
    assert [node.op_type for node in one.node] == ["Add", "ReduceMean", "Greater", "If"]
    inner = one.node[-1].attribute[0].g
    assert [node.op_type for node in inner.node] == ["Add", "Neg"]
