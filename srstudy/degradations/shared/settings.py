"""The settings of how LR images are made."""

from typing import Annotated

from srstudy.common.params import Slice
from srstudy.common.values import choice_field, is_file_of


class SynthesisSettings(Slice):
    """The degradation, and with it the protocol that scores it."""

    degradation: Annotated[str, is_file_of("degradations")] = choice_field("degradations")
