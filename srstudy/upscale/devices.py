"""ONNX Runtime on the best device of a machine: a GPU if there is one, else the CPU."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from srstudy.common.machine import cores

CPU = "CPUExecutionProvider"
# Providers that are not useful here: a remote service, and compilers that compile again for each
# tile size.
PASSED_OVER = (
    "AzureExecutionProvider",
    "TensorrtExecutionProvider",
    "NvTensorRTRTXExecutionProvider",
)
# TensorFloat-32 has a mantissa of 10 bits, too few for 16 bits per channel.
OPTIONS: dict[str, dict[str, str]] = {"CUDAExecutionProvider": {"use_tf32": "0"}}
TOLERANCE = 0.5 / 255  # largest difference between a device and the CPU: half a grey level

Plane = NDArray[np.float32]


def offered(device: str) -> list[str]:
    """The execution providers for a device. `auto`: all useful ones of the installed runtime, with
    the CPU last; `cpu`: the CPU only."""
    found = [] if device == "cpu" else onnxruntime.get_available_providers()
    return [name for name in found if name not in (*PASSED_OVER, CPU)] + [CPU]


class Runner:
    """Runs a network on the first device that works. If a device fails, it tells `tell` in one line
    and uses the next device; the CPU is the last.

    If the CPU fails too, the exception of ONNX Runtime is raised.
    """

    def __init__(self, content: bytes, device: str, tell: Callable[[str], Any]) -> None:
        """content: the bytes of an ONNX file with one input and one output."""
        self._content, self._tell = content, tell
        self._left = offered(device)
        self._checked = self._left == [CPU]
        self.session = self._open(CPU)  # also gives the description of the network
        self._cpu = self.session

    def __call__(self, batch: Plane) -> Plane:
        """The output for a batch (1, h, w, 1)."""
        if not self._checked:
            self._checked = True
            self._choose()
        while True:
            try:
                return _run(self.session, batch)
            except Exception as error:  # ONNX Runtime's exceptions have no other base class
                if self.session is self._cpu:
                    raise
                self._pass_over(error)
                self._choose()

    def _choose(self) -> None:
        """Select the first remaining device that gives the same values as the CPU."""
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
        # The runtime would keep a memory plan for each image size: this takes several times the
        # memory of one run, and is no faster.
        options.enable_mem_pattern = False
        options.log_severity_level = 4  # the exception already describes the fault
        return onnxruntime.InferenceSession(
            self._content,
            options,
            [(provider, OPTIONS.get(provider, {}))],
            enable_fallback=0,  # the runtime's own fallback prints banners
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
        self._tell(f"{failed} is skipped, {following} is next: {why}")
        del self._left[0]


def _run(session: onnxruntime.InferenceSession, batch: Plane) -> Plane:
    return session.run(None, {session.get_inputs()[0].name: batch})[0]
