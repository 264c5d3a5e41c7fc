"""dvc.yaml against the code: a stage declares exactly what it imports and reads."""

import ast
import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from srstudy.common import choices
from srstudy.common.params import Slice, keys_of
from srstudy.mnist.settings import MnistRecipe
from tests.imports import CHOICES, ROOT, imported_modules, project_files, rooms

GRAPH: dict[str, dict[str, Any]] = {
    name: stage.get("do", stage)  # `foreach: ... do: ...` has the stage inside
    for name, stage in yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))[
        "stages"
    ].items()
}
# Slices that a module reads under a condition, which these of its stages do not meet.
NOT_READ = {
    "train-plain": {"RegularizationSettings"},
    "synthesize-test": {"DownscaledCopiesSettings", "StrengthSettings"},
}
# What stands for the entry of a value that a stage reads one entry of.
ENTRIES = {"{scale}": "${item.scale}", "{network}": "${network}"}
# What stands for a section of which a stage reads some keys alone.
SECTIONS = {
    ("mnist", "mnist"): {f"mnist.{key}" for key in MnistRecipe.model_fields},
    ("summarize", "mnist"): {"mnist.seeds"},
}
LIBRARY = sorted((ROOT / "srstudy").rglob("*.py"))
STAGES = sorted((ROOT / "stages").glob("*.py"))
COMMANDS = ("upscale", "export")  # rooms of commands for people, which no stage is made of
LONGEST_LIBRARY_FILE, LONGEST_STAGE, LONGEST_GRAPH, LONGEST_LOCK = 250, 110, 470, 4800

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
def test_stage_runs_a_module_of_the_project_and_has_a_description(name: str) -> None:
    # A console script or a path would run the main workspace's code in a temporary experiment.
    assert _module(name).startswith("stages.")
    assert (ROOT / Path(*_module(name).split("."))).with_suffix(".py").is_file()
    assert GRAPH[name].get("desc")


@every_stage
def test_code_deps_are_the_stage_and_exactly_the_rooms_it_uses(name: str) -> None:
    declared = [dep for dep in GRAPH[name]["deps"] if str(dep).startswith(("stages/", "srstudy/"))]
    assert len(declared) == len(set(declared))
    made_of = rooms(_module(name))
    if name == "validate":
        # It checks what may be chosen, chosen or not: whole rooms of choices.
        made_of = {room for room in made_of if room.split("/")[1] not in CHOICES}
        made_of |= {f"srstudy/{room}" for room in CHOICES}
    assert set(declared) == {f"{_module(name).replace('.', '/')}.py"} | made_of


def test_dvc_names_only_chosen_library_files() -> None:
    chosen = {f"srstudy/{room}/${{{key}}}.py" for room, key in CHOICES.items()}
    files = {dep for stage in GRAPH.values() for dep in stage["deps"] if dep.endswith(".py")}
    assert {file for file in files if file.startswith("srstudy/")} == chosen


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
    scale = "${scales[0]}" if name == "pretrain" else ENTRIES["{scale}"]
    for template, entry in {**ENTRIES, "{scale}": scale}.items():
        keys = {key.replace(template, entry) for key in keys}
    keys = set().union(*(SECTIONS.get((name, key), {key}) for key in keys))
    assert len(params) == len(set(params))
    assert set(params) == keys


def _own_file(name: str) -> str:
    """The stage's own file."""
    return f"{_module(name).replace('.', '/')}.py"


def _room(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "srstudy" and len(parts) > 2 else None


def test_rooms_import_each_other_in_one_direction() -> None:
    below: dict[str, set[str]] = {}
    for path in LIBRARY:
        own = path.relative_to(ROOT).parts[1]
        imported = imported_modules(path.relative_to(ROOT))
        below.setdefault(own, set()).update(
            room for room in map(_room, imported) if room not in (None, own)
        )
    order: list[str] = []
    while below:
        ready = [room for room, others in below.items() if others <= set(order)]
        assert ready, f"these rooms import each other: {below}"
        order += ready
        below = {room: others for room, others in below.items() if room not in ready}
    assert order.index("common") == 0
    assert not any(_room(m) == "study" for p in LIBRARY for m in _outside("study", p))


def test_architecture_page_lists_the_rooms_in_the_order_of_their_imports() -> None:
    page = (ROOT / "docs/guide/architecture.md").read_text("utf-8")
    listed = [
        room
        for row in re.findall(r"^\| ([a-z, ]+) \|", page, re.MULTILINE)
        for room in row.split(", ")
        if room not in ("room", "stage")
    ]
    assert set(listed) == {path.relative_to(ROOT).parts[1] for path in LIBRARY}
    for path in LIBRARY:
        own = path.relative_to(ROOT).parts[1]
        others = {_room(module) for module in imported_modules(path.relative_to(ROOT))}
        for room in others - {None, own}:
            assert listed.index(str(room)) < listed.index(own), f"{path} imports {room}"


def _outside(room: str, path: Path) -> frozenset[str]:
    inside = path.relative_to(ROOT).parts[1] == room
    return frozenset() if inside else imported_modules(path.relative_to(ROOT))


@pytest.mark.parametrize("room", CHOICES)
def test_chosen_files_do_not_import_each_other(room: str) -> None:
    # One would be the other's dep, and dvc.yaml does not know it.
    for name in choices.names(room):
        imported = imported_modules(Path(f"srstudy/{room}/{name}.py"))
        others = {f"srstudy.{room}.{other}" for other in choices.names(room)}
        assert not imported & others


@pytest.mark.parametrize("path", LIBRARY, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_library_file_imports_no_stage_reads_no_params_and_is_short(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    files = project_files(name.removesuffix(".py").replace("/", "."))
    assert all(file.startswith("srstudy/") for file in files)
    text = path.read_text(encoding="utf-8")
    if path.name != "settings.py":
        assert not _slices_read(name)
        assert "PARAMS_FILE" not in text or name == "srstudy/common/params.py"
    assert len(text.splitlines()) <= LONGEST_LIBRARY_FILE


@pytest.mark.parametrize("path", STAGES, ids=lambda p: p.stem)
def test_stage_is_short_imports_no_other_stage_and_no_command(path: Path) -> None:
    module = f"stages.{path.stem}"
    files = project_files(module)
    assert {file for file in files if not file.startswith("srstudy/")} == {f"stages/{path.name}"}
    assert not any(file.startswith(f"srstudy/{room}/") for file in files for room in COMMANDS)
    assert module in {_module(name) for name in GRAPH}
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_STAGE


def test_stages_are_one_folder_of_stages_and_the_graph_is_short() -> None:
    assert {p.name for p in (ROOT / "stages").iterdir() if p.name != "__pycache__"} == {
        path.name for path in STAGES
    }
    lines = (ROOT / "dvc.yaml").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LONGEST_GRAPH
    assert len((ROOT / "dvc.lock").read_text("utf-8").splitlines()) <= LONGEST_LOCK


def test_training_does_not_import_scoring_report_upscale_or_mnist() -> None:
    for name in ("pretrain", "train"):
        found = rooms(f"stages.{name}")
        others = ("scoring", "report", "mnist", "upscale", "export", "datasets", "imagefiles")
        assert not found & {f"srstudy/{room}" for room in others}


def test_tensorflow_starts_only_in_stages_that_run_networks() -> None:
    # It takes seconds to start, and most stages are over in one.
    heavy = set()
    for name in GRAPH:
        # Files that are imported when the stage's module is, not inside its functions.
        for file in _imported_at_once(_module(name)):
            if {"tensorflow", "keras"} & {n.partition(".")[0] for n in _at_the_top(file)}:
                heavy.add(_module(name))
    assert heavy == {
        f"stages.{s}" for s in ("pretrain", "train", "evaluate", "ensemble", "cascade", "mnist")
    }


def _at_the_top(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _imported_at_once(module: str) -> set[str]:
    found: set[str] = set()
    waiting = [module]
    while waiting:
        path = Path(*waiting.pop().split(".")).with_suffix(".py").as_posix()
        if path not in found and (ROOT / path).is_file():
            found.add(path)
            waiting += _at_the_top(path)
    return found


def test_conditional_reads_name_stages_of_the_graph() -> None:
    assert set(NOT_READ) <= set(GRAPH)


def test_only_the_regularized_training_reads_lambda() -> None:
    assert [n for n in GRAPH if "lambda" in GRAPH[n].get("params", [])] == ["train-regularized"]


def test_each_download_depends_on_its_own_registry_file() -> None:
    deps = [dep for dep in GRAPH["download"]["deps"] if dep.startswith("data/registry")]
    assert deps == ["data/registry/${item.dataset}.tsv"]


def test_every_library_path_that_documentation_names_exists() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), ROOT / "CONTRIBUTING.md"):
        for found in re.findall(r"(?:srstudy|stages|tools|tests)/[\w/.-]+\.py", page.read_text()):
            named = ROOT / found
            assert named.exists() or named.stem in ("blur", "imdn", "l1"), f"{page.name}: {found}"


def test_results_of_the_warm_up_are_in_git() -> None:
    # Its entry in dvc.lock stays where a study leaves it out: `dvc checkout` and `dvc exp apply`
    # would ask for files that were never made there.
    kinds = [GRAPH["mnist"].get(kind, []) for kind in ("outs", "metrics", "plots")]
    outputs = [entry for kind in kinds for entry in kind]
    assert len(outputs) == 3
    for entry in outputs:
        assert isinstance(entry, dict) and next(iter(entry.values()))["cache"] is False
