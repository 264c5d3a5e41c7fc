"""Networks on compressed and noisy photographs: the cases, the rows, the page."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from srstudy.common.errors import InputError
from srstudy.imagefiles.png import write_png
from srstudy.images.psnr import psnr
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.weights import save
from tests.imports import ROOT
from tools import photo_cases, robustness, robustness_picture
from tools.photo_cases import CASES, spoiled
from tools.repeats import read_rows
from tools.robustness import BICUBIC, COLUMNS, MADE_BY, Method, add_rows, bicubic, scores
from tools.robustness_page import PICTURE, page

Photo = NDArray[np.uint8]
TABLE = ROOT / "docs/photographs.csv"


@pytest.mark.parametrize("case", CASES)
def test_case_always_gives_the_same_bytes_and_does_not_change_its_argument(
    case: str, photo: Photo
) -> None:
    before = photo.copy()
    one, other = (spoiled(photo, case, "eyes") for _ in range(2))
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(photo, before)
    assert one.dtype == np.uint8 and one.shape == photo.shape
    assert spoiled(photo[..., 0].copy(), case, "eyes").shape == photo.shape[:2]


def test_noise_depends_on_the_name_of_the_image_and_has_its_sigma(photo: Photo) -> None:
    grey = np.full((200, 200, 3), 128, np.uint8)
    for sigma in photo_cases.SIGMAS:
        one, other = (spoiled(grey, f"noise{sigma}", name) for name in ("one", "other"))
        assert (one != other).any()
        # Rounding adds 1 / 12 to the variance.
        expected = np.sqrt(sigma**2 + 1 / 12)
        assert (one - 128.0).std() == pytest.approx(expected, rel=0.02)
        assert (one - 128.0).mean() == pytest.approx(0, abs=0.1)


def test_jpeg_has_the_stated_quality_and_chroma_at_half_the_size(photo: Photo) -> None:
    for quality in photo_cases.QUALITIES:
        file = io.BytesIO()
        Image.fromarray(photo).save(file, "JPEG", quality=quality, subsampling=2)
        by_pillow = np.asarray(Image.open(file)).astype(float)
        found = spoiled(photo, f"jpeg{quality}", "eyes").astype(float)
        # Two builds of the same library may round differently.
        assert np.abs(found - by_pillow).mean() < 0.2 * np.abs(found - photo).mean()


def test_unknown_case_is_refused(photo: Photo) -> None:
    with pytest.raises(ValueError, match=r"^case: found 'jpeg60'; allowed: clean, jpeg95, "):
        spoiled(photo, "jpeg60", "eyes")


def test_unknown_set_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"^--sets: found 'set6'; allowed: held-out alone, or set5"
    ):
        photo_cases.images("set5+set6")


@pytest.mark.parametrize("name", ["cleen", "weights/x9-clean.onnx"])
def test_name_that_is_neither_a_model_nor_a_file_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=rf"^{name}: found no such file; allowed: .* clean"):
        robustness.chosen(["plain", name])


def test_wrong_name_is_refused_before_images_are_downloaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    downloaded: list[str] = []
    monkeypatch.setattr(robustness, "images", downloaded.append)
    monkeypatch.setattr(sys, "argv", ["robustness", "cleen"])
    with pytest.raises(InputError, match=r"^cleen: found no such file"):
        robustness.main()
    assert downloaded == []


def test_bicubic_comes_once_per_scale_before_the_networks() -> None:
    found = robustness.chosen(["plain", "clean"])
    by_scale = [BICUBIC, "plain", "clean"]
    assert [(m.name, m.scale) for m in found] == [(n, s) for s in (2, 4) for n in by_scale]
    assert [m.weights for m in found[:2]] == [
        "none",
        robustness.digits(ROOT / "weights/x2-plain.onnx"),
    ]


def test_file_of_a_training_is_scored_at_its_scale(tmp_path: Path, photo: Photo) -> None:
    path = tmp_path / "fresh.weights.h5"
    fresh = Architecture("espcn", 2, {"first": 8, "second": 8}, "matlab")
    save(path, fresh.build(), fresh)
    (method,) = robustness.methods_of(str(path))
    assert (method.name, method.scale) == (str(path), 2)
    assert method.restore(photo).shape == (240, 192, 3)


@pytest.fixture
def files(tmp_path: Path, photo: Photo) -> list[Path]:
    """Two photographs, the second one grey."""
    paths = [tmp_path / "images/colour.png", tmp_path / "images/grey.png"]
    paths[0].parent.mkdir()
    write_png(paths[0], photo)
    write_png(paths[1], photo[..., 1].copy())
    return paths


def _darker(lr: Photo) -> Photo:
    """Interpolation, with half the brightness if the image is grey."""
    enlarged = MADE_BY.enlarge(lr, 2)
    return enlarged // 2 if lr.ndim == 2 else enlarged


def test_scores_are_means_of_luma_and_of_rgb_and_count_images_below_bicubic(
    files: list[Path], photo: Photo
) -> None:
    own = scores(Method("darker", 2, "none", _darker, 2), files)
    base = scores(bicubic(2), files)
    assert [row["case"] for row in own] == [*CASES]
    for row, before in zip(own, base, strict=True):
        assert row["below"] == 1 and row["images"] == 2
        assert before["gain"] == before["gain_rgb"] == before["below"] == 0
        for kind in ("", "_rgb"):
            difference = row[f"psnr{kind}"] - before[f"psnr{kind}"]
            assert row[f"gain{kind}"] == pytest.approx(difference, abs=2e-4)
            assert difference < -5
    # The clean case by hand: for the grey image, both kinds of PSNR are equal.
    pairs = [MADE_BY.pair(image, 2) for image in (photo, photo[..., 1].copy())]
    enlarged = [MADE_BY.enlarge(pair.lr, 2) for pair in pairs]
    rgb = [
        psnr(pair.hr[2:-2, 2:-2], image[2:-2, 2:-2])
        for pair, image in zip(pairs, enlarged, strict=True)
    ]
    luma = MADE_BY.protocol.psnr(pairs[0].hr, enlarged[0], 2)
    assert base[0]["psnr_rgb"] == pytest.approx(np.mean(rgb), abs=1e-4)
    assert base[0]["psnr"] == pytest.approx((luma + rgb[1]) / 2, abs=1e-4)


def test_rows_are_kept_until_their_weights_change(
    tmp_path: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    scored: list[str] = []

    def score(method: Method, images: list[Path]) -> list[dict[str, object]]:
        scored.append(method.name + method.weights)
        figures = dict.fromkeys(("psnr", "psnr_rgb", "gain", "gain_rgb"), 30.0)
        return [{"case": case, **figures, "below": 0, "images": 2} for case in CASES]

    monkeypatch.setattr(robustness, "scores", score)
    table = tmp_path / "docs/photographs.csv"

    def add(name: str, scale: int, weights: str) -> None:
        add_rows(table, Method(name, scale, weights, _darker), "bsd100", files)

    # Digits that a CSV reader could read as a number.
    add("plain", 4, "12345678")
    add("plain", 2, "1234e567")
    add("bicubic", 2, "none")
    add("plain", 2, "1234e567")
    assert scored == ["plain12345678", "plain1234e567", "bicubicnone"]
    add("plain", 2, "00000001")
    assert scored[3:] == ["plain00000001"]
    rows = read_rows(table, {*COLUMNS})
    assert [*rows] == [*COLUMNS]
    kept = rows.drop_duplicates(["model", "scale"])[["model", "scale", "weights"]]
    assert kept.to_numpy().tolist() == [
        ["bicubic", 2, "none"],
        ["plain", 2, "00000001"],
        ["plain", 4, "12345678"],
    ]
    assert len(rows) == 3 * len(CASES)
    # An incomplete table is completed.
    rows.iloc[:-1].to_csv(table, index=False)
    add("plain", 4, "12345678")
    assert len(read_rows(table, {*COLUMNS})) == 3 * len(CASES)


def test_command_writes_table_and_page(
    tmp_path: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(robustness, "images", lambda name: files)
    folder = tmp_path / "found"
    words = ["robustness", "plain", "--sets", "set5", "-o", str(folder)]
    monkeypatch.setattr(sys, "argv", words)
    robustness.main()
    rows = read_rows(folder / "photographs.csv", {*COLUMNS})
    assert len(rows) == 2 * 2 * len(CASES) and {*rows["set"]} == {"set5"}
    clean = rows[(rows["model"] == "plain") & (rows["case"] == "clean")]
    assert (clean["gain"] > 0).all()
    text = (folder / "photographs.md").read_text("utf-8")
    assert "| set5, 2 images: luma | clean | jpeg95 | " in text and ".png" not in text


def test_page_shows_gains_and_the_number_of_images_that_are_worse_than_bicubic() -> None:
    key = {"scale": 2, "set": "bsd100", "images": 100, "case": "clean"}
    rows = [
        {**key, "model": "bicubic", "psnr": 29.56, "psnr_rgb": 28.0, "below": 0},
        {**key, "model": "plain", "gain": -0.123, "gain_rgb": 0.5, "below": 17},
    ]
    text = page(pd.DataFrame(rows), pictured=True)
    assert "| bicubic | 29.56 |\n| plain | -0.12 (17) |" in text
    assert "| bicubic | 28.00 |\n| plain | +0.50 |" in text
    assert f"]({PICTURE.name})" in text


def test_picture_has_a_line_for_each_place_and_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(0)
    paths = [tmp_path / f"{name}.png" for name, *_ in robustness_picture.PLACES]
    for path in paths:
        write_png(path, generator.integers(0, 256, (420, 220, 3), np.uint8))
    monkeypatch.setattr(robustness_picture, "images", lambda sets: paths)
    target = tmp_path / "crops.png"
    monkeypatch.setattr(sys, "argv", ["robustness_picture", "plain", "-o", str(target)])
    robustness_picture.main()
    drawn = cv2.imread(str(target))
    side = robustness_picture.SIDE * robustness_picture.ZOOM
    assert drawn is not None
    columns = drawn.shape[1] / (side + robustness_picture.GAP)
    lines = drawn.shape[0] / (robustness_picture.CAPTION + side + robustness_picture.GAP)
    assert (columns, lines) == (3, 6)


def test_page_equals_the_one_made_from_the_table() -> None:
    text = (ROOT / "docs/photographs.md").read_text("utf-8")
    assert text == page(read_rows(TABLE, {*COLUMNS}), pictured=True)
    assert (ROOT / PICTURE).stat().st_size < 700_000


def test_rows_belong_to_the_committed_weights() -> None:
    rows = read_rows(TABLE, {*COLUMNS})
    for (model, scale, name), mine in rows.groupby(["model", "scale", "set"]):
        file = robustness.file_of(str(model), int(scale))
        expected = "none" if model == BICUBIC else robustness.digits(file)
        assert {*mine["weights"]} == {expected}, f"{model} x{scale}: run `make robustness`"
        assert [*mine["case"]] == [*CASES]
        assert (mine["images"] == {"set5+set14": 19, "bsd100": 100}[name]).all()


def test_clean_case_has_the_scores_of_the_study() -> None:
    of_study = json.loads((ROOT / "docs/four-sets.json").read_text("utf-8"))["psnr"]
    of_long = pd.read_csv(ROOT / "docs/long-recipe.csv").set_index(["test_set", "scale"])["psnr"]
    rows = read_rows(TABLE, {*COLUMNS})
    clean = rows[(rows["case"] == "clean") & rows["model"].isin([BICUBIC, "plain", "clean"])]
    for row in clean.itertuples():
        total = 0.0
        for name, count in {"set5": 5, "set14": 14, "bsd100": 100}.items():
            if name in row.set.split("+"):
                if row.model == "clean":
                    total += count * of_long[name, row.scale]
                else:
                    total += count * of_study[name][f"x{row.scale}"][row.model]
        assert row.psnr == pytest.approx(total / row.images, abs=0.005)


# The least gain in luma over bicubic, in dB, that `upscale --model photo` is for; on BSD100, whose
# photographs gain less from any network, LESS of it.
LEAST = {
    2: {
        "clean": 2.2,
        "jpeg85": 1.2,
        "jpeg75": 1.0,
        "jpeg50": 0.75,
        "jpeg30": 0.6,
        "noise5": 1.5,
        "noise10": 1.3,
    },
    4: {"jpeg75": 0.8, "jpeg50": 0.6, "noise10": 1.0},
}
LESS = 0.6


@pytest.mark.parametrize("scale", LEAST)
@pytest.mark.parametrize(("name", "share"), [("set5+set14", 1.0), ("bsd100", LESS)])
def test_photo_networks_gain_on_compressed_and_noisy_photographs(
    name: str, share: float, scale: int
) -> None:
    rows = read_rows(TABLE, {*COLUMNS})
    of_set = rows[(rows["set"] == name) & (rows["scale"] == scale)].set_index(["model", "case"])
    for case, least in LEAST[scale].items():
        assert of_set["gain"]["photo", case] >= share * least, case
    assert (of_set["gain_rgb"]["photo"] > 0).all()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("model", "cases"), [("plain", ["jpeg75", "noise10"]), ("clean", ["jpeg50"])]
)
def test_figures_of_the_table_can_be_measured_again(
    model: str, cases: list[str], real_images: Callable[[str], list[Path]]
) -> None:
    images = [*real_images("set5"), *real_images("set14")]
    rows = read_rows(TABLE, {*COLUMNS})
    mine = rows[(rows["model"] == model) & (rows["scale"] == 2) & (rows["set"] == "set5+set14")]
    (method,) = (m for m in robustness.methods_of(model) if m.scale == 2)
    for found in scores(method, images, cases):
        expected = mine[mine["case"] == found["case"]].iloc[0]
        for column in ("psnr", "psnr_rgb", "gain", "gain_rgb"):
            assert found[column] == pytest.approx(expected[column], abs=0.005)
        assert abs(found["below"] - expected["below"]) <= 1
