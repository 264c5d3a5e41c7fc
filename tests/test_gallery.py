"""Which images the report page shows, and how their pictures are cropped and compressed."""

import base64
import json
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from srstudy.report.gains import gains, in_words, mean_gains
from srstudy.report.gallery import BYTES, QUALITIES, SIDE, TRUTH, best_and_worst, pictures
from srstudy.scoring.metrics import Metric

HEAD = "data:image/webp;base64,"


def _decoded(uri: str) -> NDArray[Any]:
    data = np.frombuffer(base64.b64decode(uri.removeprefix(HEAD)), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert image is not None
    return image[..., ::-1]


def test_gain_is_over_bicubic_and_reversed_if_lower_is_better(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scores = {"bicubic": 30.0, "plain": 31.5, "regularized": None}
    assert gains({"psnr": scores}) == {"plain": 1.5, "regularized": None}
    assert gains({"psnr": {**scores, "bicubic": None}}) == {"plain": None, "regularized": None}
    assert in_words(1.5) == "+1.50 dB" and in_words(None) == ""
    error = {"mse": Metric(lambda *_: 0.0, "MSE", 1, lower_is_better=True)}
    for module in ("srstudy.report.gains", "srstudy.scoring.metrics"):
        monkeypatch.setattr(f"{module}.METRICS", error)
    assert gains({"mse": scores}) == {"plain": -1.5, "regularized": None}
    assert in_words(-1.5) == "-1.5"


def test_mean_gain_is_that_of_the_first_network_over_its_scales() -> None:
    def entry(bicubic: float | None, plain: float) -> dict[str, Any]:
        return {"psnr": {"bicubic": bicubic, "plain": plain, "regularized": 99.0}}

    content = {
        "protocol": "words",
        "x2": {"a": entry(30, 32), "b": entry(None, 50), "c": entry(None, 50)},
        "x4": {"a": entry(25, 26), "b": entry(40, 43), "c": entry(None, 50)},
    }
    assert mean_gains(content) == {"a": 1.5, "b": 3.0, "c": None}


def test_largest_and_smallest_gains_alternate_and_missing_gains_are_last() -> None:
    gain = {"a": 1.0, "none": None, "b": 3.0, "c": 2.0, "d": -1.0, "e": 0.0}
    assert best_and_worst(gain) == ["b", "d", "c", "e", "a", "none"]
    assert best_and_worst(gain, 4) == ["b", "d", "c", "e"]
    assert best_and_worst({"a": None, "b": None}, 1) == ["a"]
    assert best_and_worst({}) == []


def test_large_picture_is_cropped_around_the_error() -> None:
    truth = np.zeros((900, 1500), np.uint8)
    wrong = truth.copy()
    wrong[850:860, 1400:1410] = 255
    found = pictures(truth, {"bicubic": wrong, "plain": truth})
    assert (found["height"], found["width"]) == (SIDE, SIDE)
    assert list(found["versions"]) == ["bicubic", "plain", TRUTH]
    crop = found["crop"]
    # The crop holds the error: rows 850 to 860 of 900, columns 1400 to 1410 of 1500.
    top, left = crop["top"] + 900 - SIDE, crop["left"] + 1500 - SIDE
    assert top <= 850 and top + crop["side"] >= 860
    assert left <= 1400 and left + crop["side"] >= 1410
    shown = _decoded(found["versions"]["bicubic"])[..., 0]
    assert shown.shape == (SIDE, SIDE)
    assert shown[855 - (900 - SIDE), 1405 - (1500 - SIDE)] > 200 and shown[: SIDE // 2].max() < 50


def test_colours_stay_in_their_order(photo: NDArray[np.uint8]) -> None:
    red = np.zeros_like(photo)
    red[..., 0] = 200
    shown = _decoded(pictures(photo, {"bicubic": red})["versions"]["bicubic"])
    assert shown.shape == photo.shape
    assert np.abs(shown.astype(int) - (200, 0, 0)).max() < 10


def test_versions_of_an_image_have_the_same_best_possible_quality(
    photo: NDArray[np.uint8],
) -> None:
    rough = np.random.default_rng(0).integers(256, size=(SIDE, SIDE, 3), dtype=np.uint8)
    smooth = cv2.GaussianBlur(rough, (0, 0), 3).astype(np.uint8)
    assert pictures(photo, {"bicubic": photo})["quality"] == QUALITIES[0]
    alone = pictures(smooth, {"bicubic": smooth})["quality"]
    found = pictures(rough, {"bicubic": smooth, "plain": smooth})
    assert found["quality"] < alone
    sizes = [len(base64.b64decode(v.removeprefix(HEAD))) for v in found["versions"].values()]
    assert sum(sizes) <= 3 * BYTES


def test_gallery_can_be_written_as_json(photo: NDArray[np.uint8]) -> None:
    found = pictures(photo[..., 0], {"bicubic": photo[..., 0]})
    assert json.loads(json.dumps(found)) == found
