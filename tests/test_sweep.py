"""The file of a sweep: its points, and the checks before the first point runs."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from dvc.utils.hydra import apply_overrides

from srstudy.common.errors import InputError
from srstudy.common.yaml_file import load_yaml
from tests.imports import ROOT
from tools import sweep
from tools.experiments import overrides
from tools.sweep import draw, part_of, table
from tools.sweep_points import Point, read_sweep, text

DOT = re.compile(rb"<use [^>]*fill: #1f77b4")  # matplotlib's first colour
METRIC = "psnr.set5.x2.regularized"
LAMBDAS: dict[str, Any] = {"lambda": [0, 0.01]}
RANGES: dict[str, Any] = {
    "lambda": {"log": [0.001, 1]},
    "ema": {"uniform": [0.5, 0.9]},
    "network": {"choice": ["srcnn", "edsr"]},
}


def _sweep(folder: Path, **keys: Any) -> list[Point]:
    path = folder / "sweep.yaml"
    path.write_text(yaml.safe_dump({"metric": METRIC, **keys}, sort_keys=False))
    return read_sweep(path)


def test_grid_gives_every_combination_in_the_order_of_the_file(tmp_path: Path) -> None:
    points = _sweep(tmp_path, grid={**LAMBDAS, "network": ["srcnn", "fsrcnn"]})
    assert [(*point.values.values(),) for point in points] == [
        *((0, "srcnn"), (0, "fsrcnn"), (0.01, "srcnn"), (0.01, "fsrcnn")),
    ]


def test_random_values_are_in_their_ranges_and_more_draws_keep_the_first(tmp_path: Path) -> None:
    few = _sweep(tmp_path, grid=RANGES, draws=5, seed=7)
    many = _sweep(tmp_path, grid=RANGES, draws=60, seed=7)
    assert many[:5] == few
    other = _sweep(tmp_path, grid=RANGES, draws=5, seed=8)
    assert not {point.name for point in few} & {point.name for point in other}
    columns = pd.DataFrame([point.values for point in many])
    assert columns["lambda"].between(0.001, 1).all() and (columns["lambda"] < 0.03).mean() > 0.3
    assert columns["ema"].between(0.5, 0.9).all()
    assert set(columns["network"]) == {"srcnn", "edsr"}


def test_each_draw_is_combined_with_every_value_of_a_list(tmp_path: Path) -> None:
    grid = {"seed": [1, 2], "lambda": {"uniform": [0, 1]}}
    values = [point.values for point in _sweep(tmp_path, grid=grid, draws=2)]
    assert [point["seed"] for point in values] == [1, 2, 1, 2]
    assert values[0]["lambda"] == values[1]["lambda"] != values[2]["lambda"]


def test_name_depends_on_all_settings_and_is_safe_for_git(tmp_path: Path) -> None:
    folder = tmp_path / "Été..a~^:"
    folder.mkdir()
    grid = {"own_images.mine": [str(folder)], "self_ensemble": [[], ["plain"]]}
    names = [point.name for point in _sweep(tmp_path, grid=grid)]
    assert len(set(names)) == 2
    assert all(re.fullmatch(r"[A-Za-z0-9.-]+-[0-9a-f]{8}", name) for name in names)
    assert not any(".." in name or "lock" in name for name in names)
    assert [point.name for point in _sweep(tmp_path, grid=grid)] == names
    for more in ({"fixed": {"seed": 2}}, {"metric": "validation.x2.plain.psnr"}):
        assert not {point.name for point in _sweep(tmp_path, grid=grid, **more)} & {*names}


def test_equal_points_are_one_experiment(tmp_path: Path) -> None:
    assert len(_sweep(tmp_path, grid={"seed": {"choice": [1, 2]}}, draws=20)) == 2


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lambda", 1e-05),
        ("validation_list", True),
        ("pretrain_epochs", None),
        ("scales", [2, 4]),
        ("own_images.mine", 'a "photo" of 2024: été, {x}'),
        ("steps.x2", 7),
        ("network_size.edsr.blocks", 3),
    ],
)
def test_value_in_params_yaml_equals_the_value_of_the_sweep_file(
    tmp_path: Path, key: str, value: object
) -> None:
    path = tmp_path / "params.yaml"
    path.write_text((ROOT / "params.yaml").read_text("utf-8"))
    apply_overrides(path, overrides({key: text(value)}))
    found: Any = load_yaml(path)
    for name in key.split("."):
        found = found[name]
    assert found == value


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no grid": ({}, "grid: found nothing; allowed: keys of params.yaml"),
    "no keys": ({"grid": {}}, "grid: found {}; allowed: keys of params.yaml"),
    "unknown key of the file": ({"grids": LAMBDAS}, "grids: unknown key; did you mean 'grid'?"),
    "empty list": ({"grid": {"lambda": []}}, r"grid.lambda: found \[\]; allowed: .* at least one"),
    "no list": ({"grid": {"lambda": 1}}, "grid.lambda: found 1; allowed: a list"),
    "log of 0": (
        {"grid": {"lambda": {"log": [0, 1]}}},
        r"grid.lambda: found .*; allowed: .* \(log: above 0\)",
    ),
    "huge bounds": (
        {"grid": {"lambda": {"log": [1, 10**400]}}},
        "grid.lambda: found .*; allowed: a list",
    ),
    "two ranges": (
        {"grid": {"lambda": {"log": [0.1, 1], "uniform": [0, 1]}}},
        "grid.lambda: found .*; allowed: a list",
    ),
    "range with another key": (
        {"grid": {"lambda": {"choice": [1], "seed": 3}}},
        "grid.lambda: found .*; allowed: a list",
    ),
    "no draws": ({"grid": RANGES, "draws": 0}, "draws: found 0; allowed: a whole number"),
    "twice": ({"grid": LAMBDAS, "fixed": {"lambda": 1}}, "lambda: allowed only in one of grid and"),
    "metric": (
        {"grid": LAMBDAS, "metric": "psnr.set6.x2.plain"},
        "point lambda=0.01: metric: found 'psnr.set6.x2.plain'; allowed with scales",
    ),
    "metric of an unknown method": (
        {"grid": LAMBDAS, "metric": "psnr.set5.x2.regularised"},
        "found 'psnr.set5.x2.regularised'; allowed with scales",
    ),
    "metric of a cascade that is not made": (
        {"grid": LAMBDAS, "metric": "psnr.set5.x2.plain-cascade"},
        r"found 'psnr.set5.x2.plain-cascade'; .* cascade_scales \[4, 8\]",
    ),
    "metric of a self-ensemble that is not made": (
        {"grid": LAMBDAS, "metric": "psnr.set5.x2.plain+"},
        r"found 'psnr.set5.x2.plain\+'; .* self_ensemble \[\]",
    ),
    "unknown key of params.yaml": (
        {"grid": {"lamda": [1]}},
        "point lamda=1: lamda: unknown key; did you mean 'lambda'",
    ),
    "unknown entry": ({"grid": {"steps.x5": [1]}}, "point steps.x5=1: steps.x5: unknown key"),
    "no name": ({"grid": {"a b,c": [1]}}, "point a b,c=1: DVC cannot set it: "),
    "mapping": ({"grid": {"steps": [{"x2": 9}]}}, "point steps={.*}: DVC cannot set it: "),
    "fixed": (
        {"grid": LAMBDAS, "fixed": {"loss": "x"}},
        "point lambda=0: loss: found 'x'; allowed",
    ),
    "one of the points": (
        {"grid": {"network": ["srcnn", "nonet"], "lambda": [0, -1]}},
        "point network=srcnn, lambda=-1: lambda: found -1; allowed: a number of at least 0",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_wrong_file_is_refused_with_a_line_for_each_fault(tmp_path: Path, kind: str) -> None:
    keys, said = REFUSED[kind]
    with pytest.raises(InputError, match=said) as caught:
        _sweep(tmp_path, **keys)
    assert all(
        line.startswith(f"{tmp_path}/sweep.yaml: ") for line in str(caught.value).split("\n")
    )


def test_parts_together_have_every_point_once(tmp_path: Path) -> None:
    points = _sweep(tmp_path, grid={"seed": [*range(7)]})
    parts = [part_of(points, f"{number}/3") for number in (1, 2, 3)]
    assert [len(part) for part in parts] == [3, 2, 2]
    assert {point.name for part in parts for point in part} == {point.name for point in points}


@pytest.mark.parametrize("part", ["0/3", "4/3", "1", "a/b", "1/0", "-1/2", ""])
def test_wrong_part_is_refused_in_one_line(part: str) -> None:
    with pytest.raises(InputError, match=f"^--part: found '{part}'; allowed: I/N"):
        part_of([], part)


@pytest.mark.parametrize(
    ("metric", "stage", "file"),
    [
        ("validation.x4.plain.psnr", "train-plain@4", "metrics/validation/x4-plain.json"),
        ("ssim.set5.x2.plain", "summarize", "metrics/summary.json"),
    ],
)
def test_metric_determines_the_stage_that_each_point_runs(
    tmp_path: Path, metric: str, stage: str, file: str
) -> None:
    for point in _sweep(tmp_path, grid=LAMBDAS, metric=metric):
        assert (point.stage, point.file) == (stage, file)


def test_table_has_every_point_and_the_chart_those_with_a_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = _sweep(tmp_path, grid={"lambda": [0.001, 0.01, 1], "network": ["srcnn", "edsr"]})
    names = [point.name for point in points]
    found = {names[0]: 30.25, names[1]: 31.0, names[4]: None}
    monkeypatch.setattr(sweep, "experiments", lambda: [*found])
    monkeypatch.setattr(
        sweep,
        "read_from",
        lambda name, path: json.dumps({"psnr": {"set5": {"x2": {"regularized": found[name]}}}}),
    )
    rows = table(points)
    assert list(rows.columns) == ["experiment", "lambda", "network", METRIC]
    assert rows["experiment"].tolist() == names
    assert rows["lambda"].tolist() == ["0.001", "0.001", "0.01", "0.01", "1", "1"]
    assert rows[METRIC].dropna().tolist() == [30.25, 31.0]

    draw(rows, points, tmp_path / "out.svg")
    drawn = (tmp_path / "out.svg").read_bytes()
    for words in (b">lambda<", b">network<", b">srcnn<", b">edsr<", METRIC.encode()):
        assert words in drawn
    draw(rows, points, tmp_path / "out.svg")
    assert (tmp_path / "out.svg").read_bytes() == drawn
    assert len(DOT.findall(drawn)) == 4  # two results over each of two keys


def test_chart_of_a_sweep_without_results_is_empty(tmp_path: Path) -> None:
    points = _sweep(tmp_path, grid=LAMBDAS)
    rows = pd.DataFrame({"lambda": ["0", "0.01"], METRIC: [float("nan")] * 2})
    draw(rows, points, tmp_path / "out.svg")
    drawn = (tmp_path / "out.svg").read_bytes()
    assert b">lambda<" in drawn and not DOT.search(drawn)
