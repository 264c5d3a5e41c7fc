"""The settings of the cascade: a network applied to its own output."""

from pydantic import Field

from stages.core.scales import SCALES
from stages.core.settings.reader import Scale, Slice


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
