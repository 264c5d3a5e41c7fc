"""Sorts and renames the parts of an ONNX graph, so that they depend only on what it computes."""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import onnx


def arrange(graph: onnx.GraphProto, path: str = "", around: dict[str, str] | None = None) -> None:
    """Sort a graph's nodes and tensors and name them by their order, in place.

    graph: each node must come after the nodes that it needs, as ONNX requires; this is also true
    for the result. The order is a walk back from the outputs: a node comes directly before the
    first node that needs it, and among the needed nodes the longest chain comes last. Nodes that
    lead to no output are removed. Inputs and outputs keep their names.

    path, around: for a graph inside a node: the prefix of its names, and the new names of the outer
    tensors that it uses. Its inputs and outputs are renamed too.
    """
    names = {"": "", **(around or {})}
    if around is None:
        names |= {value.name: value.name for value in (*graph.input, *graph.output)}
    tensors, kept = {tensor.name: tensor for tensor in graph.initializer}, []

    def name(old: str, new: str) -> None:
        names.setdefault(old, new)
        if old in tensors:
            kept.append(tensors.pop(old))

    for place, value in enumerate(graph.input):
        name(value.name, f"{path}in{place}")
    nodes = _in_order(graph)
    for number, node in enumerate(nodes):
        node.name = f"{path}{node.op_type}_{number}"
        for place, needed in enumerate(_needed(node)):
            if needed in tensors:
                name(needed, f"{node.name}.in{place}")
        for place, made in enumerate(node.output):
            name(made, f"{node.name}.out{place}")
        for place, inner in enumerate(_graphs(node)):
            arrange(inner, f"{node.name}.{place}/", names)
        node.input[:] = [names[old] for old in node.input]
        node.output[:] = [names[old] for old in node.output]
    for place, value in enumerate(graph.output):
        name(value.name, f"{path}out{place}")
    for named in (*graph.input, *graph.output, *kept):
        named.name = names[named.name]
    _fill(graph.node, nodes)
    _fill(graph.initializer, kept)
    del graph.value_info[:]


def _in_order(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes that lead to an output, each after those that it needs."""
    makers = {name: i for i, node in enumerate(graph.node) for name in node.output if name}
    needs = [[makers[name] for name in _needed(node) if name in makers] for node in graph.node]
    chains: list[int] = []  # per node: the length of the longest chain that ends there
    for need in needs:
        chains.append(1 + max((chains[i] for i in need), default=0))
    order: dict[int, None] = {}
    walk = [makers[value.name] for value in reversed(graph.output) if value.name in makers]
    while walk:
        missing = [i for i in needs[walk[-1]] if i not in order]
        if missing:
            walk.append(min(missing, key=chains.__getitem__))
        else:
            order[walk.pop()] = None
    return [graph.node[i] for i in order]


def _needed(node: onnx.NodeProto) -> Iterator[str]:
    """The names that a node and the graphs inside it read."""
    yield from node.input
    for inner in _graphs(node):
        for below in _in_order(inner):
            yield from _needed(below)
        yield from (value.name for value in inner.output)


def _graphs(node: onnx.NodeProto) -> list[onnx.GraphProto]:
    """The graphs inside a node, for example of a loop."""
    return [value.g for value in node.attribute if value.type == onnx.AttributeProto.GRAPH]


def _fill(field: Any, values: Sequence[Any]) -> None:
    copies = [copy.deepcopy(value) for value in values]
    del field[:]
    field.extend(copies)
