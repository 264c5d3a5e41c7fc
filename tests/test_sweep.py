"""The file of a sweep: its points, and the checks before the first point runs."""

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
from tools.experiments import overrides
from tools.sweep import part_of
from tools.sweep_metric import file_of, stage_of
from tools.sweep_page import table, write
from tools.sweep_points import Sweep, read_sweep, text

LAMBDAS: dict[str, Any] = {"lambda": [0, 0.01]}
RANDOM: dict[str, Any] = {
    "lambda": {"log": [0.001, 1]},
    "ema": {"uniform": [0.5, 0.9]},
    "seed": {"whole": [3, 5]},
    "network": ["srcnn", "edsr"],
}


def _sweep(folder: Path, **keys: Any) -> Sweep:
    path = folder / "sweep.yaml"
    path.write_text(yaml.safe_dump(keys, sort_keys=False))
    return read_sweep(path)


def test_grid_gives_every_combination_in_the_order_of_the_file(tmp_path: Path) -> None:
    sweep = _sweep(tmp_path, grid={**LAMBDAS, "network": ["srcnn", "fsrcnn"]})
    assert [(*point.values.values(),) for point in sweep.points] == [
        *((0, "srcnn"), (0, "fsrcnn"), (0.01, "srcnn"), (0.01, "fsrcnn")),
    ]
    assert sweep.targets == ["summarize"]
    assert sweep.metric == "psnr.set5.x2.regularized"


def test_random_values_are_in_their_ranges_and_more_draws_keep_the_first(tmp_path: Path) -> None:
    few = _sweep(tmp_path, random=RANDOM, draws=5, seed=7).points
    many = _sweep(tmp_path, random=RANDOM, draws=60, seed=7).points
    assert many[:5] == few
    other = _sweep(tmp_path, random=RANDOM, draws=5, seed=8).points
    assert not {point.name for point in few} & {point.name for point in other}
    columns = pd.DataFrame([point.values for point in many])
    assert columns["lambda"].between(0.001, 1).all() and (columns["lambda"] < 0.03).mean() > 0.3
    assert columns["ema"].between(0.5, 0.9).all()
    assert set(columns["seed"]) == {3, 4, 5}
    assert set(columns["network"]) == {"srcnn", "edsr"}


def test_name_depends_on_all_settings_and_is_safe_for_git(tmp_path: Path) -> None:
    folder = tmp_path / "Été..a~^:"
    folder.mkdir()
    grid = {"own_images.mine": [str(folder)], "self_ensemble": [[], ["plain"]]}
    names = [point.name for point in _sweep(tmp_path, grid=grid).points]
    assert len(set(names)) == 2
    assert all(re.fullmatch(r"[A-Za-z0-9.-]+-[0-9a-f]{8}", name) for name in names)
    assert not any(".." in name or "lock" in name for name in names)
    assert [point.name for point in _sweep(tmp_path, grid=grid).points] == names
    for more in ({"fixed": {"seed": 2}}, {"targets": ["compare"]}):
        assert not {point.name for point in _sweep(tmp_path, grid=grid, **more).points} & {*names}


def test_equal_points_are_one_experiment(tmp_path: Path) -> None:
    assert len(_sweep(tmp_path, random={"seed": [1, 2]}, draws=20).points) == 2


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lambda", 1e-05),
        ("validation_list", True),
        ("pretrain_epochs", None),
        ("scales", [2, 4]),
        ("own_images.mine", 'a "photo" of 2024: \\ été, {x}'),
        ("own_images.mine", 'a\\"b\\\\'),
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
    "neither": ({}, "grid, random: found neither; allowed: one of the two"),
    "both": ({"grid": LAMBDAS, "random": RANDOM, "draws": 1}, "grid, random: found both"),
    "unknown key of the file": ({"grids": LAMBDAS}, "grids: unknown key; did you mean 'grid'?"),
    "empty list": ({"grid": {"lambda": []}}, r"grid.lambda: found \[\]; allowed: .* at least one"),
    "no list": ({"grid": {"lambda": 1}}, "grid.lambda: found 1; allowed: .* a list"),
    "no keys": ({"grid": {}}, "grid: found {}; allowed: keys of params.yaml"),
    "log of 0": (
        {"random": {"lambda": {"log": [0, 1]}}, "draws": 2},
        "random.lambda: found .*; allowed: .* for log, both above 0",
    ),
    "no draws": ({"random": RANDOM}, "draws: allowed: a whole number, only together with random"),
    "too many draws": ({"random": RANDOM, "draws": 10**6}, "draws: found 1000000; allowed: .*1000"),
    "too many points": (
        {"grid": {"seed": [*range(40)], "batch_size.x2": [*range(1, 40)]}},
        "found more than 1000 points",
    ),
    "twice": ({"grid": LAMBDAS, "fixed": {"lambda": 1}}, "fixed.lambda: is also in grid"),
    "stage": ({"grid": LAMBDAS, "targets": ["trian@2"]}, "targets: found 'trian@2'; allowed: stag"),
    "metric": (
        {"grid": LAMBDAS, "metric": "psnr.set6.x2.plain"},
        r"point lambda=0 \(and 1 more\): metric: found 'psnr.set6.x2.plain'; allowed with scales",
    ),
    "unknown key of params.yaml": (
        {"grid": {"lamda": [1]}},
        "point lamda=1: lamda: unknown key; did you mean 'lambda'",
    ),
    "unknown entry": ({"grid": {"steps.x5": [1]}}, "point steps.x5=1: steps.x5: unknown key"),
    "no name": ({"grid": {"a b,c": [1]}}, "point a b,c=1: DVC cannot set it: "),
    "fixed": ({"grid": LAMBDAS, "fixed": {"loss": "x"}}, r"and 1 more\): loss: found 'x'; allowed"),
    "one of the points": (
        {"grid": {"network": ["srcnn", "nonet"], "lambda": [0, -1]}},
        "point network=srcnn, lambda=-1 .*: lambda: found -1; allowed: a number of at least 0",
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
    points = _sweep(tmp_path, grid={"seed": [*range(7)]}).points
    parts = [part_of(points, f"{number}/3") for number in (1, 2, 3)]
    assert [len(part) for part in parts] == [3, 2, 2]
    assert {point.name for part in parts for point in part} == {point.name for point in points}


@pytest.mark.parametrize("part", ["0/3", "4/3", "1", "a/b", "1/0", "-1/2", ""])
def test_wrong_part_is_refused_in_one_line(part: str) -> None:
    with pytest.raises(InputError, match=f"^--part: found '{part}'; allowed: I/N"):
        part_of([], part)


def test_metric_determines_its_file_and_the_stage_that_makes_it() -> None:
    metric = "validation.x4.plain.psnr"
    assert (file_of(metric), stage_of(metric)) == (
        "metrics/validation/x4-plain.json",
        "train-plain@4",
    )
    metric = "ssim.set5.x2.plain"
    assert (file_of(metric), stage_of(metric)) == ("metrics/summary.json", "summarize")


def test_table_and_chart_show_finished_points_and_the_table_all(tmp_path: Path) -> None:
    sweep = _sweep(tmp_path, grid={"lambda": [0.001, 0.01, 1], "network": ["srcnn", "edsr"]})
    names = [point.name for point in sweep.points]
    scores = {names[0]: 30.25, names[1]: 31.0, names[2]: None, names[4]: 29.0}
    rows = table(sweep, scores, failed=[names[3]])
    assert rows["state"].tolist() == ["done"] * 3 + ["failed", "done", "not run yet"]
    chart = write(rows, sweep, tmp_path / "out.csv")
    assert chart == tmp_path / "out.svg"
    header, first, *_ = (tmp_path / "out.csv").read_text().splitlines()
    assert header == "experiment,lambda,network,psnr.set5.x2.regularized,state"
    assert first == f"{names[0]},0.001,srcnn,30.25,done"
    drawn = chart.read_bytes()
    for words in (b">lambda<", b">network<", b">srcnn<", b">edsr<", b">psnr.set5.x2.regularized<"):
        assert words in drawn
    write(rows, sweep, tmp_path / "out.csv")
    assert chart.read_bytes() == drawn
    assert write(table(sweep, {}, []), sweep, tmp_path / "out.csv") is None
    assert not chart.exists()
