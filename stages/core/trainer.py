"""The trainer: a plain step loop under a tf.distribute strategy.

One device, several GPUs or several hosts (TF_CONFIG) run the same code: every replica computes
the gradient of its part of the batch, and the parts are summed. Keras's own `fit` is not used
because it does not run on several hosts.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from stages.core.batches import Batches
from stages.core.colour import to_uint8
from stages.core.errors import InputError
from stages.core.inference import restore_luma
from stages.core.losses import loss
from stages.core.patches import Pair
from stages.core.protocol import Protocol
from stages.core.scores import psnr
from stages.core.weights import Architecture


@dataclass(frozen=True)
class Schedule:
    """How long and how fast: `learning_rate` is the peak, reached after the warm-up."""

    epochs: int
    learning_rate: float
    warmup_share: float
    gradient_clip: float
    ema: float


@dataclass(frozen=True)
class CurvePoint:
    """One row of the learning curve; the loss is the mean since the row before."""

    step: int
    epoch: float
    learning_rate: float
    loss: float
    validation_psnr: float


CURVE_POINTS = 20


def choose_strategy() -> tf.distribute.Strategy:
    """All hosts of TF_CONFIG, else all GPUs of this machine, else its one device."""
    if "TF_CONFIG" in os.environ:
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


class Trainer:
    """Trains one network on batches of patches; `train` gives the network in float32 back."""

    def __init__(
        self,
        architecture: Architecture,
        schedule: Schedule,
        smoothness_weight: float,
        precision: str,
        seed: int,
        strategy: tf.distribute.Strategy,
    ) -> None:
        keras.utils.set_random_seed(seed)
        self._architecture, self._schedule, self._strategy = architecture, schedule, strategy
        self._smoothness_weight = smoothness_weight
        self._replicas = float(strategy.num_replicas_in_sync)
        # The judge has the averaged weights and restores in float32; the network trains.
        self._judge = architecture.build()
        with strategy.scope():
            self._network = architecture.build(precision)
            self._averages = [tf.Variable(v.value) for v in self._network.trainable_variables]
            self._optimizer = keras.optimizers.Adam(0.0)
            self._optimizer.build(self._network.trainable_variables)

    def train(
        self, batches: Batches, held_out: Sequence[Pair], title: str
    ) -> tuple[keras.Model, list[CurvePoint]]:
        """Run all epochs; returns the trained network and its learning curve."""
        steps = self._schedule.epochs * batches.steps_per_epoch
        every = max(1, steps // CURVE_POINTS)
        curve: list[CurvePoint] = []
        losses: list[tf.Tensor] = []
        progress = tqdm(batches.ahead(0, steps), title, total=steps, unit="step", mininterval=1)
        for step, batch in enumerate(progress, start=1):
            rate = learning_rate_at(step - 1, steps, self._schedule)
            losses.append(self._distributed_step(*self._placed(batch), tf.constant(rate)))
            if step % every == 0 or step == steps:
                mean_loss = float(np.mean(losses))
                losses.clear()
                score = self._validate(held_out)
                epoch = round(step / batches.steps_per_epoch, 2)
                curve.append(CurvePoint(step, epoch, rate, mean_loss, score))
                progress.set_postfix_str(f"loss {mean_loss:.6f}, validation {score:.2f} dB")
                if not np.isfinite(mean_loss):
                    break
        return self._judge, curve

    def _placed(self, batch: Pair) -> tuple[Any, Any]:
        """The batch on its device, or each replica's part of it on the replica's."""
        replicas = self._strategy.num_replicas_in_sync
        if len(batch[0]) % replicas:
            raise InputError(
                f"batch_size: found {len(batch[0])} patches for {replicas} devices; "
                "allowed: a multiple of their number"
            )
        if replicas == 1:
            return tf.constant(batch[0]), tf.constant(batch[1])

        def part(context: Any, values: np.ndarray) -> tf.Tensor:
            return tf.constant(np.split(values, replicas)[context.replica_id_in_sync_group])

        distribute = self._strategy.experimental_distribute_values_from_function
        low, high = (distribute(lambda c, v=values: part(c, v)) for values in batch)
        return low, high

    @tf.function(reduce_retracing=True)
    def _distributed_step(self, lr: Any, hr: Any, rate: tf.Tensor) -> tf.Tensor:
        parts = self._strategy.run(self._replica_step, args=(lr, hr, rate))
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, parts, axis=None)

    def _replica_step(self, lr: tf.Tensor, hr: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
        true = tf.cast(hr, tf.float32) / 255.0
        with tf.GradientTape() as tape:
            restored = self._network(tf.cast(lr, tf.float32) / 255.0, training=True)
            # All parts of the batch have one size: the loss is the mean of theirs.
            part = loss(true, restored, self._smoothness_weight) / self._replicas
        variables = self._network.trainable_variables
        # The whole batch's gradient is clipped. Keras sums the replicas' gradients once more.
        context = tf.distribute.get_replica_context()
        whole = context.all_reduce(tf.distribute.ReduceOp.SUM, tape.gradient(part, variables))
        clipped, _ = tf.clip_by_global_norm(whole, self._schedule.gradient_clip)
        self._optimizer.learning_rate.assign(rate)
        self._optimizer.apply([gradient / self._replicas for gradient in clipped], variables)
        for average, variable in zip(self._averages, variables, strict=True):
            average.assign_add((1.0 - self._ema_now()) * (variable.value - average))
        return part

    def _ema_now(self) -> Any:
        # At the start the average follows fast, or it would remember the random weights.
        steps = tf.cast(self._optimizer.iterations, tf.float32)
        return tf.minimum(self._schedule.ema, steps / (steps + 10.0))

    def _validate(self, held_out: Sequence[Pair]) -> float:
        """The mean PSNR in dB over the held-out images, by the study's own protocol."""
        for variable, average in zip(self._judge.trainable_variables, self._averages, strict=True):
            variable.assign(average)
        protocol = Protocol(self._architecture.degradation)
        scale = self._architecture.scale
        scores = []
        for lr, hr in held_out:
            output = to_uint8(restore_luma(self._judge, lr))
            scores.append(psnr(protocol.crop(hr, scale), protocol.crop(output, scale)))
        return float(np.mean(scores))


def learning_rate_at(step: int, steps: int, schedule: Schedule) -> float:
    """The learning rate of a step, counted from 0: linear warm-up, then a cosine down to 0."""
    warmup = round(schedule.warmup_share * steps)
    if step < warmup:
        return schedule.learning_rate * (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    return schedule.learning_rate * 0.5 * (1 + float(np.cos(np.pi * done)))
