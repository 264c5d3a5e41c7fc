"""The transitive imports of a module, read from the source without running it."""

import ast
from functools import cache
from pathlib import Path

from srstudy.common import choices

ROOT = Path(__file__).parent.parent
# Rooms of choices, and the key of params.yaml that chooses among their files.
CHOICES = {"degradations": "degradation", "networks": "network", "losses": "loss"}


@cache
def imported_modules(path: Path) -> frozenset[str]:
    """The modules that a file of the project imports, wherever in it that is written.

    A file that chooses by name, in a room of choices, imports every file of that room.
    """
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif _chooses(node) and path.parts[1] in CHOICES:
            found |= {f"srstudy.{path.parts[1]}.{name}" for name in choices.names(path.parts[1])}
    return frozenset(found)


def _chooses(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name == "chosen"


def project_files(module: str) -> set[str]:
    """The project's files that `module` imports, itself included, relative to the root."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = Path(*name.split(".")).with_suffix(".py")
        if not (ROOT / path).is_file() or path.as_posix() in found:
            continue
        found.add(path.as_posix())
        waiting += imported_modules(path)
    return found


def room_of(file: str) -> str:
    """The dep in dvc.yaml for a library file: its room, or the pattern of a chosen file."""
    parts = Path(file).parts
    if parts[1] in CHOICES:
        chosen = f"${{{CHOICES[parts[1]]}}}.py"
        return "/".join((*parts[:2], "shared" if parts[2] == "shared" else chosen))
    return "/".join(parts[:2])


def rooms(module: str) -> set[str]:
    """The rooms and chosen files of the library that `module` uses."""
    return {room_of(file) for file in project_files(module) if file.startswith("srstudy/")}
