"""The settings of how LR images are made."""

from typing import Annotated, Any

from pydantic import Field, field_validator

from srstudy.common.params import Slice, refuse
from srstudy.common.values import choice_field, is_file_of, whole
from srstudy.degradations.shared.strength_faults import faults_of_strengths


class SynthesisSettings(Slice):
    """The degradation, which also determines the evaluation protocol."""

    degradation: Annotated[str, is_file_of("degradations")] = choice_field("degradations")


class StrengthSettings(Slice):
    """The ranges and the seed of the random strengths of training images."""

    strengths: dict[str, Any] = Field(description="a mapping from degradations to their strengths")
    strength_seed: int = whole(least=0, most=2**31 - 1)

    @field_validator("strengths")
    @classmethod
    def _check_strengths(cls, entries: dict[str, Any]) -> dict[str, Any]:
        refuse(faults_of_strengths(entries))
        return entries
