from pathlib import Path

import pytest
import tensorflow as tf

from srstudy.backend import precision
from srstudy.backend.precision import precision_here, processor_has_bfloat16


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("flags\t\t: fpu avx2 fma", False),
        ("flags\t\t: fpu avx512_bf16 fma", True),
        ("flags\t\t: fpu amx_bf16", True),
        ("Features\t: fp asimd bf16", True),
        ("model name\t: avx512_bf16", False),
        ("", False),
    ],
)
def test_processor_has_bfloat16_if_its_features_list_it(
    tmp_path: Path, flags: str, expected: bool
) -> None:
    description = tmp_path / "cpuinfo"
    description.write_text(f"processor\t: 0\n{flags}\n\nprocessor\t: 1\n{flags}\n")
    assert processor_has_bfloat16(description) == expected


def test_processor_without_a_description_has_no_bfloat16(tmp_path: Path) -> None:
    assert not processor_has_bfloat16(tmp_path / "missing")


@pytest.mark.parametrize("has", [True, False])
def test_auto_is_bfloat16_only_if_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, has: bool
) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.setattr(precision, "processor_has_bfloat16", lambda: has)
    assert precision_here("auto") == ("bfloat16" if has else "float32")
    assert precision_here("float32") == "float32" and precision_here("bfloat16") == "bfloat16"


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), "float32"), ((9, 0), "bfloat16")])
def test_auto_checks_the_gpu_if_there_is_one(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], expected: str
) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu"])
    details = {"compute_capability": capability}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
    assert precision_here("auto") == expected
