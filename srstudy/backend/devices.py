"""The devices for training: the cores of a processor, all GPUs of a machine, or several hosts."""

import os

import tensorflow as tf

# Without a GPU, a batch is computed in this many parts at the same time, each on one core. For
# small convolutions this is 15 % faster than all cores on each convolution. It is a constant,
# because the sum of the parts depends on it.
PARTS = 2


def one_core_for_each_part() -> None:
    """Give each part of a batch one core. Call this before TensorFlow computes anything."""
    cores = len(os.sched_getaffinity(0))
    tf.config.threading.set_intra_op_parallelism_threads(max(1, cores // PARTS))
    tf.config.threading.set_inter_op_parallelism_threads(PARTS)


def parts_of_a_batch() -> int:
    """The number of parts into which a replica divides its share of a batch."""
    return 1 if tf.config.list_logical_devices("GPU") else PARTS


def choose_strategy() -> tf.distribute.Strategy:
    """All hosts of TF_CONFIG; or all GPUs of this machine; or its only device."""
    if "TF_CONFIG" in os.environ:
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()
