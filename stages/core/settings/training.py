"""The settings of the training stages."""

from typing import Literal, Self

from pydantic import Field, model_validator

from stages.core.orientations import ORIENTATIONS
from stages.core.settings.reader import (
    PER_SCALE_NOTE,
    RATE_NOTE,
    Number,
    PerScale,
    PerScaleRate,
    Section,
    Slice,
    whole,
    within,
)


class SrcnnSize(Section):
    """SRCNN 9-1-5 or 9-5-5 (the middle kernel), 64 and 32 filters as published."""

    middle_kernel: Literal[1, 3, 5] = Field(description="1, 3 or 5")


class FsrcnnSize(Section):
    """FSRCNN(d, s, m): feature, shrunk and mapping sizes; (56, 12, 4) as published."""

    features: int = whole(least=1, most=512)
    shrunk: int = whole(least=1, most=512)
    mapping_layers: int = whole(least=0, most=64)


class EspcnSize(Section):
    """ESPCN's two hidden layers; 64 and 32 as published."""

    first: int = whole(least=1, most=512)
    second: int = whole(least=1, most=512)


class VdsrSize(Section):
    """VDSR's equal layers; 20 of 64 channels as published."""

    channels: int = whole(least=1, most=512)
    layers: int = whole(least=2, most=64)


class EdsrSize(Section):
    """The small residual network in LR space: channels, and residual blocks of two layers."""

    channels: int = whole(least=1, most=512)
    blocks: int = whole(least=1, most=64)
    equivariant: bool = Field(description="true or false")

    @model_validator(mode="after")
    def _whole_fields(self) -> Self:
        if self.equivariant and self.channels % ORIENTATIONS:
            raise ValueError("channels in fields")
        return self


class ProgressiveSize(EdsrSize):
    """The same, of the step that is applied again."""


RESIDUAL_NOTE = "{channels, blocks, equivariant}, channels a multiple of 8 where equivariant"


class NetworkSizes(Section):
    """One entry for each network; only that of the chosen one takes effect."""

    srcnn: SrcnnSize = Field(description="{middle_kernel}")
    fsrcnn: FsrcnnSize = Field(description="{features, shrunk, mapping_layers}")
    espcn: EspcnSize = Field(description="{first, second}")
    vdsr: VdsrSize = Field(description="{channels, layers}")
    edsr: EdsrSize = Field(description=RESIDUAL_NOTE)
    progressive: ProgressiveSize = Field(description=RESIDUAL_NOTE)


class NetworkSettings(Slice):
    """The network, and how it is trained but for how long."""

    network: Literal["srcnn", "fsrcnn", "espcn", "vdsr", "edsr", "progressive"] = Field(
        description="srcnn, fsrcnn, espcn, vdsr, edsr or progressive"
    )
    network_size: NetworkSizes = Field(description="one entry for each network")
    batch_size: PerScale = Field(description=PER_SCALE_NOTE)
    loss: Literal["mse", "charbonnier"] = Field(description="mse or charbonnier")
    optimizer: Literal["muon", "adam"] = Field(description="muon or adam")
    learning_rate: PerScaleRate = Field(description=RATE_NOTE)
    warmup_share: Number = within(least=0, most=0.5)
    gradient_clip: Number = within(above=0, most=1000)
    ema: Number = within(least=0, most=0.9999)
    flips_and_rotations: bool = Field(description="true or false")
    precision: Literal["auto", "bfloat16", "float32"] = Field(
        description="auto, bfloat16 or float32"
    )
    seed: int = Field(ge=0, lt=2**31, description="a whole number from 0 to 2147483647")


class PretrainSettings(NetworkSettings):
    """The training that all networks start from."""

    pretrain_epochs: int = whole(least=0, most=100_000)


class TrainSettings(NetworkSettings):
    """What both settings, plain and regularized, train with."""

    epochs: PerScale = Field(description=PER_SCALE_NOTE)
    final_rate_share: Number = within(least=0, most=1)


class RegularizationSettings(Slice):
    """The weight of the smoothness term: read for the regularized setting only."""

    lambda_: Number = Field(
        alias="lambda",
        ge=0,
        le=1000,
        allow_inf_nan=False,
        description="a number of at least 0 and at most 1000",
    )
