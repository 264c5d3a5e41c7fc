"""The training of the MNIST warm-up: plain gradient descent that resumes from checkpoints."""

from functools import lru_cache
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from srstudy.backend.checkpoints import Checkpoints
from srstudy.backend.devices import device_words, notes
from srstudy.common.progress import progress
from srstudy.mnist.digits import digit_network
from srstudy.mnist.settings import MnistRecipe

CURVE_POINTS = 10


class Digits(NamedTuple):
    """Images (n, 28, 28, 1) in [0, 1] and their labels (n,)."""

    images: NDArray[np.float32]
    labels: NDArray[np.int64]


def train(
    recipe: MnistRecipe,
    seed: int,
    precision: str,
    digits: Digits,
    test: Digits,
    checkpoints: Checkpoints,
) -> tuple[NDArray[np.float32], list[list[float]]]:
    """Train on digits; returns the logits (n, 10) of the test digits, and the learning curve.

    A row of the curve: step, mean loss since the previous row, accuracy (0..1) on the test digits.
    """
    keras.utils.set_random_seed(seed)
    network = digit_network(recipe.dropout, precision)
    scored = digit_network(0, "float32")
    optimizer = keras.optimizers.SGD(recipe.learning_rate)
    optimizer.build(network.trainable_variables)
    step = _training_step(network, optimizer)

    saved = checkpoints.newest() or {}
    done = int(saved.get("done", 0))
    losses, curve = list(saved.get("losses", [])), list(saved.get("curve", []))
    for place, variable in enumerate(network.variables if done else []):
        variable.assign(saved[f"variable{place}"])
    total = recipe.steps
    start = f"resumes after step {done} of" if done else "begins,"
    first = f"train mnist: {start} {total} steps, on {device_words()} in {precision}"
    print("\n".join([first, *notes()]), flush=True)
    every, numbers = max(1, total // CURVE_POINTS), range(done + 1, total + 1)
    for number in progress(numbers, "train mnist", total, "step", done):
        batch = batch_of(number - 1, len(digits.images), recipe.batch_size, seed)
        losses.append(
            float(step(tf.constant(digits.images[batch]), tf.constant(digits.labels[batch])))
        )
        if number % every == 0 or number == total:
            answers = _logits(scored, network, test.images).argmax(1)
            curve.append([number, np.mean(losses), np.mean(answers == test.labels)])
            losses.clear()
        if checkpoints.due():
            # The variables include the state of dropout's random numbers.
            state = {f"variable{i}": v.numpy() for i, v in enumerate(network.variables)}
            values = {"done": number, "losses": losses, "curve": curve}
            checkpoints.save(number, state | {k: np.array(v) for k, v in values.items()})
    return _logits(scored, network, test.images), curve


def cross_entropy(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The mean cross entropy of logits (n, 10) and labels (n,)."""
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    return float(tf.reduce_mean(losses).numpy())


def batch_of(step: int, images: int, size: int, seed: int) -> NDArray[np.int64]:
    """The images of a step's batch; they depend only on the seed and the step's number."""
    epoch, place = divmod(step, images // size)
    return _order(epoch, images, seed)[place * size : (place + 1) * size]


@lru_cache(maxsize=1)
def _order(epoch: int, images: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, epoch]).permutation(images)


def _training_step(network: keras.Model, optimizer: keras.optimizers.Optimizer) -> tf.function:
    @tf.function
    def step(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            logits = network(images, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tf.reduce_mean(losses)
        variables = network.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    return step


def _logits(
    scored: keras.Model, network: keras.Model, images: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The network's logits, in float32 also if it was trained in bfloat16."""
    scored.set_weights(network.get_weights())
    return scored.predict(images, batch_size=1000, verbose=0)
