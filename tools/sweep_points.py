"""The points of a sweep: the settings in its YAML file, and the names of the experiments.

A setting is a key of params.yaml, with dots; a value has the usual form of YAML.
"""

import itertools
import random
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from dvc.exceptions import DvcException
from dvc.utils.hydra import apply_overrides
from omegaconf.errors import OmegaConfBaseException
from pydantic import ConfigDict, Field, field_validator

from srstudy.common.errors import InputError
from srstudy.common.params import PARAMS_FILE, Slice, one_of_two, read, refuse, shown
from srstudy.common.yaml_file import load_yaml
from srstudy.study.settings import read_study
from tools import sweep_metric
from tools.experiments import overrides
from tools.repeats import digits_of

LONGEST = 80  # characters of a name, without its digits
MOST = 1000  # points
SETTINGS = "keys of params.yaml, each with"
RANGES = ("uniform", "log", "whole")
Values = Annotated[list[Any], Field(min_length=1)]


class SweepFile(Slice):
    """The keys of a sweep's YAML file."""

    model_config = ConfigDict(extra="forbid")

    grid: dict[str, Values] | None = Field(
        None, min_length=1, description=f"{SETTINGS} a list of at least one value"
    )
    random: dict[str, Any] | None = Field(
        None, min_length=1, description=f"{SETTINGS} a list of values or a range"
    )
    draws: int = Field(1, ge=1, le=MOST, description=f"a whole number from 1 to {MOST}")
    seed: int = Field(0, ge=0, description="a whole number of at least 0")
    fixed: dict[str, Any] = Field({}, description=f"{SETTINGS} a value")
    targets: list[str] = Field([], description="a list of stages")
    metric: str | None = Field(None, description=sweep_metric.WORDS)

    @field_validator("random")
    @classmethod
    def _check_ranges(cls, entries: dict[str, Any] | None) -> dict[str, Any] | None:
        refuse(
            [
                f"random.{key}: found {shown(entry)}; allowed: a list of at least one value, or "
                f"one of {', '.join(RANGES)} with [lowest, highest]; for log, both above 0"
                for key, entry in (entries or {}).items()
                if not (isinstance(entry, list) and entry) and not _is_range(entry)
            ]
        )
        return entries

    @field_validator("targets")
    @classmethod
    def _check_targets(cls, names: list[str]) -> list[str]:
        known = load_yaml(Path("dvc.yaml"))["stages"]
        unknown = [name for name in names if name.partition("@")[0] not in known]
        refuse([f"targets: found {name!r}; allowed: stages of dvc.yaml" for name in unknown])
        return names


@dataclass(frozen=True)
class Point:
    """One experiment: its name, the values that vary between points, and all its settings.

    settings: values in the form for `-S`, including the fixed ones.
    """

    name: str
    values: Mapping[str, Any]
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Sweep:
    """All points, the stages that each point runs, and the metric for the table."""

    points: Sequence[Point]
    targets: Sequence[str]
    metric: str


def read_sweep(path: Path) -> Sweep:
    """The sweep of a YAML file; each of its points is checked as in `make check`.

    `InputError` has a line for each fault; points with the same fault share a line.
    """
    asked = read(SweepFile, path)
    faults = [one_of_two("grid", asked.grid, "random", asked.random)]
    if ("draws" in asked.model_fields_set) != (asked.random is not None):
        faults.append("draws: allowed: a whole number, only together with random")
    twice = asked.fixed.keys() & {**(asked.grid or {}), **(asked.random or {})}.keys()
    faults += [f"fixed.{key}: is also in grid or random; allowed: only in one" for key in twice]
    if lines := [f"{path}: {fault}" for fault in faults if fault]:
        raise InputError("\n".join(lines))
    metric = asked.metric or sweep_metric.default()
    targets = list(dict.fromkeys([*asked.targets, sweep_metric.stage_of(metric)]))
    points: dict[str, Point] = {}
    combined = _combined(asked.grid) if asked.grid else _drawn(asked)
    for values in itertools.islice(combined, MOST + 1):
        settings = {key: text(value) for key, value in {**asked.fixed, **values}.items()}
        name = _name(values, {**settings, "targets": sorted(targets)})
        points[name] = Point(name, values, settings)
    if len(points) > MOST:
        raise InputError(f"{path}: found more than {MOST} points; allowed: at most {MOST}")
    sweep = Sweep(list(points.values()), targets, metric)
    _refuse_wrong(sweep, path)
    return sweep


def text(value: object) -> str:
    """A value in the form for DVC's `-S`."""
    match value:
        case None | bool():
            return shown(value)
        case int() | float():
            return repr(value)
        case list():
            return f"[{', '.join(map(text, value))}]"
        case dict():
            return f"{{{', '.join(f'{key}: {text(entry)}' for key, entry in value.items())}}}"
    # For Hydra, a backslash is an escape only before a quotation mark.
    inner = re.sub(r'(\\*)("|$)', lambda m: m[1] * 2 + m[2].replace('"', '\\"'), str(value))
    return f'"{inner}"'


def plain(value: object) -> str:
    """A value in the form for messages, tables and names."""
    return value if isinstance(value, str) else text(value)


def _is_range(entry: Any) -> bool:
    match entry:
        case {"uniform": [int() | float() as low, int() | float() as high]}:
            least = -float("inf")
        case {"log": [int() | float() as low, int() | float() as high]}:
            least = 0
        case {"whole": [int() as low, int() as high]}:
            least = -float("inf")
        case _:
            return False
    return len(entry) == 1 and least < low < high < float("inf")


def _combined(grid: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Every combination of the values in the lists; the last key changes fastest."""
    for values in itertools.product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def _drawn(asked: SweepFile) -> Iterator[dict[str, Any]]:
    """Random values, always the same for a seed; with more draws, the first ones stay the same."""
    chance = random.Random(asked.seed)
    for _ in range(asked.draws):
        yield {key: _draw(entry, chance.random()) for key, entry in (asked.random or {}).items()}


def _draw(entry: Any, share: float) -> Any:
    """The value at a share (0 .. 1) of a list or a range; numbers have four digits."""
    if isinstance(entry, list):
        return entry[int(share * len(entry))]
    ((kind, (low, high)),) = entry.items()
    if kind == "whole":
        return low + int(share * (high - low + 1))
    value = low * (high / low) ** share if kind == "log" else low + share * (high - low)
    return float(f"{value:.4g}")


def _name(values: Mapping[str, Any], settings: Mapping[str, object]) -> str:
    """A name from the values, in characters that git and a shell accept, and the digits of all
    settings."""
    words = "-".join(f"{key}-{plain(value)}" for key, value in values.items())
    safe = re.sub(r"\.\.+|[^A-Za-z0-9.]+", "-", words)[:LONGEST].strip("-.")
    return f"{safe}-{digits_of(settings)}"


def _refuse_wrong(sweep: Sweep, path: Path) -> None:
    """`InputError` with a line for each fault of a point."""
    points_of: dict[str, list[Point]] = {}
    for point in sweep.points:
        for fault in _faults(point, sweep.metric):
            points_of.setdefault(fault, []).append(point)
    lines = []
    for fault, (first, *more) in points_of.items():
        values = ", ".join(f"{key}={plain(value)}" for key, value in first.values.items())
        others = f" (and {len(more)} more)" if more else ""
        lines.append(f"{path}: point {values}{others}: {fault}")
    if lines:
        raise InputError("\n".join(lines))


def _faults(point: Point, metric: str) -> list[str]:
    """The faults of params.yaml with the changes of the point."""
    with TemporaryDirectory() as folder:
        params = Path(folder) / PARAMS_FILE
        shutil.copy(PARAMS_FILE, params)
        try:
            apply_overrides(params, overrides(point.settings))
            return sweep_metric.faults(metric, read_study(params))
        except InputError as error:
            return [line.removeprefix(f"{params}: ") for line in str(error).splitlines()]
        except (DvcException, OmegaConfBaseException) as error:
            first, *_ = str(error.__cause__ or error).splitlines()
            return [f"DVC cannot set it: {first}"]
