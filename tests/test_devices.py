"""The devices of `upscale`: those of ONNX Runtime, here of a fake one, with the CPU last."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from PIL import Image

from srstudy.common.errors import InputError
from srstudy.upscale import __main__ as command
from srstudy.upscale import devices
from srstudy.upscale.models import WEIGHTS
from srstudy.upscale.runtime import load_network
from srstudy.upscale.upscaling import upscale

CPU, CUDA, COREML = (f"{name}ExecutionProvider" for name in ("CPU", "CUDA", "CoreML"))
X2 = WEIGHTS / "x2-plain.onnx"
Real = onnxruntime.InferenceSession
Spoiled = Callable[[list[Any]], list[Any]]


class Fake:
    """A fake runtime: all its devices use the CPU, and tests can make them fail.

    starts: the effect when a session starts, by its provider; runs: the effect when it runs.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.offered = [CUDA, COREML, CPU]
        self.starts: dict[str, Exception] = {}
        self.runs: dict[str, Exception | Spoiled] = {}
        self.missing: set[str] = set()  # their sessions start on the CPU without a message
        self.ran: list[str] = []
        self.options: dict[str, dict[str, str]] = {}
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: self.offered)
        monkeypatch.setattr(onnxruntime, "InferenceSession", self.session)

    def session(self, content: bytes, options: Any, providers: Any, **more: Any) -> Any:
        (provider, settings), fake = providers[0], self
        assert more == {"enable_fallback": 0} and provider in self.offered
        self.options[provider] = settings
        if provider in self.starts:
            raise self.starts[provider]
        real = Real(content, options, [CPU])

        class Session:
            def get_providers(self) -> list[str]:
                return [CPU] if provider in fake.missing else [provider, CPU]

            def run(self, names: Any, inputs: Any) -> Any:
                fake.ran.append(provider)
                what = fake.runs.get(provider)
                if isinstance(what, Exception):
                    raise what
                outputs = real.run(names, inputs)
                return what(outputs) if what else outputs

            def __getattr__(self, name: str) -> Any:
                return getattr(real, name)

        return Session()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    return Fake(monkeypatch)


@pytest.fixture
def luma(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(photo[:30, :40, 1])


@pytest.fixture
def expected(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    return load_network(X2, "cpu").restore_luma(luma)


def test_devices_are_those_of_the_runtime_with_the_cpu_last(fake: Fake) -> None:
    fake.offered = ["TensorrtExecutionProvider", CUDA, CPU, "AzureExecutionProvider", COREML]
    assert devices.offered("auto") == [CUDA, COREML, CPU]
    assert devices.offered("cpu") == [CPU]
    fake.offered = []
    assert devices.offered("auto") == [CPU]


def test_first_device_is_used_without_a_message(
    fake: Fake, luma: NDArray[np.uint8], expected: NDArray[np.float32]
) -> None:
    said: list[str] = []
    fake.ran.clear()
    network = load_network(X2, tell=said.append)
    for _ in range(2):
        np.testing.assert_array_equal(network.restore_luma(luma), expected)
    assert fake.ran == [CUDA, CPU, CUDA, CUDA]  # compared with the CPU once
    assert not said and COREML not in fake.options
    assert fake.options[CUDA] == {"use_tf32": "0"}


def test_only_the_cpu_is_used_if_requested(fake: Fake, luma: NDArray[np.uint8]) -> None:
    load_network(X2, "cpu").restore_luma(luma)
    assert fake.ran == [CPU] and set(fake.options) == {CPU}


def _nothing(outputs: list[Any]) -> list[Any]:
    return [np.full_like(outputs[0], np.nan)]


def _darker(outputs: list[Any]) -> list[Any]:
    return [outputs[0] - np.float32(1 / 255)]


def _another_shape(outputs: list[Any]) -> list[Any]:
    return [outputs[0][:, 1:]]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("missing", "it cannot be started"),
        (RuntimeError("no\nlibcublas.so.12"), "no libcublas.so.12"),
        (_nothing, "it computes other values than the CPU"),
        (_darker, "it computes other values than the CPU"),
        (_another_shape, "could not be broadcast"),
    ],
)
def test_unusable_device_is_skipped_with_one_line(
    fake: Fake,
    luma: NDArray[np.uint8],
    expected: NDArray[np.float32],
    how: Any,
    words: str,
) -> None:
    if how == "missing":
        fake.missing.add(CUDA)
    else:
        (fake.starts if isinstance(how, Exception) else fake.runs)[CUDA] = how
    said: list[str] = []
    network = load_network(X2, tell=said.append)
    for _ in range(2):
        np.testing.assert_array_equal(network.restore_luma(luma), expected)
    (line,) = said
    assert line.startswith("CUDA is skipped, CoreML is next: ") and words in line
    assert "\n" not in line and fake.ran[-2:] == [COREML, COREML]


def test_device_that_fails_during_a_run_is_skipped_too(
    fake: Fake, luma: NDArray[np.uint8], expected: NDArray[np.float32]
) -> None:
    said: list[str] = []
    network = load_network(X2, tell=said.append)
    network.restore_luma(luma)
    fake.runs = {CUDA: RuntimeError("out of memory"), COREML: RuntimeError("too large")}
    for _ in range(2):
        np.testing.assert_array_equal(network.restore_luma(luma), expected)
    assert said == [
        "CUDA is skipped, CoreML is next: out of memory",
        "CoreML is skipped, CPU is next: too large",
    ]


def test_failure_of_the_cpu_is_an_error(fake: Fake, luma: NDArray[np.uint8]) -> None:
    fake.offered = [CPU]
    network = load_network(X2)
    fake.runs[CPU] = RuntimeError("Failed to allocate memory for requested buffer")
    with pytest.raises(MemoryError):
        network.restore_luma(luma)
    fake.runs[CPU] = RuntimeError("a shape\nthat does not fit")
    with pytest.raises(InputError, match=r"x2-plain\.onnx: .* on 40 x 30 pixels: a shape that"):
        network.restore_luma(luma)


def test_python_call_warns_about_a_device_that_fails(fake: Fake, photo: NDArray[np.uint8]) -> None:
    fake.starts = {CUDA: RuntimeError("no driver"), COREML: RuntimeError("no driver")}
    with pytest.warns(RuntimeWarning, match="is skipped") as caught:
        large = upscale(photo[:20, :20])
    assert len(caught) == 2
    np.testing.assert_array_equal(large, upscale(photo[:20, :20], device="cpu"))
    with pytest.raises(ValueError, match="device: found 'gpu'; allowed: auto, cpu"):
        upscale(photo[:20, :20], device="gpu")  # type: ignore[arg-type]


def test_command_reports_it_once_for_all_files(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    fake.offered, fake.starts = [CUDA, CPU], {CUDA: RuntimeError("no driver")}
    (tmp_path / "in").mkdir()
    for name in "abc":
        Image.new("RGB", (9, 7)).save(tmp_path / f"in/{name}.png")
    for device, expected in (
        ("auto", "note: CUDA is skipped, CPU is next: no driver\n"),
        ("cpu", ""),
    ):
        arguments = ["--scale", "4", "--model", "cascade", "--device", device]
        out = tmp_path / device
        monkeypatch.setattr(
            sys, "argv", ["upscale", str(tmp_path / "in"), "-o", str(out), *arguments]
        )
        command.main()
        assert capsys.readouterr().err == expected and len(list(out.iterdir())) == 3
