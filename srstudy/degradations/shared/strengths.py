"""Strengths of a degradation that are drawn anew for each training image, as noise's are.

A file of the folder above may have them: STRENGTHS, what params.yaml may say of each, as
(least, most); and a function `degrade_at_random(hr, scale, random, **strengths)`, whose defaults
they have: a number, or a pair for a range that is drawn from.
"""

import hashlib
import inspect
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from srstudy.common.choices import chosen, file_of, names
from srstudy.common.errors import ChoiceError
from srstudy.common.params import label, shown, unknown

ROOM, KEY, FUNCTION = "degradations", "strengths", "degrade_at_random"
ALWAYS = 3  # hr, scale and random: what the function is called with in any case
Bounds = tuple[float, float]


def draws(seed: int, *words: str) -> np.random.Generator:
    """Random numbers that depend on a seed and words, as an image's name, and on nothing else."""
    digest = hashlib.sha256("/".join(words).encode()).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest, np.uint32)])


def strengths(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The strengths of a degradation: those given, else its file's defaults.

    Empty where it has none. Raises ValueError with one line for what is not allowed.
    """
    file = chosen(ROOM, name, ())
    faults = _faults(name, file, given)
    if faults:
        raise ValueError(faults[0])
    values = {**_defaults(file), **given}
    return {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}


def faults_of_strengths(entries: Mapping[str, Any]) -> list[str]:
    """What is wrong with `strengths` in params.yaml, a line each."""
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
    defaults = _defaults(file)
    if set(defaults) != set(bounds):
        found, said = ", ".join(defaults) or "none", ", ".join(bounds) or "none"
        where = f"{KEY}.{name}: {file_of(ROOM, name)}"
        return [f"{where}: {FUNCTION}: found the strengths {found}; STRENGTHS says {said}"]
    if not isinstance(given, Mapping):
        allowed = f"a mapping of {', '.join(bounds) or 'nothing'}, as {{}}"
        return [f"{KEY}.{name}: found {shown(given)}; allowed: {allowed}"]
    faults = []
    for key, value in given.items():
        where = f"{KEY}.{name}.{label(key)}"
        if key not in bounds:
            faults.append(unknown(where, list(bounds)))
        elif not _is_allowed(value, bounds[key], isinstance(defaults[key], tuple)):
            allowed = _words(bounds[key], isinstance(defaults[key], tuple))
            faults.append(f"{where}: found {shown(value)}; allowed: {allowed}")
    return faults


def _defaults(file: ModuleType) -> dict[str, Any]:
    if not hasattr(file, FUNCTION):
        return {}
    parameters = list(inspect.signature(getattr(file, FUNCTION)).parameters.values())
    return {parameter.name: parameter.default for parameter in parameters[ALWAYS:]}


def _is_allowed(value: Any, bounds: Bounds, is_range: bool) -> bool:
    values = value if is_range else [value]
    if not isinstance(values, list | tuple) or len(values) != (2 if is_range else 1):
        return False
    kinds = (int,) if isinstance(bounds[0], int) else (int, float)
    least, most = bounds
    return all(type(v) in kinds and least <= v <= most for v in values) and values[0] <= values[-1]


def _words(bounds: Bounds, is_range: bool) -> str:
    """The values that a strength may have, for people."""
    kind = "whole number" if isinstance(bounds[0], int) else "number"
    between = f"from {bounds[0]:g} to {bounds[1]:g}"
    return f"two {kind}s {between}, the smaller first" if is_range else f"a {kind} {between}"
