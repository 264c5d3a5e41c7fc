"""Files of networks that cannot be used are refused in one line: file, what was found, allowed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest

from srstudy.common.errors import InputError
from srstudy.common.files import NETWORK_ATTRIBUTE
from srstudy.upscale.runtime import load_network
from tests.imports import ROOT

SHIPPED = ROOT / "weights/x2-plain.onnx"
NO_NETWORK = "holds no network of this project; allowed: an .onnx file from its "


def _described_as(path: Path, changes: dict[str, Any] | str | None) -> Path:
    """The shipped network with entries of its description changed, or another text, or none."""
    model = onnx.load(SHIPPED)
    before = {entry.key: entry.value for entry in model.metadata_props}
    del model.metadata_props[:]
    if isinstance(changes, dict):
        values = {**json.loads(before[NETWORK_ATTRIBUTE]), **changes}
        changes = json.dumps({key: value for key, value in values.items() if value != "absent"})
    if changes is not None:
        onnx.helper.set_model_props(model, {NETWORK_ATTRIBUTE: changes})
    onnx.save(model, path)
    return path


def _refusal(path: Path) -> str:
    """What the refusal of a file says, after the name of the file."""
    with pytest.raises(InputError) as caught:
        load_network(path, "cpu")
    name, _, said = str(caught.value).partition(": ")
    assert name == str(path) and "\n" not in said
    return said


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (None, "metadata without 'network'"),
        ("not JSON", "a description without scale, receptive_field_radius and degradation: not J"),
        ("[]", "a description without scale, receptive_field_radius and degradation: []"),
        ({"scale": "absent"}, "a description without scale, receptive_field_radius and degrad"),
        ({"degradation": "lanczos"}, "degradations: found 'lanczos'; allowed: matlab, opencv, p"),
    ],
)
def test_onnx_file_without_a_description_of_this_project_is_refused(
    tmp_path: Path, changes: dict[str, Any] | str | None, found: str
) -> None:
    said = _refusal(_described_as(tmp_path / "a.onnx", changes))
    assert said.startswith(NO_NETWORK) and f"; found: {found}" in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scale": 5}, "scale: found 5; allowed: 2, 3, 4 or 8"),
        (
            {"receptive_field_radius": -1},
            "receptive_field_radius: found -1; allowed: null, or a whole number of at least 0",
        ),
    ],
)
def test_wrong_value_in_the_description_of_an_onnx_file_is_named(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    assert _refusal(_described_as(tmp_path / "a.onnx", changes)) == said


def test_onnx_file_whose_network_has_another_scale_than_its_description_is_refused(
    tmp_path: Path,
) -> None:
    path = _described_as(tmp_path / "a.onnx", {"scale": 4})
    cv2.imwrite(str(tmp_path / "photo.png"), np.full((20, 30, 3), 99, np.uint8))
    command = ("-m", "srstudy.upscale", tmp_path / "photo.png", "-o", tmp_path / "large.png")
    done = subprocess.run(
        [sys.executable, *command, "--weights", path],
        cwd=ROOT, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2].endswith(
        f"{path}: found an output of (1, 40, 60, 1) from (1, 20, 30, 1); allowed at its scale of "
        "4: (1, 80, 120, 1)"
    )
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "large.png").exists()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_network_that_gives_values_that_are_not_finite_is_refused(
    tmp_path: Path, value: float
) -> None:
    model, path = onnx.load(SHIPPED), tmp_path / "broken.onnx"
    kernel = next(i for i in model.graph.initializer if len(i.dims) == 4)
    values = onnx.numpy_helper.to_array(kernel).copy()
    values.flat[0] = value
    kernel.CopyFrom(onnx.numpy_helper.from_array(values, kernel.name))
    onnx.save(model, path)
    with pytest.raises(InputError, match=f"^{path}: gives values that are not finite"):
        load_network(path, "cpu").restore_luma(np.full((8, 9), 100, np.uint8))
