"""The published figures in tools/published.yaml, each with its source."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

# The metrics of a figure such as 37.53/0.9587, in this order; "-" means that there is no value.
METRICS = ("psnr", "ssim")
NONE = "-"
# The figures may only be compared with scores of this degradation: others give other numbers.
PROTOCOL = "matlab"


@dataclass(frozen=True)
class Figure:
    """A published mean of a method on a test set at a scale ("x2"), with its printed digits.

    source: the citation of the paper or table.
    """

    method: str
    test_set: str
    scale: str
    text: str
    source: str


def figures(metric: str) -> list[Figure]:
    """All published figures of a metric, in the order of the file; [] for an unknown metric."""
    content = _content()
    return [
        Figure(method, test_set, scale, text, content["sources"][source]["citation"])
        for method, source, test_set, scale, cell in _cells(content["literature"])
        for key, text in zip(METRICS, cell.split("/"), strict=True)
        if key == metric and text != NONE
    ]


@dataclass(frozen=True)
class Cost:
    """The cost of a method: parameters in thousands, multiply-adds in 10^9 by scale ("x2")."""

    parameters: float
    multiply_adds: dict[str, float]


def costs() -> dict[str, Cost]:
    """The costs of published methods, for an output of 1280 x 720 pixels."""
    found = _content()["costs"]
    return {name: Cost(**cost) for name, cost in found.items() if name != "source"}


def student() -> dict[str, dict[str, float]]:
    """The student project's PSNR in dB on Set5 x2, by method and image."""
    return _content()["student"]


def _cells(literature: dict[str, Any]) -> Iterator[tuple[str, str, str, str, str]]:
    for method, sources in literature.items():
        for source, test_sets in sources.items():
            for test_set, scales in test_sets.items():
                for scale, cell in scales.items():
                    yield method, source, test_set, scale, cell


@cache
def _content() -> dict[str, Any]:
    return yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
