"""The graph of the pipeline as text: the stages that each stage waits for.

    python -m tools.graph

Or `make graph`. It prints a row for each stage of dvc.yaml, with its items from params.yaml in
braces. `dvc repro` accepts such a name, because the shell expands the braces. `dvc dag` shows a box
for each item.
"""

import re
import textwrap
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from srstudy.common.errors import InputError
from srstudy.common.params import PARAMS_FILE
from srstudy.common.running import run
from srstudy.common.yaml_file import load_yaml
from srstudy.report.dag import edges, layers

GRAPH_FILE = Path("dvc.yaml")
WIDTH = 100
GAP = "  "
HEAD = ("stage", "waits for")


def main() -> None:
    """Read dvc.yaml and params.yaml; print the graph."""
    print(graph(load_yaml(GRAPH_FILE).get("stages") or {}, load_yaml(PARAMS_FILE)))


def graph(stages: Mapping[str, Any], params: Mapping[str, Any]) -> str:
    """The stages of dvc.yaml in layers, at most WIDTH characters wide, with blank lines between.

    Each stage waits for stages of the layers above; indirect dependencies are left out. Raises
    `InputError` if stages wait for each other, or if params lack a list that dvc.yaml needs.
    """
    try:
        layered = layers(edges(stages))
    except ValueError as error:
        raise InputError(f"{GRAPH_FILE}: {error}") from error
    rows = [
        [(items(name, stages[name], params), ", ".join(others)) for name, others in layer.items()]
        for layer in layered
    ]
    # Names are not wrapped if possible; the rest of the line is for the stages they wait for.
    room = WIDTH - len(GAP)
    longest = [max(len(row[at]) for layer in [[HEAD], *rows] for row in layer) for at in (0, 1)]
    left = min(longest[0], max(room // 2, room - longest[1]))
    texts = []
    for layer in [[HEAD], *rows]:
        wrapped = [
            (textwrap.wrap(one, left), textwrap.wrap(other, room - left)) for one, other in layer
        ]
        lines = [
            f"{one.ljust(left)}{GAP}{other}".rstrip()
            for cells in wrapped
            for one, other in zip_longest(*cells, fillvalue="")
        ]
        texts.append("\n".join(lines))
    return "\n\n".join(texts)


def items(name: str, stage: Mapping[str, Any], params: Mapping[str, Any]) -> str:
    """The names of a stage's items, for expansion by a shell: `train@{2,4}`; `train` if single."""
    if "foreach" in stage:
        lists = [_names(name, "", stage["foreach"], params)]
    elif "matrix" in stage:
        lists = [_names(name, key, value, params) for key, value in stage["matrix"].items()]
    else:
        return name
    if not all(lists):
        return f"{name} (none)"
    each = [f"{{{','.join(names)}}}" if len(names) > 1 else names[0] for names in lists]
    return f"{name}@{'-'.join(each)}"


def _names(stage: str, key: str, value: Any, params: Mapping[str, Any]) -> list[str]:
    """The entries of a list in dvc.yaml, given there or as `${name}`, with the names from DVC."""
    asked = re.fullmatch(r"\$\{([\w.-]+)\}", value) if isinstance(value, str) else None
    if asked:
        value = params
        for part in asked[1].split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    if not isinstance(value, list | dict):
        where = (
            f"{PARAMS_FILE}: {asked[1]}" if asked else f"{GRAPH_FILE}: {stage}: {key or 'foreach'}"
        )
        raise InputError(f"{where}: found {value!r}; allowed: a list or a mapping")
    return [
        f"{key}{number}" if isinstance(entry, list | dict) else str(entry)
        for number, entry in enumerate(value)
    ]


if __name__ == "__main__":
    run(main)
