"""The networks in weights/: from dvc.lock or the long recipe, with the scores in their tables."""

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import yaml

from srstudy.common.errors import InputError
from srstudy.common.files import NETWORK_ATTRIBUTE
from srstudy.degradations.shared.degradation import degradation
from srstudy.export.receptive_field import receptive_field_radius
from srstudy.imagefiles.png import write_png
from srstudy.imagefiles.reading import read_image
from srstudy.networks.shared.architecture import Architecture
from srstudy.upscale import __main__ as command
from srstudy.upscale.models import MODELS, SCALES_OF, STUDY_SCALES, WEIGHTS, files
from srstudy.upscale.runtime import Network
from tests.imports import ROOT
from tools import long_recipe, verify_weights
from tools.parts import Study

every_file = pytest.mark.parametrize("setting", ["plain", "regularized"])
every_scale = pytest.mark.parametrize("scale", STUDY_SCALES)
shipped = pytest.mark.parametrize("name", sorted(path.stem for path in WEIGHTS.glob("x*.onnx")))


@every_scale
@every_file
def test_file_is_made_from_the_model_in_dvc_lock(scale: int, setting: str) -> None:
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"][f"train-{setting}@{scale}"]
    model = f"models/x{scale}-{setting}.weights.h5"
    (locked,) = (out["md5"] for out in lock["outs"] if out["path"] == model)
    path = WEIGHTS / f"x{scale}-{setting}.onnx"
    metadata = onnxruntime.InferenceSession(path).get_modelmeta().custom_metadata_map
    assert metadata["md5"] == locked
    assert path.stat().st_size < 1_000_000
    assert path.name in (WEIGHTS / "README.md").read_text()


def test_each_model_has_a_file_for_each_of_its_scales() -> None:
    there = set(WEIGHTS.glob("x*.onnx"))
    needed = {
        model: {path for scale in SCALES_OF[model] for path in files(model, scale)}
        for model in MODELS
        if model != "auto"
    }
    assert set().union(*needed.values()) == there


@pytest.mark.parametrize("scale", SCALES_OF["clean"])
def test_file_of_the_long_recipe_is_small_and_on_its_card(scale: int) -> None:
    path = WEIGHTS / f"x{scale}-clean.onnx"
    assert path.stat().st_size < 2_000_000
    kilobytes = f"{path.stat().st_size / 1000:.0f} kB"
    assert f"| {path.name} | {kilobytes} | " in (WEIGHTS / "clean.md").read_text("utf-8")


@shipped
def test_radius_in_the_file_equals_that_of_its_network(name: str) -> None:
    # If it were too small, the tiles of a photograph would have seams.
    session = onnxruntime.InferenceSession(WEIGHTS / f"{name}.onnx")
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


@pytest.mark.slow
def test_networks_of_studies_in_parts_give_the_psnr_of_their_rows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # One set, for time: the command without arguments scores all four.
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["verify_weights", "set5"])
    verify_weights.main()  # ends with a status if a score differs
    files = [f for study in verify_weights.STUDIES for f in WEIGHTS.glob(f"*-{study.model}.onnx")]
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(files) and "clean set5 x8: " in "".join(lines)


def _table(monkeypatch: pytest.MonkeyPatch, folder: Path, study: Study, *scales: int) -> None:
    """A table with a PSNR of 30 dB on set5, and files in weights/."""
    monkeypatch.chdir(folder)
    rows = "".join(f"set5,{scale},plain,30.0\nset5,{scale},bicubic,20.0\n" for scale in scales)
    for path in (study.table, study.network(2)):
        path.parent.mkdir(exist_ok=True)
    study.table.write_text(f"test_set,scale,method,psnr\n{rows}")
    for part in study.parts.values():
        study.network(part.scale).touch()


@pytest.mark.parametrize("study", verify_weights.STUDIES, ids=lambda study: study.model)
def test_networks_that_differ_from_their_rows_are_reported_in_one_line(
    study: Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def network(path: Path, device: str) -> Network:
        scale = int(path.name[1])
        return Network(lambda lr: lr.astype(np.float32), scale, degradation("matlab"), 0)

    found = {2: 30.008, 3: math.nan, 4: 30.012, 8: 29.9}
    _table(monkeypatch, tmp_path, study, *found)
    monkeypatch.setattr(verify_weights, "load_network", network)
    monkeypatch.setattr(verify_weights, "fetch", lambda name, folder: None)
    monkeypatch.setattr(verify_weights, "list_images", lambda folder: [])
    monkeypatch.setattr(verify_weights, "score", lambda images, network: found[network.scale])
    monkeypatch.setattr(sys, "argv", ["verify_weights", "set5"])
    apart = {"clean": 3, "photo": 1, "fast": 1}[study.model]
    said = rf"^{apart} scores differ by more than 0\.01 dB from docs/{study.name}-recipe\.csv$"
    with pytest.raises(SystemExit, match=said):
        verify_weights.main()


@pytest.mark.parametrize(
    ("scales", "words"),
    [((2, 4), r"found no row of set5 x3; run: make long"), ((), "found no rows; allowed: ")],
)
def test_table_without_a_scale_is_named_before_any_download(
    scales: tuple[int, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _table(monkeypatch, tmp_path, long_recipe.STUDY, *scales)
    monkeypatch.setattr(verify_weights, "fetch", lambda *_: pytest.fail("fetched"))
    monkeypatch.setattr(sys, "argv", ["verify_weights", "set5"])
    with pytest.raises(InputError, match=rf"^docs/long-recipe\.csv: {words}"):
        verify_weights.main()


def test_folder_without_networks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["verify_weights"])
    with pytest.raises(InputError, match=r"^weights: holds no networks; allowed: those from git$"):
        verify_weights.main()


def test_set_without_scores_of_the_long_recipe_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["verify_weights", "set5", "set6"])
    with pytest.raises(InputError, match=r"^SET: found set6; allowed: set5, set14, bsd100, "):
        verify_weights.main()
