"""The settings of the MNIST warm-up."""

from typing import Literal

from pydantic import Field

from srstudy.common.params import Section, Slice
from srstudy.common.values import MOST_STEPS, whole, within


class MnistSection(Section):
    """The student project's recipe: plain gradient descent on small batches."""

    steps: int = whole(least=1, most=MOST_STEPS)
    batch_size: int = whole(least=1, most=60_000)
    learning_rate: float = within(above=0, most=10)
    dropout: float = within(least=0, most=0.99)
    precision: Literal["auto", "bfloat16", "float32"] = Field(
        description="auto, bfloat16 or float32"
    )
    seed: int = Field(ge=0, lt=2**31, description="a whole number from 0 to 2147483647")


class MnistSettings(Slice):
    """The `mnist` section."""

    mnist: MnistSection = Field(
        description="{steps, batch_size, learning_rate, dropout, precision, seed}"
    )
