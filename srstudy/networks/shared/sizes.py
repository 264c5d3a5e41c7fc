"""The sizes of a network: the values that its file allows, and the defaults.

    from srstudy.networks.shared.sizes import sizes
    sizes("srcnn", {})  # {"middle_kernel": 1}

Nothing here starts TensorFlow, so a check of params.yaml takes about a second.
"""

import inspect
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from srstudy.common.choices import chosen, failure, file_of, names
from srstudy.common.params import label, shown, unknown

ROOM = "networks"
KEY = "network_size"
WANTED = ("network", "SIZES", "BFLOAT16", "SOURCE")
ALWAYS = 2  # the first two arguments of every network's function: scale and interpolation
PLAIN = (bool, int, float, str)  # the types of sizes: files of weights store them as JSON


def sizes(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All sizes of a network, in the order of its file: the given values, else the defaults.

    The file's function has the defaults; its SIZES and `fault` define the allowed values. given:
    the network's entry of `network_size`. Raises ValueError with one line for an unknown network,
    an incomplete file, an unknown size or a value that is not allowed.
    """
    faults = _faults(name, given)
    if faults:
        raise ValueError(faults[0])
    return {**_defaults(_file(name)), **given}


def faults_of_entries(entries: Mapping[str, Any], wanted: Sequence[str]) -> list[str]:
    """One line per fault in the wanted entries of `network_size`."""
    faults = []
    for name in wanted:
        if name not in entries:
            faults.append(f'{KEY}: has no entry for {name!r}; add the line "  {name}: {{}}"')
        else:
            faults += _faults(name, entries[name])
    return faults


def faults_of_names(entries: Mapping[str, Any]) -> list[str]:
    """One line per entry of `network_size` without a file."""
    return [
        f"{KEY}.{label(name)}: there is no file srstudy/{ROOM}/{label(name)}.py; "
        f"allowed: {', '.join(names(ROOM))}"
        for name in entries
        if name not in names(ROOM)
    ]


def _file(name: str) -> ModuleType:
    return chosen(ROOM, name, WANTED)


def _faults(name: str, given: Any) -> list[str]:
    try:
        file = _file(name)
    except ValueError as error:
        return [f"{KEY}.{name}: {error}"]
    faults = _faults_of_file(file)
    if faults:
        return [f"{KEY}.{name}: {file_of(ROOM, name)}: {fault}" for fault in faults]
    if not isinstance(given, Mapping):
        found = f"{KEY}.{name}: found {shown(given)}"
        return [f"{found}; allowed: a mapping of {', '.join(file.SIZES) or 'nothing'}, as {{}}"]
    for key, value in given.items():
        if key not in file.SIZES:
            faults.append(unknown(f"{KEY}.{name}.{label(key)}", list(file.SIZES)))
        elif not _is_allowed(value, file.SIZES[key]):
            allowed = words(file.SIZES[key])
            faults.append(f"{KEY}.{name}.{key}: found {shown(value)}; allowed: {allowed}")
    if not faults and hasattr(file, "fault"):
        fault = _fault_between(name, file, {**_defaults(file), **given})
        faults += [f"{KEY}.{name}.{fault}"] if fault else []
    return faults


def _fault_between(name: str, file: ModuleType, all_sizes: dict[str, Any]) -> str | None:
    try:
        fault = file.fault(**all_sizes)
    except Exception as error:  # the function may be the user's own and raise anything
        return f"fault: {failure(ROOM, name, 'cannot be called with the sizes', error)}"
    if fault is None or isinstance(fault, str):
        return fault
    return f"fault: {file_of(ROOM, name)}: gives {shown(fault)}; allowed: None or a text"


def _faults_of_file(file: ModuleType) -> list[str]:
    """The faults of a network's file: SIZES and the arguments of `network` must fit each other."""
    if not isinstance(file.SIZES, dict):
        return [f"SIZES: found {shown(file.SIZES)}; allowed: a mapping from sizes to their values"]
    if not inspect.isfunction(file.network):
        return [f"network: found {shown(file.network)}; allowed: a function"]
    for key, kind in (("BFLOAT16", bool), ("SOURCE", str)):
        if not isinstance(value := getattr(file, key), kind):
            return [f"{key}: found {shown(value)}; allowed: a {kind.__name__}"]
    parameters = list(inspect.signature(file.network).parameters.values())
    if len(parameters) < ALWAYS:
        found = ", ".join(p.name for p in parameters)
        return [f"network: found ({found}); allowed: (scale, interpolation), then the sizes"]
    parameters = parameters[ALWAYS:]
    if {p.name for p in parameters} != set(file.SIZES):
        found = ", ".join(p.name for p in parameters) or "none"
        wanted = ", ".join(map(str, file.SIZES)) or "none"
        return [f"network: found the sizes {found} after scale, interpolation; SIZES has {wanted}"]
    faults = []
    for parameter in parameters:
        values = file.SIZES[parameter.name]
        plain = isinstance(values, range) or (
            isinstance(values, tuple) and all(type(v) in PLAIN for v in values)
        )
        if not plain or not len(values):
            faults.append(
                f"SIZES: found {shown(values)} for {parameter.name}; allowed: a range of whole "
                "numbers, or a tuple of numbers, words, true and false"
            )
        elif not _is_allowed(parameter.default, values):
            found = "no" if parameter.default is parameter.empty else shown(parameter.default)
            faults.append(
                f"network: found {found} as default of {parameter.name}; allowed: {words(values)}"
            )
    return faults


def _defaults(file: ModuleType) -> dict[str, Any]:
    parameters = inspect.signature(file.network).parameters
    return {key: parameters[key].default for key in file.SIZES}


def _is_allowed(value: Any, values: range | tuple[Any, ...]) -> bool:
    # The type is compared too: in Python, True == 1 and 1.0 == 1, but a size 1 means neither.
    if isinstance(values, range):
        return type(value) is int and value in values
    return any(type(value) is type(one) and value == one for one in values)


def words(values: range | tuple[Any, ...]) -> str:
    """The allowed values of a size, in words."""
    if isinstance(values, range):
        step = f", in steps of {values.step}" if abs(values.step) != 1 else ""
        return f"a whole number from {min(values)} to {max(values)}{step}"
    if set(map(type, values)) == {bool} and len(values) == 2:
        return "true or false"
    *others, last = (one if isinstance(one, str) else shown(one) for one in values)
    return f"{', '.join(others)} or {last}" if others else last
