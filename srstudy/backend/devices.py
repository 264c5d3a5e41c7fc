"""On what training runs: the cores of a processor, all GPUs of a machine, or several hosts."""

import os

import tensorflow as tf

from srstudy.common.machine import cores

# Without a GPU a batch is worked on in so many parts at once, each on one core: small convolutions
# gain 15 % over all cores working on each. A constant, as the sum of the parts depends on it.
PARTS = 2


def one_core_for_each_part() -> None:
    """Divide the cores among the parts of a batch: to be called before TensorFlow computes."""
    tf.config.threading.set_intra_op_parallelism_threads(max(1, cores() // PARTS))
    tf.config.threading.set_inter_op_parallelism_threads(PARTS)


def parts_of_a_batch() -> int:
    """Into how many parts a replica cuts its share of a batch."""
    return 1 if tf.config.list_logical_devices("GPU") else PARTS


def choose_strategy() -> tf.distribute.Strategy:
    """All hosts of TF_CONFIG, else all GPUs of this machine, else its one device."""
    if "TF_CONFIG" in os.environ:
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()
