"""What params.yaml chooses by name: a network, a degradation, a loss is the file of that name.

A room of choices holds one file for each, and what several of them share in its folder `shared`.
Names come from listing the room; only the file that was asked for is imported.
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
    """The names that a room offers, sorted: those of its files.

    A name begins with a letter; letters, digits, `_` and `-` follow.
    """
    files = (path for path in (LIBRARY / room).glob("*.py") if path.is_file())
    return tuple(sorted(path.stem for path in files if NAME.fullmatch(path.stem)))


def file_of(room: str, name: str) -> str:
    """How messages call the file of a name."""
    return f"{LIBRARY.name}/{room}/{name}.py"


def chosen(room: str, name: str, wanted: tuple[str, ...]) -> ModuleType:
    """The file of a name, with everything that is wanted of it.

    Raises ChoiceError with one line where there is no such file, where it cannot be imported and
    where something is missing there.
    """
    allowed = names(room)
    if name not in allowed:
        raise ChoiceError(f"{room}: found {name!r}; allowed: {', '.join(allowed)}")
    try:
        module = importlib.import_module(f"{LIBRARY.name}.{room}.{name}")
    # Whatever a file of the user's own does when it is run, it shall be told in one line.
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
    """The one line for an error that a chosen file has raised, with the line in it."""
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
