"""ONNX Runtime on what a machine computes with: a GPU where there is one, else the CPU."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from srstudy.common.machine import cores

CPU = "CPUExecutionProvider"
# Of what the runtime offers these are of no use here: a service elsewhere, and compilers that
# start anew with each size of tile.
PASSED_OVER = (
    "AzureExecutionProvider",
    "TensorrtExecutionProvider",
    "NvTensorRTRTXExecutionProvider",
)
# TensorFloat-32 has 10 bits behind the point, which is too few for 16 bits a channel.
OPTIONS: dict[str, dict[str, str]] = {"CUDAExecutionProvider": {"use_tf32": "0"}}
TOLERANCE = 0.5 / 255  # how far another device may be from the CPU: half a grey level

Plane = NDArray[np.float32]


def offered(device: str) -> list[str]:
    """The execution providers for `auto`, those of the user's own runtime with the CPU last, or for
    `cpu`."""
    found = [] if device == "cpu" else onnxruntime.get_available_providers()
    return [name for name in found if name not in (*PASSED_OVER, CPU)] + [CPU]


class Runner:
    """A network run on the first device that takes it; where that fails, on the next one, the CPU
    last, with one line to `tell`.

    Raises what ONNX Runtime raises where the CPU fails too.
    """

    def __init__(self, content: bytes, device: str, tell: Callable[[str], Any]) -> None:
        """content: of an ONNX file with one input and one output."""
        self._content, self._tell = content, tell
        self._left = offered(device)
        self._checked = self._left == [CPU]
        self.session = self._open(CPU)  # what describes the network, whatever runs it
        self._cpu = self.session

    def __call__(self, batch: Plane) -> Plane:
        """The output for a batch (1, h, w, 1)."""
        if not self._checked:
            self._checked = True
            self._choose()
        while True:
            try:
                return _run(self.session, batch)
            except Exception as error:  # what ONNX Runtime raises has no other base
                if self.session is self._cpu:
                    raise
                self._pass_over(error)
                self._choose()

    def _choose(self) -> None:
        """The first device left on which the network does what it does on the CPU."""
        while self._left[0] != CPU:
            try:
                session = self._open(self._left[0])
                self._check(session)
                self.session = session
                return
            except Exception as error:
                self._pass_over(error)
        self.session = self._cpu

    def _open(self, provider: str) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = cores()
        # Plans of the memory are kept for each size of image: a multiple of what a run needs, and
        # no faster for it.
        options.enable_mem_pattern = False
        options.log_severity_level = 4  # what is wrong is said by the exception
        return onnxruntime.InferenceSession(
            self._content,
            options,
            [(provider, OPTIONS.get(provider, {}))],
            enable_fallback=0,  # the runtime's own prints banners
        )

    def _check(self, session: onnxruntime.InferenceSession) -> None:
        if session.get_providers()[0] != self._left[0]:
            raise RuntimeError("it cannot be started")
        some = np.random.default_rng(0).random((1, 24, 32, 1), np.float32)
        if not np.abs(_run(session, some) - _run(self._cpu, some)).max() <= TOLERANCE:
            raise RuntimeError("it computes other values than the CPU")

    def _pass_over(self, error: Exception) -> None:
        failed, following = (name.removesuffix("ExecutionProvider") for name in self._left[:2])
        why = " ".join(str(error).split())[:200]
        self._tell(f"{failed} is passed over, {following} is next: {why}")
        del self._left[0]


def _run(session: onnxruntime.InferenceSession, batch: Plane) -> Plane:
    return session.run(None, {session.get_inputs()[0].name: batch})[0]
