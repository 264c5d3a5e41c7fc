"""The graph of the pipeline, read from dvc.yaml and drawn as SVG text."""

import itertools
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from html import escape
from typing import Any

import networkx as nx

from srstudy.report.svg import element, text

BOX, GAP, ROW = (128, 30), 28, 44
SWEEPS = 4  # over the columns, to move connected nodes close to each other

Place = tuple[str, int]  # a stage's point in a column; all its edges pass through it


def edges(stages: Mapping[str, Any]) -> dict[str, set[str]]:
    """For each stage of dvc.yaml (before lists are expanded), the stages that it waits for.

    A stage waits for another if one of its deps equals, contains or lies in one of the other's
    outputs. A value from a list (`${item.scale}`) matches everything.
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
    """Stages in layers, each after all stages that it waits for, with its direct dependencies.

    Indirect dependencies are left out: if c waits for a and b, and b for a, then c has only b.
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
    """An SVG element: a box per stage, from left to right, after all stages that it waits for.

    words: the description of each stage, shown as a tooltip. Layered drawing after Sugiyama, Tagawa
    and Toda (1981): an edge over several columns gets a place in each column that it passes, so it
    crosses no box, and each column is sorted by the mean height of its nodes' neighbours.
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
        # A place without a box: the edge continues to its right.
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
    """A path from a place's right side to another's left side; it bends only between columns."""
    left, right = start[0] + BOX[0], end[0]
    one, two = start[1] + BOX[1] / 2, end[1] + BOX[1] / 2
    middle = right - GAP / 2
    return f"M{left} {one}C{middle} {one} {middle} {two} {right} {two}"


def _parts(entry: Any) -> list[str]:
    """The parts of a path as patterns: `*` for a value from a list.

    `validate` ensures that a key of own_images is not the name of a known data set. So such a key
    matches values from other lists, but no fixed name.
    """
    path = next(iter(entry)) if isinstance(entry, dict) else str(entry)
    path = path.replace("${key}", "own:*")
    return re.sub(r"\$\{[^}]*\}", "*", path).split("/")


def _meets(dep: list[str], out: list[str]) -> bool:
    if dep == ["*"]:  # a folder outside the project
        return False
    pairs = zip(dep, out, strict=False)
    return all(fnmatchcase(one, other) or fnmatchcase(other, one) for one, other in pairs)
