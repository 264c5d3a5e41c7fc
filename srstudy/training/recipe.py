"""The recipe of a training: all its settings, without the data, as one object."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from srstudy.common.errors import InputError
from srstudy.common.params import one_of_two
from srstudy.common.values import at_scale
from srstudy.networks.shared.architecture import Architecture
from srstudy.training.settings import NetworkSettings


@dataclass(frozen=True)
class Recipe:
    """The settings in params.yaml for one training at one scale.

    Exactly one of epochs and steps is given; the other is None. learning_rate: the peak, reached
    after the warm-up; final_rate_share: the last rate as a share of the peak, at the end of a
    cosine (1: constant rate); warmup_share: share of all steps; lambda_: the weight of the
    smoothness term; augment: whether each patch is used in a random one of eight orientations;
    batch_size: patches per step; gradient_clip: the largest global norm of the gradient; ema: the
    momentum of the moving average of weights, 0 for none.
    """

    network: str
    size: dict[str, Any]
    scale: int
    loss: str = "mse"
    lambda_: float = 0.0
    epochs: int | None = None
    steps: int | None = None
    batch_size: int = 16
    optimizer: str = "adam"
    learning_rate: float = 0.001
    final_rate_share: float = 0.0
    warmup_share: float = 0.0
    gradient_clip: float = 1.0
    ema: float = 0.0
    augment: bool = True
    precision: Literal["auto", "bfloat16", "float32"] = "float32"
    seed: int = 1

    @classmethod
    def of(cls, settings: NetworkSettings, scale: int, **more: Any) -> "Recipe":
        """The recipe from settings at a scale; more: its budget and other values of the stage.

        `InputError` if a value per scale has no entry for this scale.
        """
        return cls(
            network=settings.network,
            size=settings.size,
            scale=scale,
            loss=settings.loss,
            batch_size=at_scale(settings.batch_size, "batch_size", scale),
            optimizer=settings.optimizer,
            learning_rate=at_scale(settings.learning_rate, "learning_rate", scale),
            warmup_share=settings.warmup_share,
            gradient_clip=settings.gradient_clip,
            ema=settings.ema,
            augment=settings.flips_and_rotations,
            precision=settings.precision,
            seed=settings.seed,
            **more,
        )

    def architecture(self, degradation: str) -> Architecture:
        """The network of the recipe, for the degradation of the training data."""
        return Architecture(self.network, self.scale, self.size, degradation)

    def total_steps(self, steps_per_epoch: int) -> int:
        """The number of training steps. Raises `InputError` unless exactly one budget is given."""
        if fault := one_of_two("epochs", self.epochs, "steps", self.steps):
            raise InputError(f"at x{self.scale}: {fault}")
        if self.epochs is not None:
            return self.epochs * steps_per_epoch
        assert self.steps is not None
        return self.steps

    def learning_rate_at(self, step: int, steps: int) -> float:
        """The learning rate at `step` (from 0) of `steps`: a linear warm-up, then a cosine."""
        warmup = round(self.warmup_share * steps)
        if step < warmup:
            return self.learning_rate * (step + 1) / warmup
        done = (step - warmup) / max(1, steps - warmup)
        cosine = 0.5 * (1 + float(np.cos(np.pi * done)))
        last = self.final_rate_share
        return self.learning_rate * (last + (1 - last) * cosine)
