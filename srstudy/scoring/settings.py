"""The settings of scores: the table, the self-ensembles, and the cascades.

A cascade is a network applied to its own output, until a larger scale is reached.
"""

from typing import Literal

from pydantic import Field

from srstudy.common.params import Slice
from srstudy.common.scales import SCALES
from srstudy.common.values import Scale
from srstudy.datasets.settings import NAMES_NOTE, Name


class SummarySettings(Slice):
    """Which results make up the table."""

    scales: list[Scale] = Field(min_length=1, description=f"a list out of {list(SCALES)}")
    test_sets: list[Name] = Field(min_length=1, description=NAMES_NOTE)


class MethodSettings(Slice):
    """Which networks are scored in more than one way.

    self_ensemble: the settings whose networks are scored a second time, as the mean over eight
    orientations; cascade_scales: the scales that are also reached in several steps.
    """

    self_ensemble: list[Literal["plain", "regularized"]] = Field(
        description="a list out of [plain, regularized], each once; [] for none"
    )
    cascade_scales: list[Scale] = Field(
        description=f"a list out of {list(SCALES)}, each once; [] for none"
    )


class CascadeSettings(Slice):
    """The network that is applied to its own output."""

    cascade_from: Scale = Field(description="one of scales, as 2")


def cascade_steps(base: int, scale: int) -> int:
    """How often a network of the scale `base` is applied to reach a scale.

    0 where it never gets there, or in one step, which is the network itself.
    """
    steps, reached = 0, 1
    while reached < scale:
        reached, steps = reached * base, steps + 1
    return steps if reached == scale and steps > 1 else 0
