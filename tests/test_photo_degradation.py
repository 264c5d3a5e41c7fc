"""Degradation `photo`: noise and JPEG, with random strengths for each training image."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from srstudy.common.errors import InputError
from srstudy.common.params import read
from srstudy.common.yaml_file import load_yaml
from srstudy.degradations import photo as file
from srstudy.degradations.shared.degradation import Degradation, StrengthSource, degradation
from srstudy.degradations.shared.settings import StrengthSettings
from srstudy.degradations.shared.strengths import draws, strengths
from srstudy.imagefiles.png import write_png
from srstudy.images.protocols import LITERATURE
from stages import synthesize
from tests.imports import ROOT
from tests.tiny import Study

Photo = NDArray[np.uint8]
PHOTO, MATLAB = degradation("photo"), degradation("matlab")
PINNED = ["4080e40f88ced9ae", "2dccf103cbd62b62"]
CLEAN = {"compressed": 0.0, "noisy": 0.0}


def test_test_lr_is_jpeg_of_quality_75_without_noise(photo: Photo) -> None:
    lr = MATLAB.degrade(photo, 2)
    halved = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    coded = cv2.imencode(".jpg", lr[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 75, *halved])[1]
    decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    assert decoded is not None
    np.testing.assert_array_equal(PHOTO.degrade(photo, 2), decoded[..., ::-1])
    assert PHOTO.sentence().startswith("LR by photo: MATLAB's bicubic imresize, then JPEG of quali")
    assert "75" in PHOTO.description and PHOTO.protocol == LITERATURE


def test_bytes_are_always_the_same(photo: Photo) -> None:
    # Computed once; other versions of OpenCV's JPEG or NumPy's random numbers could change them.
    test = PHOTO.degrade(photo, 2)
    trained = PHOTO.training_pair(photo, 2, ("cat", "full"), StrengthSource(1, {})).lr
    digests = [hashlib.sha256(image.tobytes()).hexdigest()[:16] for image in (test, trained)]
    assert digests == PINNED


def test_strengths_depend_only_on_seed_name_and_copy(photo: Photo) -> None:
    def lr(seed: int, *words: str) -> bytes:
        return PHOTO.training_pair(photo, 2, words, StrengthSource(seed, {})).lr.tobytes()

    first = lr(1, "cat", "full")
    assert lr(1, "cat", "full") == first
    others = {lr(1, "dog", "full"), lr(1, "cat", "copy-0.9"), lr(2, "cat", "full")}
    assert len(others) == 3 and first not in others


def test_strengths_are_within_their_ranges_and_shares() -> None:
    grey = np.full((64, 64), 128, np.uint8)
    noisy = {"photo": {"compressed": 0.0, "noisy": 0.5, "noise": [4, 8]}}
    found = [
        PHOTO.training_pair(grey, 2, (str(n),), StrengthSource(1, noisy)).lr.std()
        for n in range(200)
    ]
    touched = [sigma for sigma in found if sigma]
    assert 80 <= len(touched) <= 120
    assert min(touched) > 3.4 and max(touched) < 8.8 and np.ptp(touched) > 3


def test_qualities_are_drawn_from_their_range(
    photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []

    def compress(image: Photo, quality: int) -> Photo:
        drawn.append(quality)
        return image

    monkeypatch.setattr(file, "decoded_jpeg", compress)
    for n in range(300):
        file.degrade_at_random(photo, 2, draws(1, str(n)), compressed=0.5, quality=(30, 34))
    assert set(drawn) == {30, 31, 32, 33, 34} and 110 <= len(drawn) <= 190


def test_without_noise_and_compression_it_equals_matlab(photo: Photo) -> None:
    pair = PHOTO.training_pair(photo, 4, ("cat",), StrengthSource(1, {"photo": CLEAN}))
    np.testing.assert_array_equal(pair.lr, MATLAB.degrade(photo, 4))
    np.testing.assert_array_equal(pair.hr, photo)


def test_degradation_without_strengths_is_the_same_in_training(photo: Photo) -> None:
    pair = MATLAB.training_pair(photo, 2, ("cat",), StrengthSource(1, {"photo": CLEAN}))
    np.testing.assert_array_equal(pair.lr, MATLAB.degrade(photo, 2))


def test_entry_in_params_yaml_overrides_the_defaults_of_the_file() -> None:
    assert strengths("photo", {"noise": [1, 2]}) == {
        **{"compressed": 0.75, "quality": (15, 85), "noisy": 0.5},
        "noise": (1, 2),
    }
    assert strengths("matlab", {}) == {}


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"photo": {"quality": [0, 85]}}, r"photo\.quality: found \[0, 85\]; allowed: two whole n"),
        ({"photo": {"quality": [85, 15]}}, r"photo\.quality: .* from 1 to 100, the smaller first"),
        ({"photo": {"quality": 75}}, r"photo\.quality: found 75; allowed: two whole numbers"),
        ({"photo": {"quality": [15.5, 85]}}, r"photo\.quality: found \[15.5, 85\]"),
        ({"photo": {"noisy": True}}, r"photo\.noisy: found true; allowed: a number from 0 to 1"),
        ({"photo": {"noisy": 1.5}}, r"photo\.noisy: found 1.5; allowed: a number from 0 to 1"),
        ({"photo": {"noise": [0, float("nan")]}}, r"photo\.noise: found .*nan"),
        ({"photo": {"nosie": [0, 5]}}, r"photo\.nosie: unknown key; did you mean 'noise'"),
        ({"photo": 3}, r"photo: found 3; allowed: a mapping of compressed, quality"),
        ({"matlab": {"noise": 1}}, r"matlab\.noise: unknown key"),
        ({"foto": {}}, r"foto: there is no file srstudy/degradations/foto\.py; allowed: matlab"),
        ([], "found"),
    ],
)
def test_wrong_strengths_are_refused_in_one_line(
    tmp_path: Path, entries: object, said: str
) -> None:
    params = tmp_path / "params.yaml"
    values = {**load_yaml(ROOT / "params.yaml"), "strengths": entries}
    params.write_text(yaml.safe_dump(values))
    with pytest.raises(InputError, match=rf"^.*params\.yaml: strengths[.:] ?{said}") as refused:
        read(StrengthSettings, params)
    assert "\n" not in str(refused.value)


def test_user_function_that_fails_or_returns_a_wrong_size_is_named(photo: Photo) -> None:
    made_by = Degradation(
        "photo", "own", MATLAB.interpolation, LITERATURE, MATLAB.function, lambda *_, **__: photo
    )
    with pytest.raises(InputError, match=r"photo\.py: degrade_at_random gave uint8 of shape"):
        made_by.training_pair(photo, 2, ("cat",), StrengthSource(1, {}))


def test_one_more_image_changes_no_other_image(
    tmp_path: Path, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = load_yaml(ROOT / "params.yaml")
    values |= {"degradation": "photo", "downscaled_copies": [0.8]}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
    folder = tmp_path / "data/raw/few"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["x", "--dataset=few", "--scale=2", "--role=train"])
    lr = tmp_path / "data/lr/x2/train/few"

    def made(*names: str) -> dict[str, bytes]:
        for name in names:
            write_png(folder / f"{name}.png", photo)
        synthesize.main()
        return {
            str(path.relative_to(lr)): path.read_bytes() for path in sorted(lr.rglob("lr/*.png"))
        }

    before = made("b", "d")
    after = made("a", "c")
    assert len(before) == 4 and len(after) == 8
    assert len(set(after.values())) == 8  # the same photograph, each time with other strengths
    assert {name: after[name] for name in before} == before


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_study_runs_with_it_as_with_any_other(tmp_path: Path) -> None:
    study = Study.of_working_tree(tmp_path / "study", tmp_path / "shared")
    run = study("dvc", "exp", "run", "-S", "degradation=photo", "compare", "report")
    assert run.status == 0, run.text
    assert PHOTO.sentence() in (study.root / "metrics/table.txt").read_text("utf-8")
    targets = ["synthesize-train@2", "synthesize-test@2-sample-test"]
    again = study("dvc", "exp", "run", "-S", "strengths.photo.noisy=0.1", *targets)
    assert again.status == 0 and "synthesize-train@2" in again.stages, again.text
    assert "synthesize-test@2-sample-test" not in again.stages  # its strength is fixed
