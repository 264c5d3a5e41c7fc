"""Images without a finite score: blank images (PSNR), and images smaller than SSIM's window."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from srstudy.common.files import read_json, write_json
from srstudy.datasets.shared_pictures import shared_file
from srstudy.imagefiles.png import write_png
from srstudy.networks.shared.weights import save
from srstudy.scoring.metrics import METRICS
from srstudy.scoring.missing import left_out, mean_in_words, missing_scores
from srstudy.scoring.tables import by_image, frame, means, of_images, summary
from tests.imports import ROOT
from tests.small import as_trained, small
from tests.small_report import run_stage, write_study
from tools import compare, readme, verify

BICUBIC, PLAIN = "bicubic", "plain"


def _scores(psnr: dict[str, dict[str, float | None]], scale: int = 2) -> pd.DataFrame:
    """A frame of {image: {method: PSNR}}; every SSIM is 0.5."""
    return frame(
        [
            {"test_set": "s", "scale": scale, "image": name, "method": m, "psnr": v, "ssim": 0.5}
            for name, row in psnr.items()
            for m, v in row.items()
        ]
    )


EXACT: dict[str, dict[str, float | None]] = {
    "a": {BICUBIC: 30.0, PLAIN: 32.0},
    "blank": {BICUBIC: None, PLAIN: 60.0},
    "b": {BICUBIC: 20.0, PLAIN: 26.0},
}


def test_image_without_a_finite_score_is_left_out_for_every_method_of_the_row() -> None:
    scores = _scores(EXACT)
    # Else plain would have 60 dB in its mean, and bicubic would not.
    assert dict(means(scores, "psnr")) == {("s", 2, BICUBIC): 25.0, ("s", 2, PLAIN): 29.0}
    assert scores["image"][left_out(scores, "psnr")].tolist() == ["blank", "blank"]
    assert not left_out(scores, "ssim").any()
    assert missing_scores(scores) == ["s x2: mean PSNR of 2 of 3 images; no finite PSNR: blank"]


def test_method_without_any_score_does_not_leave_images_out() -> None:
    scores = _scores({"a": {BICUBIC: None, PLAIN: 50.0}, "b": {BICUBIC: None, PLAIN: 60.0}})
    assert summary(scores)["psnr"]["s"]["x2"] == {BICUBIC: None, PLAIN: 55.0}
    assert missing_scores(scores) == ["s x2: no image has a finite PSNR by bicubic"]
    nothing = _scores({"a": {BICUBIC: None, PLAIN: None}})
    assert summary(nothing)["psnr"]["s"]["x2"] == {BICUBIC: None, PLAIN: None}
    assert missing_scores(nothing) == ["s x2: no image has a finite PSNR"]


def test_scales_with_the_same_images_share_a_line_and_many_images_are_counted() -> None:
    both = pd.concat([_scores(EXACT, 2), _scores(EXACT, 8)], ignore_index=True)
    assert missing_scores(both) == ["s x2, x8: mean PSNR of 2 of 3 images; no finite PSNR: blank"]
    many: dict[str, dict[str, float | None]] = {
        f"i{n}": {BICUBIC: None, PLAIN: 1.0} for n in range(10)
    }
    (line,) = missing_scores(_scores({**many, "a": {BICUBIC: 1.0, PLAIN: 1.0}}))
    assert line.endswith(
        "1 of 11 images; no finite PSNR: i0, i1, i2, i3, i4, i5, i6, i7 and 2 more"
    )


def test_row_without_any_scored_image_has_no_mean() -> None:
    scores = _scores({"a": {BICUBIC: None, PLAIN: 1.0}, "b": {BICUBIC: 1.0, PLAIN: None}})
    assert summary(scores)["psnr"]["s"]["x2"] == {BICUBIC: None, PLAIN: None}
    assert missing_scores(scores) == ["s x2: mean PSNR of 0 of 2 images; no finite PSNR: a, b"]


def test_committed_study_has_no_such_image() -> None:
    files = sorted((ROOT / "metrics/images").glob("*.json"))
    assert files and missing_scores(of_images({path.stem: read_json(path) for path in files})) == []


def test_frame_read_from_image_files_equals_the_original() -> None:
    both = pd.concat([_scores(EXACT, 2), _scores(EXACT, 8)], ignore_index=True)
    content = {"protocol": "words", **json.loads(json.dumps(by_image(both, "s")))}
    pd.testing.assert_frame_equal(of_images({"s": content})[list(both.columns)], both)


def test_printed_mean_is_finite_and_tells_the_number_of_images() -> None:
    psnr = METRICS["psnr"]
    assert mean_in_words(psnr, [30.0, 31.0]) == "PSNR in dB 30.50"
    assert mean_in_words(psnr, [30.0, math.inf, 31.0]) == "PSNR in dB 30.50 (2 of 3 images)"
    assert mean_in_words(METRICS["ssim"], [math.nan]) == "SSIM: no finite value"


def test_readme_names_the_images_left_out_and_counts_an_exact_bicubic_as_better(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "metrics/images").mkdir(parents=True)
    content = {"protocol": "words", **by_image(_scores(EXACT), "s")}
    (tmp_path / "metrics/images/s.json").write_text(json.dumps(content))
    monkeypatch.chdir(tmp_path)
    assert readme.left_out() == "\ns x2: mean PSNR of 2 of 3 images; no finite PSNR: blank.\n"
    assert "on these images: blank (s x2 plain, bicubic is exact).\n" in readme.below_bicubic()
    monkeypatch.chdir(ROOT)
    assert readme.left_out() == "" and "at least as good" in readme.below_bicubic()


def test_verify_says_where_only_one_side_has_a_score() -> None:
    with_mean, without = ({"s": {"x2": {PLAIN: value}}} for value in (30.0, None))
    here = verify.report(verify.scores(with_mean), verify.scores(without))
    assert here.splitlines()[0] == "psnr.s.x2.plain: only committed"


def test_compare_shows_a_missing_score_as_none() -> None:
    def state(rev: str, plain: float | None, weight: float) -> dict[str, Any]:
        content = {"psnr": {"s": {"x2": {BICUBIC: None, PLAIN: plain, "regularized": 31.0}}}}
        data = {
            "params": {"params.yaml": {"data": {"lambda": weight}}},
            "metrics": {"metrics/summary.json": {"data": content}},
        }
        return {"rev": rev, "name": None, "data": data, "experiments": None}

    rows = compare.compared([state("one", 30.0, 0.1), state("two", None, 0.2)], "psnr", "s", ())
    assert [row.split() for row in rows.splitlines()[1:]] == [
        ["one", "30.000", "0.1"],
        ["two", "-", "0.2"],
    ]


# --- Through the stages ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, photo: NDArray[np.uint8]) -> Iterator[Path]:
    """One scale, scored by its stages on own images: a blank page, a photograph, one of 12 x 12."""
    folder = tmp_path_factory.mktemp("missing")
    images = {
        "blank": np.full((64, 48, 3), 255, np.uint8),
        "photo": photo,
        "small": photo[:12, :12],
    }
    for name, image in images.items():
        (folder / "photos").mkdir(exist_ok=True)
        write_png(folder / f"photos/{name}.png", image)
    methods = {2: (BICUBIC, PLAIN, "regularized")}
    write_study(folder, methods, ["own"])
    write_json(folder / shared_file("own"), [])  # as stage `shared` says of other training images
    (folder / "models").mkdir()
    for setting in methods[2][1:]:
        architecture = small("srcnn", 2)
        save(folder / f"models/x2-{setting}.weights.h5", as_trained(architecture), architecture)
    said = [
        run_stage(folder, f"stages.{stage}", *arguments)
        for stage, *arguments in (
            ("own_images", "own", "photos"),
            ("synthesize", "--dataset", "own", "--scale", "2", "--role", "test"),
            ("bicubic", "--scale", "2", "--test-set", "own"),
            *(
                ("evaluate", "--scale", "2", "--setting", setting, "--test-set", "own")
                for setting in methods[2][1:]
            ),
            ("compare", "--scale", "2", "--test-set", "own"),
            ("summarize",),
            ("report",),
        )
    ]
    assert not re.search(r"\b(nan|inf)\b", "\n".join(said))
    assert "PSNR in dB" in said[2] and "(2 of 3 images)" in said[2]
    yield folder


def _strict(text: str) -> Any:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_blank_and_small_images_are_named_and_left_out_of_the_mean(study: Path) -> None:
    images = _strict((study / "metrics/images/own.json").read_text("utf-8"))["x2"]
    assert images["blank"]["psnr"][BICUBIC] is None
    assert set(images["small"]["ssim"].values()) == {None}
    means = _strict((study / "metrics/summary.json").read_text("utf-8"))
    for method in (BICUBIC, PLAIN, "regularized"):
        for key, others in (("psnr", ("photo", "small")), ("ssim", ("blank", "photo"))):
            values = [images[name][key][method] for name in others]
            assert means[key]["own"]["x2"][method] == pytest.approx(sum(values) / 2, abs=1e-4)
    lines = [
        "own x2: mean PSNR of 2 of 3 images; no finite PSNR: blank",
        "own x2: mean SSIM of 2 of 3 images; no finite SSIM: small",
    ]
    for name in ("metrics/table.txt", "report/index.html"):
        text = (study / name).read_text("utf-8")
        assert [text.count(line) for line in lines] == [1, 1], name
