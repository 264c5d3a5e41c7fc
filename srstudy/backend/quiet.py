"""TensorFlow started without its start-up lines: import this before anything that imports it.

They speak of CPU instructions and of missing CUDA, nothing a person could act on, and no setting
of TensorFlow's keeps all of them away. If the start fails, they are shown after all.
TF_CPP_MIN_LOG_LEVEL=0, set from outside, leaves everything as it is.

oneDNN's convolutions are switched on as well: TensorFlow has them on by itself only where the
processor has AVX-512 or AMX, and without those they take 0.6 of the time. GPUs are prepared too.
"""

import os
import sys
import tempfile


def _start() -> None:
    import keras
    import tensorflow

    assert keras.backend.backend() == "tensorflow"
    tensorflow.config.list_physical_devices("GPU")  # it says here that there is none

    from srstudy.backend.devices import prepare_gpus

    prepare_gpus()


def _start_quietly() -> None:
    sys.stderr.flush()
    shown = os.dup(2)
    with tempfile.TemporaryFile() as hidden:
        os.dup2(hidden.fileno(), 2)
        try:
            _start()
        except BaseException:
            hidden.seek(0)
            os.write(shown, hidden.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(shown, 2)
            os.close(shown)


os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "0":
    _start()
else:
    _start_quietly()
