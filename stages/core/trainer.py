"""The trainer: a plain step loop under a tf.distribute strategy.

One device, several GPUs or several hosts (TF_CONFIG) run the same code: every replica computes
the gradient of its part of the batch, and the parts are summed. Keras's own `fit` is not used
because it does not run on several hosts.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stages.core.batches import Batches
from stages.core.checkpoints import Arrays, Checkpoints
from stages.core.colour import to_uint8
from stages.core.errors import InputError
from stages.core.inference import restore_luma
from stages.core.optimizer import Optimizer
from stages.core.patches import Pair
from stages.core.progress import progress
from stages.core.protocol import Protocol
from stages.core.scores import psnr
from stages.core.weights import Architecture

Loss = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast: `learning_rate` is the peak, reached after the warm-up.

    final_rate_share: of the peak, where the cosine after it ends; at 1 the rate is held.
    """

    epochs: int
    learning_rate: float
    warmup_share: float
    gradient_clip: float
    ema: float
    optimizer: str = "adam"
    final_rate_share: float = 0.0


@dataclass(frozen=True)
class CurvePoint:
    """One row of the learning curve; the loss is the mean since the row before."""

    step: int
    epoch: float
    learning_rate: float
    loss: float
    validation_psnr: float


CURVE_POINTS = 20
# Without a GPU a batch is worked on in so many parts at once, each on one core: small convolutions
# gain 15 % over all cores working on each. A constant, as the sum of the parts depends on it.
PARTS = 2


def one_core_for_each_part() -> None:
    """Divide the cores among the parts of a batch: to be called before TensorFlow computes."""
    cores = len(os.sched_getaffinity(0))
    tf.config.threading.set_intra_op_parallelism_threads(max(1, cores // PARTS))
    tf.config.threading.set_inter_op_parallelism_threads(PARTS)


def choose_strategy() -> tf.distribute.Strategy:
    """All hosts of TF_CONFIG, else all GPUs of this machine, else its one device."""
    if "TF_CONFIG" in os.environ:
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


class Trainer:
    """Trains one network on batches of patches; `train` gives the network in float32 back.

    loss: a function of true and restored patches (n, h, w, 1) in [0, 1]; start: a network of the
    same function whose weights are taken over where they fit, None for fresh ones.
    """

    def __init__(
        self,
        architecture: Architecture,
        schedule: Schedule,
        loss: Loss,
        precision: str,
        seed: int,
        strategy: tf.distribute.Strategy,
        start: tuple[keras.Model, Architecture] | None = None,
    ) -> None:
        keras.utils.set_random_seed(seed)
        self._architecture, self._schedule, self._strategy = architecture, schedule, strategy
        self._loss = loss
        self._replicas = float(strategy.num_replicas_in_sync)
        self._parts = 1 if tf.config.list_logical_devices("GPU") else PARTS
        with strategy.scope():
            self._network = architecture.build(precision)
            if start is not None:
                architecture.take_over(self._network, *start)
            self._optimizer = Optimizer(
                self._network.trainable_variables,
                schedule.optimizer,
                schedule.gradient_clip,
                schedule.ema,
            )
        # The network trains; the judge has the averaged weights and restores in float32.
        self._judge = architecture.build()

    def train(
        self,
        batches: Batches,
        held_out: Sequence[Pair],
        title: str,
        checkpoints: Checkpoints | None = None,
    ) -> tuple[keras.Model, list[CurvePoint]]:
        """Run all epochs; returns the trained network and its learning curve.

        With checkpoints it goes on from the newest, and ends with the same bytes as in one go.
        `InputError` if the loss stops to be a number.
        """
        steps = self._schedule.epochs * batches.steps_per_epoch
        every = max(1, steps // CURVE_POINTS)
        curve, losses = self._resume(checkpoints)
        done = int(self._optimizer.state["steps"].numpy()[0])
        start = f"goes on from step {done} of" if done else "begins,"
        print(f"{title}: {start} {steps} steps", flush=True)
        shown = progress(batches.ahead(done, steps), title, steps, "step", done)
        for step, batch in enumerate(shown, start=done + 1):
            rate = learning_rate_at(step - 1, steps, self._schedule)
            losses.append(self.step(batch, rate))
            if step % every == 0 or step == steps:
                mean_loss = float(np.mean(losses))
                losses.clear()
                if not np.isfinite(mean_loss):
                    shown.close()
                    raise InputError(
                        f"learning_rate: found {self._schedule.learning_rate}, and the loss is no "
                        f"number after {step} steps; allowed: a smaller one, or a smaller "
                        "gradient_clip"
                    )
                score = self._validate(held_out)
                epoch = round(step / batches.steps_per_epoch, 2)
                curve.append(CurvePoint(step, epoch, rate, mean_loss, score))
                words = f"loss {mean_loss:.6f}, validation {score:.2f} dB"
                shown.set_postfix_str(words, refresh=False)
            if checkpoints is not None and checkpoints.due():
                checkpoints.save(step, self._saved(curve, losses))
        if not curve:
            curve.append(CurvePoint(0, 0.0, 0.0, float("nan"), self._validate(held_out)))
        return self._judge, curve

    def step(self, batch: Pair, rate: float) -> float:
        """One training step at a learning rate; returns the batch's loss."""
        return float(self._distributed_step(*self._placed(batch), tf.constant(rate)))

    def _resume(self, checkpoints: Checkpoints | None) -> tuple[list[CurvePoint], list[float]]:
        saved = checkpoints.newest() if checkpoints is not None else None
        if saved is None:
            return [], []
        self._optimizer.restore(saved)
        self._optimizer.write_average(self._judge.trainable_variables)
        points = [CurvePoint(int(step), *rest) for step, *rest in saved["curve"].tolist()]
        return points, saved["losses"].tolist()

    def _saved(self, curve: Sequence[CurvePoint], losses: Sequence[float]) -> Arrays:
        state = {name: variable.numpy() for name, variable in self._optimizer.state.items()}
        points = np.array([astuple(point) for point in curve], "float64")
        return {**state, "curve": points, "losses": np.array(losses, "float64")}

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
        parts = 1 if lr.shape[0] is None or lr.shape[0] % self._parts else self._parts
        with tf.GradientTape() as tape:
            losses = []
            for low, high in zip(tf.split(lr, parts), tf.split(hr, parts), strict=True):
                restored = self._network(tf.cast(low, tf.float32) / 255.0, training=True)
                losses.append(self._loss(tf.cast(high, tf.float32) / 255.0, restored))
            # All parts of the batch have one size: the loss is the mean of theirs.
            loss = tf.add_n(losses) / (parts * self._replicas)
        gradients = tape.gradient(loss, self._network.trainable_variables)
        context = tf.distribute.get_replica_context()
        vector = self._optimizer.vector(gradients)
        # The whole batch's gradient is what the optimizer clips.
        self._optimizer.apply(context.all_reduce(tf.distribute.ReduceOp.SUM, vector), rate)
        return loss

    def _validate(self, held_out: Sequence[Pair]) -> float:
        """The mean PSNR in dB over the held-out images, by the study's own protocol."""
        self._optimizer.write_average(self._judge.trainable_variables)
        protocol = Protocol(self._architecture.degradation)
        scale = self._architecture.scale
        scores = []
        for lr, hr in held_out:
            output = to_uint8(restore_luma(self._judge, lr))
            scores.append(psnr(protocol.crop(hr, scale), protocol.crop(output, scale)))
        return float(np.mean(scores))


def learning_rate_at(step: int, steps: int, schedule: Schedule) -> float:
    """The learning rate of a step, counted from 0: linear warm-up, then a cosine."""
    warmup = round(schedule.warmup_share * steps)
    if step < warmup:
        return schedule.learning_rate * (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    cosine = 0.5 * (1 + float(np.cos(np.pi * done)))
    last = schedule.final_rate_share
    return schedule.learning_rate * (last + (1 - last) * cosine)
