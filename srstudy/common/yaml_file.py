"""params.yaml is read with the parser that DVC uses.

So `seed: 010`, `yes` and `1e-5` mean the same to a stage and to DVC, which records the values.
"""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, Event

from srstudy.common.errors import InputError

LARGEST = 100_000  # bytes
DEEPEST = 20  # levels of nested mappings and lists


def load_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; its keys are names or whole numbers.

    `InputError` names the file, the line and the fault: a missing or too large file, invalid YAML,
    a key given twice, and syntax that hides a value from the reader (anchors, tags, merge keys).
    """
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
        if len(raw) > LARGEST:
            raise InputError(f"{path}: found over {LARGEST} bytes; allowed: at most {LARGEST}")
        text = raw.decode("utf-8")
        _check_events(text, path)
        # The same call as in dvc.utils.serialize.
        content = YAML(typ="safe").load(text)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" line {mark.line + 1}:" if mark else ""
        what = error.problem or error.context or "broken"
        raise InputError(f"{path}:{where} is not valid YAML: {_one_line(what)}") from error
    # ValueError: not UTF-8, or a date or number that Python does not accept.
    except (YAMLError, ValueError) as error:
        raise InputError(f"{path}: is not valid YAML: {_one_line(str(error))}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: found {type(content).__name__}; allowed: keys with values")
    _check_keys(content, path)
    return content


def _check_events(text: str, path: Path) -> None:
    """Refuse everything but plain values, before any object is built.

    Nested aliases could need unlimited memory, and a deeply nested file exceeds Python's recursion
    limit.
    """
    depth = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        fault = _event_fault(event)
        depth += isinstance(event, CollectionStartEvent)
        depth -= isinstance(event, CollectionEndEvent)
        if depth > DEEPEST:
            fault = f"found too many levels of nested values; allowed: at most {DEEPEST}"
        if fault:
            line = event.start_mark.line + 1
            raise InputError(f"{path}: line {line}: {fault}")


def _event_fault(event: Event) -> str | None:
    name = getattr(event, "anchor", None)
    if name or isinstance(event, AliasEvent):
        return f"anchors and aliases (here {name!r}) are not allowed: write the value out"
    if tag := getattr(event, "tag", None):
        return f"tags (here {str(tag)!r}) are not allowed: write the plain value"
    if getattr(event, "value", None) == "<<":
        return "merged keys ('<<') are not allowed: write the values out"
    return None


def _check_keys(content: Any, path: Path) -> None:
    if isinstance(content, list):
        for value in content:
            _check_keys(value, path)
    if isinstance(content, dict):
        for key, value in content.items():
            if type(key) not in (str, int):
                raise InputError(
                    f"{path}: found {key!r} as a key; a key must be a name or a number"
                )
            _check_keys(value, path)


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:197]}..."
