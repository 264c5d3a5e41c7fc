"""The networks in weights/: they are those of dvc.lock, and restore as well as the table says."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import yaml

from srstudy.common.files import NETWORK_ATTRIBUTE
from srstudy.degradations.shared.degradation import degradation
from srstudy.export.receptive_field import receptive_field_radius
from srstudy.imagefiles.png import write_png
from srstudy.imagefiles.reading import read_image
from srstudy.networks.shared.architecture import Architecture
from srstudy.upscale import __main__ as command
from srstudy.upscale.models import WEIGHT_SCALES, WEIGHTS
from tests.imports import ROOT

every_file = pytest.mark.parametrize("setting", ["plain", "regularized"])
every_scale = pytest.mark.parametrize("scale", WEIGHT_SCALES)


@every_scale
@every_file
def test_file_is_made_of_the_model_that_dvc_lock_names(scale: int, setting: str) -> None:
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"][f"train-{setting}@{scale}"]
    model = f"models/x{scale}-{setting}.weights.h5"
    (locked,) = (out["md5"] for out in lock["outs"] if out["path"] == model)
    path = WEIGHTS / f"x{scale}-{setting}.onnx"
    metadata = onnxruntime.InferenceSession(path).get_modelmeta().custom_metadata_map
    assert metadata["md5"] == locked
    assert path.stat().st_size < 1_000_000
    assert path.name in (WEIGHTS / "README.md").read_text()


@every_scale
@every_file
def test_radius_in_the_file_is_that_of_its_network(scale: int, setting: str) -> None:
    # Tiles of a photograph would show where it was too small.
    session = onnxruntime.InferenceSession(WEIGHTS / f"x{scale}-{setting}.onnx")
    described = json.loads(session.get_modelmeta().custom_metadata_map[NETWORK_ATTRIBUTE])
    radius = described.pop("receptive_field_radius")
    assert radius == receptive_field_radius(Architecture(**described))


@pytest.mark.slow
@every_scale
@pytest.mark.parametrize("model", ["plain", "regularized", "cascade"])
def test_upscale_gives_the_psnr_of_the_table(
    scale: int,
    model: str,
    tmp_path: Path,
    real_images: Callable[[str], list[Path]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made_by, folder, hr = degradation("matlab"), tmp_path / "lr", {}
    folder.mkdir()
    for path in real_images("set5"):
        pair = made_by.pair(read_image(path), scale)
        hr[path.stem] = pair.hr
        write_png(folder / f"{path.stem}.png", pair.lr)
    arguments = [str(folder), "-o", str(tmp_path / "hr"), "--scale", str(scale), "--model", model]
    monkeypatch.setattr(sys, "argv", ["upscale", *arguments])
    command.main()
    scores = [
        made_by.protocol.psnr(image, read_image(tmp_path / "hr" / f"{name}.png"), scale)
        for name, image in hr.items()
    ]
    table = json.loads((ROOT / "metrics/summary.json").read_text())["psnr"]["set5"][f"x{scale}"]
    method = model if model != "cascade" else "plain-cascade" if scale > 2 else "plain"
    assert np.mean(scores) == pytest.approx(table[method], abs=0.01)
