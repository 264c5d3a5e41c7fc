"""The devices for training: the cores of a processor, or all GPUs of a machine."""

import os

import tensorflow as tf

from srstudy.common.machine import cores, has_nvidia_device

# Without a GPU, a batch is computed in this many parts at the same time, each on one core. For
# small convolutions this is 15 % faster than all cores on each convolution. It is a constant,
# because the sum of the parts depends on it.
PARTS = 2


def prepare_gpus() -> None:
    """Let GPUs compute in true float32, in the same order each time, with memory as needed.

    Call this before TensorFlow computes anything. Without a GPU nothing changes.
    """
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        # Memory as it is needed: otherwise TensorFlow takes all of it at once.
        tf.config.experimental.set_memory_growth(gpu, True)
    if gpus:
        # TensorFloat-32 has 10 bits behind the point: too few for scores of 0.01 dB.
        tf.config.experimental.enable_tensor_float_32_execution(False)
        tf.config.experimental.enable_op_determinism()


def one_core_for_each_part() -> None:
    """Give each part of a batch one core. Call this before TensorFlow computes anything.

    On a GPU a batch is one part, and TensorFlow may use all cores for the rest.
    """
    if tf.config.list_physical_devices("GPU"):
        return
    tf.config.threading.set_intra_op_parallelism_threads(max(1, cores() // PARTS))
    tf.config.threading.set_inter_op_parallelism_threads(PARTS)


def parts_of_a_batch() -> int:
    """The number of parts into which a replica divides its share of a batch."""
    return 1 if tf.config.list_logical_devices("GPU") else PARTS


def choose_strategy() -> tf.distribute.Strategy:
    """All GPUs of this machine together, or its only device."""
    gpus = tf.config.list_logical_devices("GPU")
    if len(gpus) > 1:
        # By their names: without them TensorFlow would take the hosts of TF_CONFIG.
        return tf.distribute.MirroredStrategy([gpu.name for gpu in gpus])
    return tf.distribute.get_strategy()


def device_words() -> str:
    """What computes here, for people: "2 CPU cores", "1 GPU (NVIDIA L4)"."""
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return _counted(cores(), "CPU core")
    details = map(tf.config.experimental.get_device_details, gpus)
    names = sorted({one.get("device_name", "of unknown name") for one in details})
    return f"{_counted(len(gpus), 'GPU')} ({', '.join(names)})"


def notes() -> list[str]:
    """What this machine has, or the environment says, that training does not use: a line each."""
    found = []
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")  # by the user's own wish
    if has_nvidia_device() and not hidden and not tf.config.list_physical_devices("GPU"):
        found.append(
            "note: this machine has an NVIDIA GPU that TensorFlow does not use; run: make setup "
            "GPU=1; if that does not help, see whether `nvidia-smi` finds the driver"
        )
    if "TF_CONFIG" in os.environ:
        found.append(
            "note: TF_CONFIG is set and is not used: a training runs on one machine; "
            "docs/scaling.md says how several machines share the work"
        )
    return found


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
