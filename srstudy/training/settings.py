"""The settings of the training stages."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from srstudy.common.params import Entries, Slice, one_of_two, refuse
from srstudy.common.values import (
    MOST_EPOCHS,
    MOST_STEPS,
    CountPerScale,
    EpochsPerScale,
    RatePerScale,
    StepsPerScale,
    choice_field,
    is_file_of,
    per_scale,
    whole,
    within,
)
from srstudy.networks.shared.sizes import faults_of_entries, sizes

# The value of start_from for random weights. It is a file, because DVC checks this path as a dep.
FRESH = "weights/fresh"


class NetworkSettings(Slice):
    """The network and its training, without the budget."""

    network: Annotated[str, is_file_of("networks")] = choice_field("networks")
    network_size: Annotated[dict[str, Any], Entries("{network}")] = Field(
        description="a mapping with one entry for each network, as in {edsr: {}}"
    )
    batch_size: CountPerScale = per_scale("x2: 16, x4: 8")
    loss: Annotated[str, is_file_of("losses")] = choice_field("losses")
    optimizer: Literal["muon", "adam"] = Field(description="muon or adam")
    learning_rate: RatePerScale = per_scale("x2: 0.002, x4: 0.0007")
    warmup_share: float = within(least=0, most=0.5)
    gradient_clip: float = within(above=0, most=1000)
    ema: float = within(least=0, most=0.9999)
    flips_and_rotations: bool = Field(description="true or false")
    precision: Literal["auto", "bfloat16", "float32"] = Field(
        description="auto, bfloat16 or float32"
    )
    seed: int = whole(least=0, most=2**31 - 1)

    @field_validator("network_size")
    @classmethod
    def _check_sizes(cls, entries: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        # Only the chosen network's entry: DVC does not run the stage again for the others.
        network = info.data.get("network")
        refuse(faults_of_entries(entries, [network] if network else []))
        return entries

    @property
    def size(self) -> dict[str, Any]:
        """All sizes of the chosen network: the given values, else the defaults."""
        return sizes(self.network, self.network_size[self.network])


class PretrainSettings(NetworkSettings):
    """The training from which all networks start; exactly one of its two budgets is given."""

    start_from: str = Field(min_length=1, description=f"{FRESH}, or a file of weights")
    pretrain_epochs: int | None = whole(least=0, most=MOST_EPOCHS, or_null=True)
    pretrain_steps: int | None = whole(least=1, most=MOST_STEPS, or_null=True)

    @property
    def start(self) -> Path | None:
        """The file of weights from which the pretraining starts; None for fresh weights."""
        return None if self.start_from == FRESH else Path(self.start_from)


class TrainSettings(NetworkSettings):
    """The settings of plain and regularized trainings; each scale has exactly one budget."""

    epochs: EpochsPerScale = per_scale("x2: 2, x4: null")
    steps: StepsPerScale = per_scale("x2: null, x4: 20000")
    final_rate_share: float = within(least=0, most=1)


class RegularizationSettings(Slice):
    """The weight of the smoothness term; only the regularized setting reads it."""

    lambda_: float = Field(
        alias="lambda",
        ge=0,
        le=1000,
        allow_inf_nan=False,
        description="a number of at least 0 and at most 1000",
    )


def pretraining_fault(settings: PretrainSettings) -> str | None:
    """The error line unless exactly one of the pretraining's epochs and steps is given."""
    epochs, steps = settings.pretrain_epochs, settings.pretrain_steps
    return one_of_two("pretrain_epochs", epochs, "pretrain_steps", steps)


def budget_fault(settings: TrainSettings, scale: int) -> str | None:
    """The error line unless exactly one of a scale's epochs and steps is given."""
    epochs, steps = settings.epochs.get(scale), settings.steps.get(scale)
    return one_of_two(f"epochs.x{scale}", epochs, f"steps.x{scale}", steps)
