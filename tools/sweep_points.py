"""The points of a sweep: the settings in its YAML file, and the names of the experiments."""

import itertools
import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException
from omegaconf.errors import OmegaConfBaseException
from pydantic import ConfigDict, Field

from srstudy.common.errors import InputError
from srstudy.common.params import Slice, read, shown
from srstudy.scoring.evaluation import methods_at
from srstudy.scoring.metrics import METRICS, first_metric
from srstudy.study.settings import StudySettings, read_study
from tools.experiments import changed_params
from tools.repeats import digits_of

LARGEST = 1e300  # of a range
LONGEST = 80  # characters of a name, without its digits
RANGE = "a range: choice with a list, or uniform or log with [lowest, highest] (log: above 0)"
METRIC = (
    f"METRIC.TEST_SET.xSCALE.METHOD with {' or '.join(METRICS)}, such as "
    f"{first_metric()}.set5.x2.plain, or validation.xSCALE.SETTING.psnr"
)


class SweepFile(Slice):
    """The keys of a sweep's YAML file."""

    model_config = ConfigDict(extra="forbid")

    grid: dict[str, Any] = Field(min_length=1, description="keys of params.yaml with lists")
    draws: int = Field(1, ge=1, description="a whole number of at least 1")
    seed: int = Field(0, description="a whole number")
    fixed: dict[str, Any] = Field({}, description="keys of params.yaml with values")
    metric: str = Field(description=METRIC)


@dataclass(frozen=True)
class Point:
    """One experiment: its name, the values that vary, and all settings in the form for `-S`.

    stage: makes the metric; file: has it.
    """

    name: str
    values: Mapping[str, Any]
    settings: Mapping[str, str]
    metric: str
    stage: str
    file: str


def read_sweep(path: Path) -> list[Point]:
    """The points of a sweep's YAML file, each checked as in `make check`.

    `InputError` has a line for each fault of the file or of a point.
    """
    asked = read(SweepFile, path)
    if twice := sorted(asked.grid.keys() & asked.fixed.keys()):
        raise InputError(f"{path}: {', '.join(twice)}: allowed only in one of grid and fixed")
    points, faults = dict[str, Point](), list[str]()
    for values in _values(asked, path):
        settings = {key: text(value) for key, value in {**asked.fixed, **values}.items()}
        try:
            stage, file = source(asked.metric, _study(settings))
        except InputError as error:
            words = ", ".join(f"{key}={plain(value)}" for key, value in values.items())
            faults += [f"{path}: point {words}: {line}" for line in str(error).splitlines()]
        else:
            name = _name(values, {**settings, "stage": stage})
            # By name: equal points are one experiment.
            points[name] = Point(name, values, settings, asked.metric, stage, file)
    if faults:
        raise InputError("\n".join(dict.fromkeys(faults)))
    return [*points.values()]


def source(metric: str, study: StudySettings) -> tuple[str, str]:
    """The stage that makes a metric, and its JSON file; `InputError` if the study has no such."""
    scales = [f"x{scale}" for scale in study.scales]
    match metric.split("."):
        case ["validation", scale, "plain" | "regularized" as setting, "psnr"] if scale in scales:
            return f"train-{setting}@{scale[1:]}", f"metrics/validation/{scale}-{setting}.json"
        case [kind, test_set, scale, method] if kind in METRICS and scale in scales:
            if test_set in study.test_sets and method in methods_at(study, int(scale[1:])):
                return "summarize", "metrics/summary.json"
    keys = ("scales", "test_sets", "cascade_scales", "self_ensemble")
    made = ", ".join(f"{key} {getattr(study, key)}" for key in keys)
    raise InputError(f"metric: found {metric!r}; allowed with {made}: {METRIC}")


def text(value: object) -> str:
    """A value in the form for DVC's `-S`."""
    return json.dumps(value, ensure_ascii=False, default=str)


def plain(value: object) -> str:
    """A value in the form for messages, tables and names."""
    return value if isinstance(value, str) else text(value)


def _values(asked: SweepFile, path: Path) -> Iterator[dict[str, Any]]:
    """The values of each point: for each draw, all combinations; the last key changes fastest.

    A seed always draws the same values; with more draws, the first ones stay the same.
    """
    chance = random.Random(asked.seed)
    for _ in range(asked.draws):
        lists = [_list(entry, chance, f"{path}: grid.{key}") for key, entry in asked.grid.items()]
        for values in itertools.product(*lists):
            yield dict(zip(asked.grid, values, strict=True))


def _list(entry: Any, chance: random.Random, where: str) -> list[Any]:
    """A list as it is, or one value drawn from a range; numbers have four digits."""
    match entry:
        case [_, *_]:
            return entry
        case {"choice": [_, *_] as values, **others} if not others:
            return [chance.choice(values)]
        case {"uniform": [low, high], **others} if _rises(low, high) and not others:
            value = chance.uniform(low, high)
        case {"log": [low, high], **others} if _rises(0, low, high) and not others:
            value = low * (high / low) ** chance.random()
        case _:
            found = f"{where}: found {shown(entry)}"
            raise InputError(f"{found}; allowed: a list of at least one value, or {RANGE}")
    return [float(f"{value:.4g}")]


def _rises(*numbers: Any) -> bool:
    """Whether these are numbers, each larger than the one before, and not too large for a float."""
    if any(type(number) not in (int, float) or abs(number) > LARGEST for number in numbers):
        return False
    return all(one < other for one, other in itertools.pairwise(numbers))


def _name(values: Mapping[str, Any], settings: Mapping[str, str]) -> str:
    """The values, in characters that git and a shell accept, and the digits of all settings."""
    words = "-".join(f"{key}-{plain(value)}" for key, value in values.items())
    safe = re.sub(r"\.\.+|[^A-Za-z0-9.]+", "-", words)[:LONGEST].strip("-.")
    return f"{safe}-{digits_of(settings)}"


def _study(settings: Mapping[str, str]) -> StudySettings:
    """params.yaml with the settings of a point; `InputError` has a line for each fault."""
    try:
        with changed_params(settings) as params:
            return read_study(params)
    except InputError as error:
        raise InputError(str(error).replace(f"{params}: ", "")) from error
    except (DvcException, OmegaConfBaseException) as error:
        first, *_ = str(error.__cause__ or error).splitlines()
        raise InputError(f"DVC cannot set it: {first}") from error
