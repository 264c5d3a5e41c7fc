"""The pipeline's graph, read from dvc.yaml and drawn as SVG text."""

import itertools
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from html import escape
from typing import Any

import networkx as nx

from srstudy.report.svg import element, text

BOX, GAP, ROW = (128, 30), 28, 44
SWEEPS = 4  # over the columns, to lay what belongs together side by side

Place = tuple[str, int]  # where the edges from a stage pass through a column, all as one


def edges(stages: Mapping[str, Any]) -> dict[str, set[str]]:
    """For each stage of dvc.yaml (before its lists are filled in) the stages that it waits for.

    A stage waits for another if one of its deps is, holds or lies in one of the other's outputs.
    What a list fills in (`${item.scale}`) counts as equal to anything.
    """
    bodies = {name: stage.get("do", stage) for name, stage in stages.items()}
    outputs = {
        name: [_parts(out) for kind in ("outs", "metrics", "plots") for out in body.get(kind, [])]
        for name, body in bodies.items()
    }
    deps = {name: [_parts(dep) for dep in body.get("deps", [])] for name, body in bodies.items()}
    return {
        name: {
            other
            for other, outs in outputs.items()
            if other != name and any(_meets(dep, out) for dep in deps[name] for out in outs)
        }
        for name in bodies
    }


def layers(waits_for: Mapping[str, set[str]]) -> list[dict[str, list[str]]]:
    """Stages in layers, each after all that it waits for, with those that it waits for directly.

    What follows from others is left out: of c after a and b, and b after a, c after b remains.
    Raises ValueError if stages wait for each other.
    """
    graph = nx.DiGraph((other, name) for name in waits_for for other in sorted(waits_for[name]))
    graph.add_nodes_from(waits_for)
    if not nx.is_directed_acyclic_graph(graph):
        circle = sorted(name for name, _ in nx.find_cycle(graph))
        raise ValueError(f"the stages wait for each other: {circle}")
    direct = nx.transitive_reduction(graph)
    return [
        {name: sorted(direct.predecessors(name)) for name in waits_for if name in layer}
        for layer in map(set, nx.topological_generations(graph))
    ]


def draw(waits_for: Mapping[str, set[str]], words: Mapping[str, str]) -> str:
    """An SVG element: a box for each stage, left to right after all that it waits for.

    words: what each stage does, shown when it is pointed at. Layered as Sugiyama, Tagawa and Toda
    (1981) do: what is longer than a column has a place of its own in each column that it passes,
    so that it meets no box, and columns are ordered by the mean of their neighbours.
    Raises ValueError if stages wait for each other.
    """
    layered = layers(waits_for)
    depth = {name: column for column, layer in enumerate(layered) for name in layer}
    chains: list[list[str | Place]] = [
        [other, *((other, column) for column in range(depth[other] + 1, depth[name])), name]
        for name in waits_for
        for other in layered[depth[name]][name]
    ]
    columns: list[list[str | Place]] = [list(layer) for layer in layered]
    for chain in chains:
        for column, passed in enumerate(chain[1:-1], depth[str(chain[0])] + 1):
            if passed not in columns[column]:
                columns[column].append(passed)
    pairs = list(dict.fromkeys(pair for chain in chains for pair in itertools.pairwise(chain)))
    _order(columns, pairs)
    rows = max(map(len, columns))
    place = {
        node: (column * (BOX[0] + GAP), (i + (rows - len(nodes)) / 2) * ROW)
        for column, nodes in enumerate(columns)
        for i, node in enumerate(nodes)
    }
    ways = [
        # Through a place that is no box, on to its right.
        _way(place[a], place[b]) + ("" if isinstance(b, str) else f"h{BOX[0]}")
        for a, b in pairs
    ]
    parts = [element("path", class_="edge", d=way) for way in ways]
    for name in waits_for:
        x, y = place[name]
        box = element("rect", x=x, y=y, width=BOX[0], height=BOX[1], rx=6)
        title = element("title", escape(words[name]))
        parts.append(element("g", title, box, text(name, x + BOX[0] / 2, y + 20)))
    view = f"-2 -2 {len(columns) * (BOX[0] + GAP) - GAP + 4} {rows * ROW}"
    return element("svg", *parts, class_="dag", role="img", viewBox=view, aria_label="stages")


def _order(
    columns: list[list[str | Place]], pairs: Sequence[tuple[str | Place, str | Place]]
) -> None:
    """Sort each column, in place, by the mean height of its nodes' neighbours in the last one."""
    for sweep in range(SWEEPS):
        forth = sweep % 2 == 0
        way = columns if forth else columns[::-1]
        for fixed, moved in itertools.pairwise(way):
            height = {node: i - len(fixed) / 2 for i, node in enumerate(fixed)}
            wanted = {}
            for i, node in enumerate(moved):
                near = [a if forth else b for a, b in pairs if node == (b if forth else a)]
                known = [height[other] for other in near if other in height]
                wanted[node] = sum(known) / len(known) if known else i - len(moved) / 2
            moved.sort(key=wanted.__getitem__)


def _way(start: tuple[float, float], end: tuple[float, float]) -> str:
    """A path from the right of a place to the left of another, upright only between columns."""
    left, right = start[0] + BOX[0], end[0]
    one, two = start[1] + BOX[1] / 2, end[1] + BOX[1] / 2
    middle = right - GAP / 2
    return f"M{left} {one}C{middle} {one} {middle} {two} {right} {two}"


def _parts(entry: Any) -> list[str]:
    """The parts of a path, as patterns: `*` for what a list fills in.

    A key of own_images is never the name of a known dataset (`validate` sees to it): it equals
    what other lists fill in, but no name that is written out.
    """
    path = next(iter(entry)) if isinstance(entry, dict) else str(entry)
    path = path.replace("${key}", "own:*")
    return re.sub(r"\$\{[^}]*\}", "*", path).split("/")


def _meets(dep: list[str], out: list[str]) -> bool:
    if dep == ["*"]:  # a folder from outside
        return False
    pairs = zip(dep, out, strict=False)
    return all(fnmatchcase(one, other) or fnmatchcase(other, one) for one, other in pairs)
