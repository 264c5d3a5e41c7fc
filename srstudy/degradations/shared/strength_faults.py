"""The checks of `strengths` in params.yaml: one line for each wrong value."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from srstudy.common.choices import chosen, file_of, names
from srstudy.common.errors import ChoiceError
from srstudy.common.params import label, shown, unknown
from srstudy.degradations.shared.strengths import FUNCTION, ROOM, defaults

KEY = "strengths"
Bounds = tuple[float, float]


def faults_of_strengths(entries: Mapping[str, Any]) -> list[str]:
    """One line for each wrong value of `strengths` in params.yaml."""
    faults = []
    for name, given in entries.items():
        if name not in names(ROOM):
            faults.append(
                f"{KEY}.{label(name)}: there is no file srstudy/{ROOM}/{label(name)}.py; "
                f"allowed: {', '.join(names(ROOM))}"
            )
            continue
        try:
            faults += _faults(name, chosen(ROOM, name, ()), given)
        except ChoiceError as error:
            faults.append(f"{KEY}.{name}: {error}")
    return faults


def _faults(name: str, file: ModuleType, given: Any) -> list[str]:
    bounds: Mapping[str, Bounds] = getattr(file, "STRENGTHS", {})
    known = defaults(file)
    if set(known) != set(bounds):
        found, said = ", ".join(known) or "none", ", ".join(bounds) or "none"
        where = f"{KEY}.{name}: {file_of(ROOM, name)}"
        return [f"{where}: {FUNCTION}: found the strengths {found}; STRENGTHS lists {said}"]
    if not isinstance(given, Mapping):
        allowed = f"a mapping of {', '.join(bounds) or 'nothing'}, as {{}}"
        return [f"{KEY}.{name}: found {shown(given)}; allowed: {allowed}"]
    faults = []
    for key, value in given.items():
        where = f"{KEY}.{name}.{label(key)}"
        if key not in bounds:
            faults.append(unknown(where, list(bounds)))
        elif not _is_allowed(value, bounds[key], isinstance(known[key], tuple)):
            allowed = _words(bounds[key], isinstance(known[key], tuple))
            faults.append(f"{where}: found {shown(value)}; allowed: {allowed}")
    return faults


def _is_allowed(value: Any, bounds: Bounds, is_range: bool) -> bool:
    values = value if is_range else [value]
    if not isinstance(values, list | tuple) or len(values) != (2 if is_range else 1):
        return False
    kinds = (int,) if isinstance(bounds[0], int) else (int, float)
    least, most = bounds
    return all(type(v) in kinds and least <= v <= most for v in values) and values[0] <= values[-1]


def _words(bounds: Bounds, is_range: bool) -> str:
    """The allowed values of a strength, in words."""
    kind = "whole number" if isinstance(bounds[0], int) else "number"
    between = f"from {bounds[0]:g} to {bounds[1]:g}"
    return f"two {kind}s {between}, the smaller first" if is_range else f"a {kind} {between}"
