"""The settings that the report page shows."""

from typing import Annotated

from pydantic import Field

from srstudy.common.values import choice_field, is_file_of
from srstudy.datasets.settings import NAME_NOTE, Name
from srstudy.degradations.shared.settings import SynthesisSettings
from srstudy.scoring.settings import MethodSettings, SummarySettings
from srstudy.training.settings import RegularizationSettings


class ReportSettings(SummarySettings, MethodSettings, SynthesisSettings, RegularizationSettings):
    """What was studied."""

    network: Annotated[str, is_file_of("networks")] = choice_field("networks")
    train_set: Name = Field(description=NAME_NOTE)
