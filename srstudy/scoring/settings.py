"""The settings of scores: the table, the self-ensembles, and the cascades.

A cascade is a network applied again to its own output until a larger scale is reached.
"""

from typing import Literal

from pydantic import Field

from srstudy.common.params import Slice
from srstudy.common.scales import SCALES
from srstudy.common.values import Scale
from srstudy.datasets.settings import NAMES_NOTE, Name


class SummarySettings(Slice):
    """The results in the table."""

    scales: list[Scale] = Field(min_length=1, description=f"a list out of {list(SCALES)}")
    test_sets: list[Name] = Field(min_length=1, description=NAMES_NOTE)


class MethodSettings(Slice):
    """Which networks are scored in more than one way.

    self_ensemble: the settings (plain, regularized) whose networks are also scored as the mean over
    eight orientations; cascade_scales: the scales that a cascade also reaches.
    """

    self_ensemble: list[Literal["plain", "regularized"]] = Field(
        description="a list out of [plain, regularized], each once; [] for none"
    )
    cascade_scales: list[Scale] = Field(
        description=f"a list out of {list(SCALES)}, each once; [] for none"
    )


class CascadeSettings(Slice):
    """The network that is applied again to its own output."""

    cascade_from: Scale = Field(description="one of scales, for example 2")


def cascade_steps(base: int, scale: int) -> int:
    """How many times a network of scale `base` is applied to reach `scale`.

    0 if it cannot reach the scale, or if one step is enough (the network itself).
    """
    steps, reached = 0, 1
    while reached < scale:
        reached, steps = reached * base, steps + 1
    return steps if reached == scale and steps > 1 else 0
