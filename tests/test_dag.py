import itertools
import os
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
import yaml

from srstudy.report.dag import draw, edges
from tests.imports import ROOT

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


def test_edges_connect_stages_that_read_each_others_outputs() -> None:
    found = edges(STAGES)
    assert found["validate"] == set()
    assert found["download"] == {"validate"}
    assert found["patch"] == {"synthesize-train"}
    assert found["train-plain"] == {"patch", "pretrain"}
    assert found["evaluate"] == {"synthesize-test", "train-plain", "train-regularized"}
    assert found["bicubic"] == {"synthesize-test"}
    assert {"bicubic", "evaluate", "ensemble", "cascade", "shared"} <= found["summarize"]
    assert "mnist" not in found["report"]
    assert found["synthesize-train"] == found["shared"] == {"download", "own_images"}
    assert found["mnist"] == {"download-mnist"}


def test_code_deps_make_no_edge() -> None:
    stages = {
        "validate": {"deps": ["srstudy/common"], "outs": ["data/params-checked"]},
        "download": {
            "deps": ["data/registry/${item.dataset}.tsv", "srstudy/datasets"],
            "outs": ["data/raw/${item.dataset}"],
        },
        "own_images": {
            "foreach": "${own_images}",
            "do": {"deps": ["${item}", "srstudy/imagefiles"], "outs": ["data/raw/${key}"]},
        },
        "train": {
            "deps": [
                "data/raw/${train_set}",
                "srstudy/networks/${network}.py",
                "srstudy/networks/shared",
            ],
            "outs": ["models/x${item.scale}.weights.h5", {"metrics/curve.csv": {"cache": False}}],
        },
        "report": {
            "deps": ["metrics/curve.csv", "srstudy/report"],
            "outs": ["report/index.html"],
        },
        "alone": {"cmd": "true"},
    }
    assert edges(stages) == {
        "validate": set(),
        "download": set(),
        "own_images": set(),
        "train": {"download", "own_images"},
        "report": {"train"},
        "alone": set(),
    }


def test_every_stage_is_drawn_once_after_what_it_waits_for() -> None:
    found = edges(STAGES)
    svg = ElementTree.fromstring(draw(found, dict.fromkeys(STAGES, "what & why")))
    names = [e.text for e in svg.iter("text")]
    assert sorted(map(str, names)) == sorted(STAGES)
    left = dict(zip(names, (float(e.attrib["x"]) for e in svg.iter("rect")), strict=True))
    assert all(left[other] < left[name] for name, others in found.items() for other in others)


def test_indirect_dependency_is_not_drawn() -> None:
    found = {"a": set[str](), "b": {"a"}, "c": {"a", "b"}}
    svg = ElementTree.fromstring(draw(found, dict.fromkeys(found, "")))
    assert len(list(svg.iter("path"))) == 2


def test_same_graph_gives_the_same_text() -> None:
    # Whatever the order in which the sets of names come, which Python shuffles at each start.
    code = (
        "import yaml; from srstudy.report.dag import draw, edges; "
        "stages = yaml.safe_load(open('dvc.yaml'))['stages']; "
        "print(draw(edges(stages), dict.fromkeys(stages, '')))"
    )
    drawn = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(drawn) == 1 and b"<svg" in drawn.pop()


def test_no_edge_runs_through_a_box() -> None:
    svg = ElementTree.fromstring(draw(edges(STAGES), dict.fromkeys(STAGES, "")))
    boxes = [[float(e.attrib[k]) for k in ("x", "y", "width", "height")] for e in svg.iter("rect")]
    ways = []
    for path in svg.iter("path"):
        found = re.findall(r"([\d.-]+) ([\d.-]+)", path.attrib["d"])
        way = [(float(x), float(y)) for x, y in found]
        if "h" in path.attrib["d"]:
            way.append((way[-1][0] + float(path.attrib["d"].partition("h")[2]), way[-1][1]))
        ways.append(way)
    assert any(len(way) == 5 for way in ways)  # some pass through columns
    # A curve lies among its control points, all of which are in the gaps between columns or level.
    for way in ways:
        for (x0, y0), (x1, y1) in itertools.pairwise(way):
            for x, y, width, height in boxes:
                beside = max(x0, x1) <= x or min(x0, x1) >= x + width
                assert beside or max(y0, y1) < y or min(y0, y1) > y + height


def test_circle_is_refused_and_its_stages_are_named() -> None:
    waits_for = {"a": {"b"}, "b": {"a", "c"}, "c": set[str](), "d": {"a"}}
    with pytest.raises(ValueError, match=r"wait for each other: \['a', 'b'\]"):
        draw(waits_for, dict.fromkeys(waits_for, ""))
