"""The networks in weights/: they are those of dvc.lock, and restore as well as the table says."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import yaml

from srstudy.degradations.shared.degradation import crop_to_multiple, degrade
from srstudy.imagefiles.reading import read_image, write_png
from srstudy.images.protocols import Protocol
from srstudy.scoring.metrics import psnr
from srstudy.upscale.upscaling import SCALES, WEIGHTS
from stages import upscale as command
from tests.imports import ROOT

every_file = pytest.mark.parametrize("setting", ["plain", "regularized"])
every_scale = pytest.mark.parametrize("scale", SCALES)


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
    protocol, (lr, hr) = Protocol("matlab"), (tmp_path / "lr", {})
    lr.mkdir()
    for path in real_images("set5"):
        image = read_image(path)
        hr[path.stem] = crop_to_multiple(image, scale)
        write_png(lr / f"{path.stem}.png", degrade(image, scale))
    arguments = [str(lr), "-o", str(tmp_path / "hr"), "--scale", str(scale), "--model", model]
    monkeypatch.setattr(sys, "argv", ["upscale", *arguments])
    command.main()
    scores = [
        psnr(
            protocol.crop(protocol.luma(true), scale),
            protocol.crop(protocol.luma(read_image(tmp_path / "hr" / f"{name}.png")), scale),
        )
        for name, true in hr.items()
    ]
    table = json.loads((ROOT / "metrics/summary.json").read_text())["psnr"]["set5"][f"x{scale}"]
    method = model if model != "cascade" else "plain-cascade" if scale > 2 else "plain"
    assert np.mean(scores) == pytest.approx(table[method], abs=0.01)
