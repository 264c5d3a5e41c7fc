"""The settings of images: which, how they are degraded, cut to patches and scored."""

from typing import Annotated, Literal

from pydantic import Field

from stages.core.scales import SCALES
from stages.core.settings.reader import PER_SCALE_NOTE, Number, PerScale, Scale, Slice, within

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_]*(-[A-Za-z0-9_]+)*$", max_length=40)]
NAME_NOTE = "a name of letters, digits, '_' and single '-'"
Degradation = Literal["matlab", "opencv"]


class SynthesisSettings(Slice):
    """How LR images are made."""

    degradation: Degradation = Field(description="'matlab' or 'opencv'")


class CopiesSettings(Slice):
    """Which downscaled copies of the training images are trained on as well."""

    copies: list[Annotated[Number, Field(gt=0, lt=1, allow_inf_nan=False)]] = Field(
        description="a list of factors above 0 and below 1, each once; [] for none"
    )


class PatchSettings(Slice):
    """How the training images are split and cut."""

    patch_size: PerScale = Field(description=f"{PER_SCALE_NOTE}, a multiple of the scale")
    stride: PerScale = Field(description=f"{PER_SCALE_NOTE}, a multiple of the scale")
    validation_share: Number = within(least=0.01, most=0.5)


class EnsembleSettings(Slice):
    """Whether networks are scored a second time, as the mean over eight orientations."""

    self_ensemble: bool = Field(description="true or false")


class SummarySettings(Slice):
    """Which results make up the table."""

    scales: list[Scale] = Field(min_length=1, description=f"a list out of {list(SCALES)}")
    test_sets: list[Name] = Field(
        min_length=1, description=f"a list of names, each once; {NAME_NOTE}"
    )
