"""The pipeline's graph, read from dvc.yaml and drawn as SVG text."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from html import escape
from typing import Any

from stages.core.svg import element, text

BOX, GAP, ROW = (128, 30), 26, 44


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
    deps = {name: [_parts(dep) for dep in body["deps"]] for name, body in bodies.items()}
    return {
        name: {
            other
            for other, outs in outputs.items()
            if other != name and any(_meets(dep, out) for dep in deps[name] for out in outs)
        }
        for name in bodies
    }


def draw(waits_for: Mapping[str, set[str]], words: Mapping[str, str]) -> str:
    """An SVG element: a box for each stage, left to right after all that it waits for.

    words: what each stage does, shown when it is pointed at.
    """
    depth: dict[str, int] = {}
    while len(depth) < len(waits_for):
        ready = [n for n in waits_for if n not in depth and waits_for[n] <= depth.keys()]
        if not ready:
            raise ValueError(f"the stages wait for each other: {sorted(waits_for.keys() - depth)}")
        depth |= {n: 1 + max((depth[other] for other in waits_for[n]), default=-1) for n in ready}
    columns: dict[int, list[str]] = {}
    for name in waits_for:
        columns.setdefault(depth[name], []).append(name)
    rows = max(map(len, columns.values()))
    place = {
        name: (column * (BOX[0] + GAP), (i + (rows - len(names)) / 2) * ROW)
        for column, names in columns.items()
        for i, name in enumerate(names)
    }
    width, height = len(columns) * (BOX[0] + GAP) - GAP, rows * ROW
    parts = []
    for name, others in waits_for.items():
        for other in sorted(_direct(waits_for, others)):
            start, end = place[other][0] + BOX[0], place[name][0]
            middle = (start + end) / 2
            one, two = (place[n][1] + BOX[1] / 2 for n in (other, name))
            way = f"M{start} {one}C{middle} {one} {middle} {two} {end} {two}"
            parts.append(element("path", class_="edge", d=way))
    for name, (x, y) in place.items():
        box = element("rect", x=x, y=y, width=BOX[0], height=BOX[1], rx=6)
        title = element("title", escape(words[name]))
        parts.append(element("g", title, box, text(name, x + BOX[0] / 2, y + 19)))
    view = f"-2 -2 {width + 4} {height}"
    return element("svg", *parts, class_="dag", role="img", viewBox=view, aria_label="stages")


def _direct(waits_for: Mapping[str, set[str]], others: set[str]) -> set[str]:
    """Those of the others that none of the rest waits for already."""

    def behind(one: str) -> bool:
        return any(_reaches(waits_for, two, one) for two in others - {one})

    return {one for one in others if not behind(one)}


def _reaches(waits_for: Mapping[str, set[str]], name: str, goal: str) -> bool:
    return goal in waits_for[name] or any(_reaches(waits_for, n, goal) for n in waits_for[name])


def _parts(entry: Any) -> list[str]:
    """The parts of a path, as patterns: `*` for what a list fills in."""
    path = next(iter(entry)) if isinstance(entry, dict) else str(entry)
    return re.sub(r"\$\{[^}]*\}", "*", path).split("/")


def _meets(dep: list[str], out: list[str]) -> bool:
    if dep == ["*"]:  # a folder from outside
        return False
    pairs = zip(dep, out, strict=False)
    return all(fnmatchcase(one, other) or fnmatchcase(other, one) for one, other in pairs)
