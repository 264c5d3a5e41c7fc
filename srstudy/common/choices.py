"""Networks, degradations and losses are chosen by name: the name in params.yaml is a file's name.

Such a room holds one file per choice. Its folder `shared` holds the code that several of them use.
The allowed names are the files of the room. Only the chosen file is imported.
"""

import importlib
import re
import traceback
from pathlib import Path
from types import ModuleType

from srstudy.common.errors import ChoiceError

LIBRARY = Path(__file__).parents[1]
NAME = re.compile(r"[A-Za-z][\w-]*")


def names(room: str) -> tuple[str, ...]:
    """The names of a room's files, sorted.

    A name begins with a letter, followed by letters, digits, `_` and `-`.
    """
    files = (path for path in (LIBRARY / room).glob("*.py") if path.is_file())
    return tuple(sorted(path.stem for path in files if NAME.fullmatch(path.stem)))


def file_of(room: str, name: str) -> str:
    """The path of a name's file, as messages show it."""
    return f"{LIBRARY.name}/{room}/{name}.py"


def chosen(room: str, name: str, wanted: tuple[str, ...]) -> ModuleType:
    """The module of a name; it must define every name in `wanted`.

    Raises ChoiceError with one line if there is no such file, if it cannot be imported, or if
    it lacks a wanted name.
    """
    allowed = names(room)
    if name not in allowed:
        raise ChoiceError(f"{room}: found {name!r}; allowed: {', '.join(allowed)}")
    try:
        module = importlib.import_module(f"{LIBRARY.name}.{room}.{name}")
    # The file may be the user's own. Whatever it raises must be reported in one line.
    except (Exception, SystemExit) as error:
        raise failure(room, name, "cannot be imported", error) from error
    missing = [key for key in wanted if not hasattr(module, key)]
    if missing:
        raise ChoiceError(
            f"{file_of(room, name)}: has no {' and no '.join(missing)}; a file in {room} must have "
            f"{', '.join(wanted)}"
        )
    return module


def failure(room: str, name: str, what: str, error: BaseException) -> ChoiceError:
    """One line for an error that a chosen file raised, with the line number in that file."""
    place = f" line {line}" if (line := _line_of(error, LIBRARY / room / f"{name}.py")) else ""
    words = " ".join(str(error).split())
    words = words if len(words) <= 300 else f"{words[:297]}..."
    return ChoiceError(f"{file_of(room, name)}{place}: {what}: {type(error).__name__}: {words}")


def _line_of(error: BaseException, path: Path) -> int | None:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path]
    return lines[-1] if lines else None
