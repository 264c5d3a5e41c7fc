"""What params.yaml chooses by name: a network, a degradation, a loss is the file of that name.

A room of choices holds one file for each, and what several of them share in its folder `shared`.
Names come from listing the room; only the file that was asked for is imported.
"""

import importlib
import traceback
from pathlib import Path
from types import ModuleType

LIBRARY = Path(__file__).parents[1]


def names(room: str) -> tuple[str, ...]:
    """The names that a room offers, sorted: those of its files."""
    files = (LIBRARY / room).glob("[!_.]*.py")
    return tuple(sorted(path.stem for path in files))


def chosen(room: str, name: str, wanted: tuple[str, ...]) -> ModuleType:
    """The file of a name, with everything that is wanted of it.

    Raises ValueError with one line where there is no such file, where it cannot be imported and
    where something is missing there.
    """
    allowed = names(room)
    if name not in allowed:
        raise ValueError(f"{room}: found {name!r}; allowed: {', '.join(allowed)}")
    path = LIBRARY / room / f"{name}.py"
    label = path.relative_to(LIBRARY.parent)
    try:
        module = importlib.import_module(f"{LIBRARY.name}.{room}.{name}")
    # Whatever a file of the user's own does when it is run, it shall be told in one line.
    except Exception as error:
        what = " ".join(str(error).split())
        place = f" line {line}" if (line := _line_of(error, path)) else ""
        raise ValueError(
            f"{label}{place}: cannot be imported: {type(error).__name__}: {what}"
        ) from error
    missing = [key for key in wanted if not hasattr(module, key)]
    if missing:
        raise ValueError(
            f"{label}: has no {' and no '.join(missing)}; a file in {path.parent.name} must have "
            f"{', '.join(wanted)}"
        )
    return module


def _line_of(error: Exception, path: Path) -> int | None:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path]
    return lines[-1] if lines else None
