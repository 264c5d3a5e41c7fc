"""Which project files a module imports, transitively: read from the source, nothing is run."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent


def project_files(module: str) -> set[str]:
    """The project's files that `module` is made of, itself included, relative to the root."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        path = Path(*waiting.pop().split(".")).with_suffix(".py")
        if path.as_posix() in found or not (ROOT / path).is_file():
            continue
        found.add(path.as_posix())
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                waiting += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found
