"""The graph in dvc.yaml against the code: what a stage imports and reads is what it declares."""

import ast
import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.core.settings.reader import Slice, keys_of
from tests.imports import ROOT, project_files

GRAPH: dict[str, dict[str, Any]] = {
    name: stage.get("do", stage)  # `foreach: ... do: ...` has the stage inside
    for name, stage in yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))[
        "stages"
    ].items()
}
# Slices that a module reads under a condition, which these of its stages do not meet.
NOT_READ = {
    "train-plain": {"RegularizationSettings"},
    "synthesize-test": {"CopiesSettings"},
}
COMMANDS = {"stages.upscale", "stages.export"}  # for people; no stage of the pipeline
LIBRARY = sorted((ROOT / "stages" / "core").rglob("*.py"))
SETTINGS = "stages/core/settings/"

every_stage = pytest.mark.parametrize("name", GRAPH)


def _module(name: str) -> str:
    python, flag, module, *_ = GRAPH[name]["cmd"].split()
    assert (python, flag) == ("python", "-m"), GRAPH[name]["cmd"]
    return module


def _slices_read(path: str) -> dict[str, type[Slice]]:
    """The slices S of a file's `read(S)` calls, imported from where the file imports them."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    origin = {
        alias.asname or alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    names = [
        node.args[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "read"
        and isinstance(node.args[0], ast.Name)
    ]
    return {name: getattr(importlib.import_module(origin[name] or ""), name) for name in names}


@every_stage
def test_stage_runs_a_module_of_the_project_and_says_what_it_does(name: str) -> None:
    # A console script or a path would run the main workspace's code in a temporary experiment.
    assert _module(name).startswith("stages.")
    assert (ROOT / Path(*_module(name).split("."))).with_suffix(".py").is_file()
    assert GRAPH[name].get("desc")


@every_stage
def test_code_deps_are_exactly_the_project_files_that_the_stage_imports(name: str) -> None:
    declared = [dep for dep in GRAPH[name]["deps"] if str(dep).startswith("stages/")]
    if name == "report":
        declared.remove("stages/core/report_page.html")
    assert len(declared) == len(set(declared))
    assert set(declared) == project_files(_module(name))


@every_stage
def test_params_are_exactly_the_keys_that_the_stage_reads(name: str) -> None:
    params = GRAPH[name].get("params", [])
    if name in ("validate", "report"):
        assert params == [{"params.yaml": None}]  # the whole file
        return
    slices = _slices_read(_own_file(name))
    unread = NOT_READ.get(name, set())
    assert unread <= set(slices), "NOT_READ names a slice that the module no longer reads"
    keys = set().union(*(keys_of(slices[s]) for s in slices if s not in unread))
    assert len(params) == len(set(params))
    assert set(params) == keys


def _own_file(name: str) -> str:
    """The stage's own file."""
    return f"{_module(name).replace('.', '/')}.py"


@pytest.mark.parametrize("path", LIBRARY, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_library_imports_no_stage_and_reads_no_params(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    files = project_files(name.removesuffix(".py").replace("/", "."))
    assert all(file.startswith("stages/core/") for file in files)
    if not name.startswith(SETTINGS):
        assert not _slices_read(name)
        text = path.read_text(encoding="utf-8")
        assert "PARAMS_FILE" not in text and "read_study" not in text


@pytest.mark.parametrize("path", sorted((ROOT / "stages").glob("*.py")), ids=lambda p: p.stem)
def test_stage_imports_no_other_stage_and_belongs_to_the_graph(path: Path) -> None:
    module = f"stages.{path.stem}"
    others = {file for file in project_files(module) if file.count("/") == 1}
    assert others == {f"stages/{path.name}"}
    assert (module in {_module(name) for name in GRAPH}) != (module in COMMANDS)


def test_tensorflow_is_started_only_where_networks_run() -> None:
    # It takes seconds to start, and most stages are over in one.
    heavy = set()
    for name in GRAPH:
        for file in project_files(_module(name)):
            tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.module:
                    names = [node.module]
                if {"tensorflow", "keras"} & {n.partition(".")[0] for n in names}:
                    heavy.add(_module(name))
    assert heavy == {f"stages.{s}" for s in ("pretrain", "train", "evaluate", "cascade", "mnist")}


def test_conditional_reads_name_stages_of_the_graph() -> None:
    assert set(NOT_READ) <= set(GRAPH)


def test_lambda_reaches_no_stage_but_the_regularized_training() -> None:
    assert [n for n in GRAPH if "lambda" in GRAPH[n].get("params", [])] == ["train-regularized"]


def test_results_of_the_warm_up_are_in_git() -> None:
    # Its entry in dvc.lock stays where a study leaves it out: `dvc checkout` and `dvc exp apply`
    # would ask for files that were never made there.
    kinds = [GRAPH["mnist"].get(kind, []) for kind in ("outs", "metrics", "plots")]
    outputs = [entry for kind in kinds for entry in kind]
    assert len(outputs) == 3
    for entry in outputs:
        assert isinstance(entry, dict) and next(iter(entry.values()))["cache"] is False
