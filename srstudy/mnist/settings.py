"""The settings of the MNIST warm-up."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from srstudy.common.params import Section, Slice, refuse
from srstudy.common.values import MOST_STEPS, whole, within


class MnistRecipe(Section):
    """The student project's recipe: plain gradient descent on small batches."""

    steps: int = whole(least=1, most=MOST_STEPS)
    batch_size: int = whole(least=1, most=60_000)
    learning_rate: float = within(above=0, most=10)
    dropout: float = within(least=0, most=0.99)
    precision: Literal["auto", "bfloat16", "float32"] = Field(
        description="auto, bfloat16 or float32"
    )


class MnistSection(MnistRecipe):
    """The recipe and its seeds: one warm-up per seed, none for []."""

    seeds: list[Annotated[int, Field(ge=0, lt=2**31)]] = Field(
        description="a list of whole numbers from 0 to 2147483647, each once; [] for no warm-up"
    )

    @model_validator(mode="before")
    @classmethod
    def _tell_the_old_key(cls, values: Any) -> Any:
        if isinstance(values, dict) and "seed" in values:
            refuse(["mnist.seed: is now mnist.seeds, a list"])
        return values

    def recipe(self) -> MnistRecipe:
        """What a warm-up depends on, without the list of seeds: it may change without a rerun."""
        return MnistRecipe(**{key: getattr(self, key) for key in MnistRecipe.model_fields})


class MnistSettings(Slice):
    """The `mnist` section."""

    mnist: MnistSection = Field(
        description="{seeds, steps, batch_size, learning_rate, dropout, precision}"
    )
