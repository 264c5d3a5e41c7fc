"""Stage `mnist`: the student project's warm-up, a digit classifier by plain gradient descent.

python -m stages.mnist
"""

from stages.core import quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

from functools import lru_cache
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from stages.core.checkpoints import Checkpoints, fingerprint
from stages.core.digits import digit_network, read_digits
from stages.core.errors import InputError
from stages.core.precision import precision_here
from stages.core.progress import progress
from stages.core.running import run
from stages.core.files import whole_file, write_json
from stages.core.settings.mnist import MnistSettings
from stages.core.settings.reader import read

CURVE_POINTS = 10


def main() -> None:
    """Train on 60,000 digits, test on 10,000; write metrics, curve and confusion matrix."""
    settings, folder = read(MnistSettings).mnist, Path("data/raw/mnist")
    precision = precision_here(settings.precision)
    images, labels = read_digits(folder, "train")
    test_images, test_labels = read_digits(folder, "t10k")

    keras.utils.set_random_seed(settings.seed)
    network = digit_network(settings.dropout, precision)
    judge = digit_network(0, "float32")
    optimizer = keras.optimizers.SGD(settings.learning_rate)
    optimizer.build(network.trainable_variables)
    step = _training_step(network, optimizer)

    checkpoints = Checkpoints(
        fingerprint([settings.model_dump(), precision], *sorted(folder.iterdir()))
    )
    with checkpoints.alone():
        saved = checkpoints.newest() or {}
        done = int(saved.get("done", 0))
        losses, curve = list(saved.get("losses", [])), list(saved.get("curve", []))
        for place, variable in enumerate(network.variables if done else []):
            variable.assign(saved[f"variable{place}"])
        total = settings.steps
        every, numbers = max(1, total // CURVE_POINTS), range(done + 1, total + 1)
        for number in progress(numbers, "train mnist", total, "step", done):
            batch = _batch(number - 1, len(images), settings.batch_size, settings.seed)
            losses.append(float(step(tf.constant(images[batch]), tf.constant(labels[batch]))))
            if number % every == 0 or number == total:
                answers = _logits(judge, network, test_images).argmax(1)
                curve.append([number, np.mean(losses), np.mean(answers == test_labels)])
                losses.clear()
            if checkpoints.due():
                # The variables hold the state of dropout's random numbers as well.
                state = {f"variable{i}": v.numpy() for i, v in enumerate(network.variables)}
                values = {"done": number, "losses": losses, "curve": curve}
                checkpoints.save(number, state | {k: np.array(v) for k, v in values.items()})

        logits = _logits(judge, network, test_images)
        if not np.isfinite(logits).all():
            raise InputError(
                f"mnist.learning_rate: found {settings.learning_rate}, and the network's answers "
                "are no numbers; allowed: a smaller one"
            )
        scores = {
            "accuracy": round(float(np.mean(logits.argmax(1) == test_labels)), 4),
            "loss": round(_cross_entropy(logits, test_labels), 5),
            "steps": settings.steps,
        }
        write_json(Path("metrics/mnist.json"), {"mnist": scores})
        with whole_file(Path("metrics/mnist-curve.csv")) as partial:
            rows = pd.DataFrame(curve, columns=["step", "loss", "test_accuracy"])
            rows.astype({"step": int}).to_csv(partial, index=False, float_format="%.6g")
        with whole_file(Path("metrics/mnist-confusion.csv")) as partial:
            answers = {"actual": test_labels, "predicted": logits.argmax(1)}
            pd.DataFrame(answers).to_csv(partial, index=False)
        checkpoints.clear()
    print(f"mnist: accuracy {scores['accuracy']:.2%}, loss {scores['loss']:.4f}, {total} steps")


def _batch(step: int, images: int, size: int, seed: int) -> np.ndarray:
    """Which images make a step's batch; it depends on the seed and the step's number alone."""
    epoch, place = divmod(step, images // size)
    return _order(epoch, images, seed)[place * size : (place + 1) * size]


@lru_cache(maxsize=1)
def _order(epoch: int, images: int, seed: int) -> np.ndarray:
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


def _logits(judge: keras.Model, network: keras.Model, images: np.ndarray) -> np.ndarray:
    """The network's answers, in float32 whatever it was trained in."""
    judge.set_weights(network.get_weights())
    return judge.predict(images, batch_size=1000, verbose=0)


def _cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    return float(
        tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)).numpy()
    )


if __name__ == "__main__":
    run(main)
