"""The trainer: a plain step loop under a tf.distribute strategy.

One device or several GPUs run the same code: every replica computes the gradient of its part of
the batch, and the gradients are summed.
"""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from srstudy.backend.checkpoints import Arrays, Checkpoints
from srstudy.backend.devices import device_words, notes, parts_of_a_batch
from srstudy.common.choices import file_of
from srstudy.common.errors import ChoiceError, InputError
from srstudy.common.progress import progress
from srstudy.degradations.shared.degradation import degradation
from srstudy.images.colour import to_uint8
from srstudy.images.pairs import Pair
from srstudy.losses.shared.objective import objective
from srstudy.networks.shared.architecture import Architecture, layers_with_weights
from srstudy.networks.shared.checking import check
from srstudy.networks.shared.inference import restore_luma
from srstudy.networks.shared.sizes import ROOM
from srstudy.patches.batches import Batches
from srstudy.training.optimizer import Optimizer
from srstudy.training.recipe import Recipe

# A learning curve has a row for each STEPS_A_POINT steps, but not fewer rows than LEAST_POINTS, if
# there are so many steps, and at most one more than MOST_POINTS: each row costs a pass over the
# held-out images.
STEPS_A_POINT, LEAST_POINTS, MOST_POINTS = 24, 5, 20


@dataclass(frozen=True)
class CurvePoint:
    """One row of the learning curve.

    loss: the mean since the previous row; validation_psnr: in dB, of the averaged weights.
    """

    step: int
    epoch: float
    learning_rate: float
    loss: float
    validation_psnr: float


class Trainer:
    """Trains one network on batches of patches; `train` returns the network in float32.

    architecture: the recipe's, for the degradation of the data; precision: float32 or bfloat16;
    start: a trained network of the same function, whose weights are loaded where they fit, or None
    for fresh weights; trained: the number of steps of these weights. The attribute `trained` is
    this number, or 0 if some weights are fresh.
    """

    def __init__(
        self,
        recipe: Recipe,
        architecture: Architecture,
        precision: str,
        strategy: tf.distribute.Strategy,
        start: tuple[keras.Model, Architecture] | None = None,
        trained: int = 0,
    ) -> None:
        check(architecture, architecture.build(precision))
        keras.utils.set_random_seed(recipe.seed)
        self._recipe, self._architecture, self._strategy = recipe, architecture, strategy
        self._loss = objective(recipe.loss, recipe.lambda_)
        self._replicas = float(strategy.num_replicas_in_sync)
        self._parts = parts_of_a_batch()
        self._where = f"on {device_words()} in {precision}"
        with strategy.scope():
            self._network = architecture.build(precision)
            taken = architecture.load_matching(self._network, *start) if start else 0
            if taken < len(list(layers_with_weights(self._network))):
                trained = 0  # some weights are fresh
            self.trained = trained
            self._optimizer = Optimizer(
                self._network.trainable_variables,
                recipe.optimizer,
                recipe.gradient_clip,
                recipe.ema,
                trained,
            )
        # A second network, in float32, for the averaged weights.
        self._averaged = architecture.build()
        if any(one is other for one in self._averaged.weights for other in self._network.weights):
            raise ChoiceError(
                f"{file_of(ROOM, recipe.network)}: returns the same weights at each call; "
                "allowed: new ones"
            )

    def train(
        self,
        batches: Batches,
        held_out: Sequence[Pair],
        title: str,
        checkpoints: Checkpoints | None = None,
        watch: Callable[[Sequence[CurvePoint]], None] = lambda curve: None,
    ) -> tuple[keras.Model, list[CurvePoint]]:
        """Run all steps; return the trained network and its learning curve.

        With checkpoints, it resumes from the newest one and ends with the same bytes as without an
        interruption. watch is called with the curve at each new row. `InputError` if the loss or
        a restored pixel becomes infinite or NaN, or if a batch cannot be divided among the GPUs.
        """
        steps = self._recipe.total_steps(batches.steps_per_epoch)
        points = min(MOST_POINTS, max(LEAST_POINTS, steps // STEPS_A_POINT))
        every = max(1, steps // points)
        curve, losses = self._resume(checkpoints)
        if curve:
            watch(curve)  # the curve's file may have been deleted since
        done = int(self._optimizer.state["steps"].numpy()[0])
        start = f"resumes after step {done} of" if done else "begins,"
        print("\n".join([f"{title}: {start} {steps} steps, {self._where}", *notes()]), flush=True)
        shown = progress(batches.ahead(done, steps), title, steps, "step", done)
        for step, batch in enumerate(shown, start=done + 1):
            rate = self._recipe.learning_rate_at(step - 1, steps)
            losses.append(self.step(batch, rate))
            if step % every == 0 or step == steps:
                mean_loss = float(np.mean(losses))
                losses.clear()
                if not np.isfinite(mean_loss):
                    shown.close()
                    raise InputError(
                        f"learning_rate: found {self._recipe.learning_rate}, and the loss is not "
                        f"finite after {step} steps; allowed: a smaller one, or a smaller "
                        "gradient_clip"
                    )
                score = self._validate(held_out)
                epoch = round(step / batches.steps_per_epoch, 2)
                curve.append(CurvePoint(step, epoch, rate, mean_loss, score))
                words = f"loss {mean_loss:.6f}, validation {score:.2f} dB"
                shown.set_postfix_str(words, refresh=False)
                watch(curve)
            if checkpoints is not None and checkpoints.due():
                checkpoints.save(step, self._saved(curve, losses))
        if not curve:
            curve.append(CurvePoint(0, 0.0, 0.0, float("nan"), self._validate(held_out)))
            watch(curve)
        return self._averaged, curve

    def step(self, batch: Pair, rate: float) -> float:
        """Do one training step at a learning rate; return the batch's loss."""
        return float(self._distributed_step(*self._placed(batch), tf.constant(rate)))

    def _resume(self, checkpoints: Checkpoints | None) -> tuple[list[CurvePoint], list[float]]:
        saved = checkpoints.newest() if checkpoints is not None else None
        if saved is None:
            return [], []
        self._optimizer.restore(saved)
        for place, variable in enumerate(self._network.non_trainable_variables):
            variable.assign(saved[f"untrained{place}"])
        self._write_averaged()
        points = [CurvePoint(int(step), *rest) for step, *rest in saved["curve"].tolist()]
        return points, saved["losses"].tolist()

    def _saved(self, curve: Sequence[CurvePoint], losses: Sequence[float]) -> Arrays:
        state = {name: variable.numpy() for name, variable in self._optimizer.state.items()}
        for place, variable in enumerate(self._network.non_trainable_variables):
            state[f"untrained{place}"] = variable.numpy()
        points = np.array([astuple(point) for point in curve], "float64")
        return {**state, "curve": points, "losses": np.array(losses, "float64")}

    def _placed(self, batch: Pair) -> tuple[Any, Any]:
        """The batch on its device, or each replica's part on the replica's device."""
        replicas = self._strategy.num_replicas_in_sync
        if len(batch.lr) % replicas:
            raise InputError(
                f"batch_size: found {len(batch.lr)} patches for {replicas} devices; "
                "allowed: a multiple of their number"
            )
        if replicas == 1:
            return tf.constant(batch.lr), tf.constant(batch.hr)

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
            # All parts of the batch have the same size: the loss is the mean of their losses.
            loss = tf.add_n(losses) / (parts * self._replicas)
        gradients = tape.gradient(loss, self._network.trainable_variables)
        context = tf.distribute.get_replica_context()
        vector = self._optimizer.vector(gradients)
        # The optimizer clips the gradient of the whole batch.
        self._optimizer.apply(context.all_reduce(tf.distribute.ReduceOp.SUM, vector), rate)
        return loss

    def _write_averaged(self) -> None:
        """Copy the averaged weights; untrained ones (batch normalization) are copied unchanged."""
        self._optimizer.write_average(self._averaged.trainable_variables)
        untrained = (model.non_trainable_variables for model in (self._averaged, self._network))
        for variable, source in zip(*untrained, strict=True):
            variable.assign(source.numpy())

    def _validate(self, held_out: Sequence[Pair]) -> float:
        """The mean PSNR in dB of the held-out images, by the protocol of their degradation.

        `InputError` if a restored pixel is not finite.
        """
        self._write_averaged()
        protocol, scale = degradation(self._architecture.degradation).protocol, self._recipe.scale
        scores = []
        for lr, hr in held_out:
            restored = restore_luma(self._averaged, lr)
            if not np.isfinite(restored).all():
                raise InputError(
                    f"{file_of(ROOM, self._recipe.network)}: restores pixels that are not finite; "
                    "allowed: another learning_rate, a smaller gradient_clip, or another loss"
                )
            scores.append(protocol.psnr(hr, to_uint8(restored), scale))
        # An image without detail may be restored exactly. Its infinite PSNR is left out.
        return float(np.mean([score for score in scores if np.isfinite(score)] or [np.inf]))
