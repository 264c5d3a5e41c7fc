"""Starts TensorFlow fast, and without its start-up messages. Import this before TensorFlow.

The messages tell of CPU instructions and missing CUDA, which users cannot change, and no setting of
TensorFlow suppresses all of them. If the start fails, they are shown. If the environment has
TF_CPP_MIN_LOG_LEVEL=0, nothing is suppressed.

This also switches on oneDNN's convolutions. By default TensorFlow uses them only on processors with
AVX-512 or AMX; on other processors, these convolutions take 0.6 of the time of the default ones.
And it prepares GPUs.
"""

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _fast_imports() -> Iterator[None]:
    """Start in two thirds of the time; every stage that uses TensorFlow starts it again.

    Python's garbage collector would search the growing heap again and again, though all that is
    imported stays. And Keras would import matplotlib for galleries that are not used here.
    """
    unused = "matplotlib" not in sys.modules
    if unused:
        sys.modules["matplotlib"] = None  # type: ignore[assignment]  # its import fails
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if unused:
            del sys.modules["matplotlib"]
        gc.freeze()  # later searches leave out all that is there now
        if enabled:
            gc.enable()


def _start() -> None:
    with _fast_imports():
        import keras
        import tensorflow

    assert keras.backend.backend() == "tensorflow"
    tensorflow.config.list_physical_devices("GPU")  # here it prints that there is no GPU

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
