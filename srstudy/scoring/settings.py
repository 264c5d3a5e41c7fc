"""The settings of scores: the table, the self-ensemble, and the cascade.

A cascade is a network applied to its own output, until a larger scale is reached.
"""

from pydantic import Field

from srstudy.common.params import Slice
from srstudy.common.scales import SCALES
from srstudy.common.values import Scale
from srstudy.datasets.settings import NAMES_NOTE, Name


class SummarySettings(Slice):
    """Which results make up the table."""

    scales: list[Scale] = Field(min_length=1, description=f"a list out of {list(SCALES)}")
    test_sets: list[Name] = Field(min_length=1, description=NAMES_NOTE)


class EnsembleSettings(Slice):
    """Whether networks are scored a second time, as the mean over eight orientations."""

    self_ensemble: bool = Field(description="true or false")


class CascadeSettings(Slice):
    """Which scales are also reached in several steps, and by which network."""

    cascade_from: Scale = Field(description="one of scales, as 2")
    cascade_scales: list[Scale] = Field(
        description=f"a list out of {list(SCALES)}, each once; [] for none"
    )


def cascade_steps(settings: CascadeSettings, scale: int) -> int:
    """How often the network is applied to reach a scale; 0 where no cascade is wanted."""
    steps, reached = 0, 1
    while reached < scale:
        reached, steps = reached * settings.cascade_from, steps + 1
    wanted = scale in settings.cascade_scales and reached == scale and steps > 1
    return steps if wanted else 0
