"""Stage `mnist`: the student project's warm-up, a digit classifier by plain gradient descent.

python -m stages.mnist
"""

from stages.core import quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from tqdm import tqdm

from stages.core.digits import digit_network, read_digits
from stages.core.errors import InputError
from stages.core.running import run
from stages.core.files import whole_file, write_json
from stages.core.settings.mnist import MnistSettings
from stages.core.settings.reader import read

CURVE_POINTS = 10


def main() -> None:
    """Train on 60,000 digits, test on 10,000; write metrics, curve and confusion matrix."""
    settings = read(MnistSettings).mnist
    images, labels = read_digits(Path("data/raw/mnist"), "train")
    test_images, test_labels = read_digits(Path("data/raw/mnist"), "t10k")

    keras.utils.set_random_seed(settings.seed)
    network = digit_network(settings.dropout, settings.precision)
    judge = digit_network(0, "float32")
    optimizer = keras.optimizers.SGD(settings.learning_rate)
    optimizer.build(network.trainable_variables)
    step = _training_step(network, optimizer)

    order = np.random.default_rng(settings.seed)
    queue = np.empty(0, np.int64)
    losses, curve = [], []
    for number in tqdm(range(1, settings.steps + 1), "train mnist", unit="step", mininterval=1):
        if len(queue) < settings.batch_size:
            queue = np.concatenate([queue, order.permutation(len(images))])
        batch, queue = queue[: settings.batch_size], queue[settings.batch_size :]
        losses.append(step(tf.constant(images[batch]), tf.constant(labels[batch])))
        if number % max(1, settings.steps // CURVE_POINTS) == 0 or number == settings.steps:
            logits = _logits(judge, network, test_images)
            accuracy = float(np.mean(logits.argmax(1) == test_labels))
            curve.append({"step": number, "loss": np.mean(losses), "test_accuracy": accuracy})
            losses.clear()

    if not np.isfinite(logits).all():
        raise InputError(
            f"mnist.learning_rate: found {settings.learning_rate}, and the network's answers are "
            "no numbers; allowed: a smaller one"
        )
    scores = {
        "accuracy": round(accuracy, 4),
        "loss": round(_cross_entropy(logits, test_labels), 5),
        "steps": settings.steps,
    }
    write_json(Path("metrics/mnist.json"), {"mnist": scores})
    with whole_file(Path("metrics/curves/mnist.csv")) as partial:
        pd.DataFrame(curve).to_csv(partial, index=False, float_format="%.6g")
    with whole_file(Path("data/mnist-confusion.csv")) as partial:
        answers = {"actual": test_labels, "predicted": logits.argmax(1)}
        pd.DataFrame(answers).to_csv(partial, index=False)
    print(f"mnist: accuracy {accuracy:.2%}, loss {scores['loss']:.4f}, {settings.steps} steps")


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
