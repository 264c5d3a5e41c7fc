"""The settings that the report page names."""

from pydantic import Field

from stages.core.settings.data import NAME_NOTE, Name, SummarySettings, SynthesisSettings
from stages.core.settings.training import NetworkSettings, RegularizationSettings


class ReportSettings(SummarySettings, SynthesisSettings, NetworkSettings, RegularizationSettings):
    """What was studied."""

    train_set: Name = Field(description=NAME_NOTE)
