"""The settings of images: the names of data sets, and the downscaled copies for training."""

from typing import Annotated

from pydantic import Field

from srstudy.common.params import Slice

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_]*(-[A-Za-z0-9_]+)*$", max_length=40)]

NAME_NOTE = "a name of letters, digits, '_' and single '-'"
NAMES_NOTE = f"a list of names, each once; {NAME_NOTE}"


class DownscaledCopiesSettings(Slice):
    """The downscaled copies of the training images that are also used for training."""

    downscaled_copies: list[Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]] = Field(
        description="a list of factors above 0 and below 1, each once; [] for none"
    )
