"""Slices of params.yaml: values with types and bounds, and one line for every wrong value.

A stage reads one slice: `read(TrainSettings)`. The slice's fields are exactly the keys that
dvc.yaml lists as that stage's params. Some values have several entries, and a stage reads only one
of them (`epochs` by scale, `network_size` by network). Such a field is marked with `Entries`.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from srstudy.common.errors import InputError
from srstudy.common.yaml_file import load_yaml

PARAMS_FILE = Path("params.yaml")
_MISSING = object()  # a key without a value; None would be the value null


class Slice(BaseModel):
    """Some keys of params.yaml, with types and bounds; keys of other slices are ignored.

    renamed: old keys and their new names.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)
    renamed: ClassVar[dict[str, str]] = {}


class Section(BaseModel):
    """A nested mapping of params.yaml. It belongs to one slice; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


@dataclass(frozen=True)
class Entries:
    """Marks a field of which a stage reads only one entry: `Annotated[..., Entries("{key}")]`.

    template: the entry's name, with the stage's own value in braces; keys: the allowed entries,
    if they are fixed.
    """

    template: str
    keys: tuple[str, ...] = ()


SliceType = TypeVar("SliceType", bound=Slice)


def read(slice_type: type[SliceType], path: Path = PARAMS_FILE) -> SliceType:
    """The values of a slice, read from params.yaml. `InputError` has a line for each wrong key."""
    raw = load_yaml(path)
    try:
        return slice_type.model_validate(raw)
    except ValidationError as error:
        found = [line for detail in error.errors() for line in _lines(slice_type, raw, detail)]
        lines = dict.fromkeys(f"{path}: {line}" for line in found)
        raise InputError("\n".join(lines)) from error


def keys_of(slice_type: type[Slice]) -> set[str]:
    """The keys of params.yaml that a slice reads, as dvc.yaml writes them.

    A single entry is a dotted template: `epochs.x{scale}`, `network_size.{network}`.
    """
    keys = set()
    for name, field in slice_type.model_fields.items():
        entries = _entries(field)
        key = field.alias or name
        keys.add(f"{key}.{entries.template}" if entries else key)
    return keys


def refuse(faults: Sequence[str]) -> None:
    """For validators: raise the faults, if any. Each is one line `key: found ...; allowed: ...`."""
    if faults:
        raise PydanticCustomError("lines", "{lines}", {"lines": "\n".join(faults)})


def unknown(key: str, allowed: Sequence[str]) -> str:
    """The error line for an unknown key; `key` may be dotted."""
    close = difflib.get_close_matches(key.rpartition(".")[2], allowed, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{key}: unknown key{hint}; known: {', '.join(sorted(allowed))}"


def one_of_two(first: str, one: object, second: str, other: object) -> str | None:
    """The error line if both keys or neither key has a value; None if exactly one has."""
    if (one is None) != (other is None):
        return None
    found = "neither" if one is None else f"both, {shown(one)} and {shown(other)}"
    return f"{first}, {second}: found {found}; allowed: one of the two, and null for the other"


def label(key: object) -> str:
    """A key as an error message shows it, without line breaks."""
    return str(key) if str(key).isprintable() else repr(key)


def shown(value: object) -> str:
    """A value as an error message shows it; a long one is shortened."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _entries(field: FieldInfo) -> Entries | None:
    return next((mark for mark in field.metadata if isinstance(mark, Entries)), None)


def _lines(model: type[Slice], raw: dict[str, Any], detail: ErrorDetails) -> list[str]:
    """The lines for one error of pydantic: key, what was found, what is allowed."""
    if detail["type"] == "lines":
        return detail["msg"].splitlines()
    old = {new: before for before, new in model.renamed.items() if before in raw}
    if detail["type"] == "missing" and detail["loc"][0] in old:
        return []  # the old name already has a line
    return [_line(model, raw, detail)]


def _line(model: type[Slice], raw: dict[str, Any], detail: ErrorDetails) -> str:
    """Follows the error's location from the whole file inwards: to the wrong value, and in parallel
    to the field that says what is allowed."""
    keys: list[str] = []
    found: Any = raw
    allowed = ""
    inside: Any = model  # what `found` must be
    for step in detail["loc"]:
        if not isinstance(found, dict):
            break  # inside a list
        if step == "[key]":
            break
        keys.append(label(step))
        found = found.get(step, _MISSING)
        if not (isinstance(inside, type) and issubclass(inside, BaseModel)):
            allowed, inside = _note_of_entry(inside) or allowed, None
            continue
        fields = {f.alias or n: f for n, f in inside.model_fields.items()}
        key = ".".join(keys)
        if len(keys) == 1 and key in model.renamed:
            return f"{key}: is now {model.renamed[key]}"
        if str(step) not in fields:
            return unknown(key, list(fields))
        field = fields[str(step)]
        entries = _entries(field)
        if entries and entries.keys and detail["loc"][-1] == "[key]":
            return _wrong_entry(key, str(detail["loc"][-2]), entries)
        allowed, inside = field.description or allowed, field.annotation
    key = ".".join(keys)
    what = "nothing" if found is _MISSING else shown(found)
    return f"{key}: found {what}; allowed: {allowed or detail['msg']}"


def _wrong_entry(key: str, name: str, entries: Entries) -> str:
    """`epochs.2`, or `epochs.x5`."""
    if f"x{name}" in entries.keys:
        return f"{key}.{name}: is now {key}.x{name}"
    return unknown(f"{key}.{label(name)}", entries.keys)


def _note_of_entry(annotation: Any) -> str | None:
    """The allowed values of a mapping in words, if their type has a description."""
    if get_origin(annotation) is not dict:
        return None
    notes = [getattr(mark, "description", None) for mark in get_args(get_args(annotation)[1])]
    return next((note for note in notes if note), None)
