"""`make graph`: the pipeline as text."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo

from srstudy.common.errors import InputError
from srstudy.common.yaml_file import load_yaml
from srstudy.report.dag import edges
from tools.graph import WIDTH, graph, items

STAGES, PARAMS = load_yaml(Path("dvc.yaml"))["stages"], load_yaml(Path("params.yaml"))
TRAIN = {"matrix": {"scale": "${scales}", "setting": ["plain", "regularized"]}}
SMALL: dict[str, Any] = {
    "download": {
        "matrix": {"dataset": "${datasets}"},
        "deps": [],
        "outs": ["data/raw/${item.dataset}"],
    },
    "own": {"foreach": "${own}", "do": {"deps": ["${item}"], "outs": ["data/raw/${key}"]}},
    "train": {"deps": ["data/raw/${train_set}"], "outs": ["models/a.h5"]},
    "score": {"deps": ["data/raw/${test_set}", "models/a.h5"], "outs": ["scores.json"]},
}


def _rows(text: str) -> dict[str, list[str]]:
    """The stages that each stage waits for, by name, from a table without wrapped lines."""
    cells = [line.split("  ", 1) for line in text.splitlines()[1:] if line]
    return {
        first.partition("@")[0].partition(" ")[0]: rest[0].replace(",", " ").split() if rest else []
        for first, *rest in cells
    }


def test_each_stage_has_a_row_below_all_stages_that_it_waits_for() -> None:
    text = graph(STAGES, PARAMS)
    assert max(map(len, text.splitlines())) <= WIDTH
    rows = _rows(text)
    assert sorted(rows) == sorted(STAGES)
    waits_for, above = edges(STAGES), set[str]()
    for block in text.split("\n\n")[1:]:
        layer = _rows(f"head\n{block}")
        for name, direct in layer.items():
            assert set(direct) <= waits_for[name] <= above
            assert bool(direct) == bool(waits_for[name])
        above |= set(layer)
    assert rows["pretrain"] == ["patch"]
    scored = ["bicubic", "cascade", "ensemble", "evaluate"]
    assert rows["compare"] == scored and rows["summarize"] == [*scored, "shared"]


def test_names_of_items_are_accepted_by_dvc() -> None:
    names = " ".join(items(name, stage, PARAMS) for name, stage in STAGES.items())
    written_out = subprocess.run(
        ["bash", "-c", f"echo {names.replace(' (none)', '@none')}"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    with Repo() as repo:
        found = [stage.addressing for stage in repo.index.stages]
    assert sorted(name for name in written_out if not name.endswith("@none")) == sorted(found)


def test_small_graph_is_this_text() -> None:
    params = {"datasets": ["a", "b"], "own": {"mine": "/home/me/photos"}}
    assert graph(SMALL, params).splitlines() == [
        "stage           waits for",
        "",
        "download@{a,b}",
        "own@mine",
        "",
        "train           download, own",
        "",
        "score           train",
    ]


def test_long_lists_are_wrapped_to_the_width() -> None:
    many = {"datasets": [f"data-set-{i}" for i in range(40)], "own": {}}
    lines = graph(SMALL, many).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert "data-set-39}" in "".join(line.strip() for line in lines)
    assert "own (none)" in lines


def test_wrong_list_and_circle_are_refused_in_one_line() -> None:
    with pytest.raises(InputError, match=r"^params.yaml: scales: found 2; allowed: a list or"):
        items("train", TRAIN, {"scales": 2})
    with pytest.raises(InputError, match=r"^params.yaml: scales: found None; allowed"):
        items("train", TRAIN, {})
    circle = {"a": {"deps": ["y"], "outs": ["x"]}, "b": {"deps": ["x"], "outs": ["y"]}}
    with pytest.raises(
        InputError, match=r"^dvc.yaml: the stages wait for each other: \['a', 'b'\]"
    ):
        graph(circle, {})
