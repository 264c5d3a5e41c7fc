"""Pictures that a training set and a test set share are found and named."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from srstudy.common.errors import InputError
from srstudy.common.files import read_json
from srstudy.datasets.download import fetch
from srstudy.datasets.shared_pictures import LISTED, lines_of, shared_pictures
from srstudy.imagefiles.listing import list_images
from srstudy.imagefiles.png import write_png
from srstudy.imagefiles.reading import read_image
from srstudy.images.colour import luma
from srstudy.images.orientations import ORIENTATIONS, turned
from stages import shared

Image = NDArray[np.uint8]
RealImages = Callable[[str], list[Path]]


def _resized(image: Image, factor: float) -> Image:
    size = (round(image.shape[1] * factor), round(image.shape[0] * factor))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, size, interpolation=method).astype(np.uint8)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded training photographs, in a small size for a fast comparison."""
    folder = tmp_path_factory.mktemp("raw")
    fetch("sample", folder / "whole")
    for path in list_images(folder / "whole"):
        image = read_image(path)
        _write(folder / f"sample/{path.stem}.png", _resized(image, 240 / max(image.shape)))
    return folder / "sample"


def _jpeg(image: Image, quality: int) -> Image:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.uint8)


def _write(path: Path, image: Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, np.ascontiguousarray(image))


COPIES: dict[str, Callable[[Image], Image]] = {
    "the same": lambda image: image,
    "shrunk": lambda image: _resized(image, 0.4),
    "shrunk, not by a whole factor": lambda image: _resized(image, 0.72),
    "enlarged": lambda image: _resized(image, 1.7),
    "compressed": lambda image: _jpeg(image, 10),
    "darker": lambda image: (image * 0.5).astype(np.uint8),
    "lighter": lambda image: (255 * (image / 255) ** 0.5).astype(np.uint8),
    "without colour": lambda image: luma(image, "full").round().astype(np.uint8),
    "without a narrow border": lambda image: image[
        image.shape[0] // 100 :, image.shape[1] // 100 :
    ],
    **{f"orientation {o}": partial(turned, orientation=o) for o in range(1, ORIENTATIONS)},
    "all of it": lambda image: _jpeg(turned(_resized((image * 0.8).astype(np.uint8), 0.5), 5), 30),
}


@pytest.mark.parametrize("copy", COPIES)
def test_copy_of_a_training_image_is_found(tmp_path: Path, sample: Path, copy: str) -> None:
    paths = list_images(sample)
    for path in paths:
        made = COPIES[copy](read_image(path))
        _write(tmp_path / f"mine/{path.stem}.png", made)
    expected = [(f"sample/{path.name}", f"mine/{path.stem}.png") for path in paths]
    assert shared_pictures(sample, tmp_path / "mine") == expected


def test_different_pictures_are_not_the_same(tmp_path: Path, sample: Path) -> None:
    fetch("sample-test", tmp_path / "sample-test")
    assert shared_pictures(sample, tmp_path / "sample-test") == []


def test_gradients_and_even_pictures_are_not_the_same(tmp_path: Path) -> None:
    # Like a sky: light at the top, dark at the bottom. After the subtraction, only noise remains.
    random = np.random.default_rng(0)
    slope = np.linspace(200, 60, 90)[:, np.newaxis]
    for name in ("train", "test"):
        noise = random.normal(0, 3, (90, 120))
        _write(tmp_path / name / "sky.png", (slope + noise).astype(np.uint8))
        _write(tmp_path / name / "even.png", np.full((90, 120), 128, np.uint8))
    assert shared_pictures(tmp_path / "train", tmp_path / "test") == []


def test_picture_of_another_aspect_ratio_is_not_the_same(tmp_path: Path, sample: Path) -> None:
    image = read_image(sample / "chelsea.png")
    _write(tmp_path / "test/a.png", np.repeat(image, 2, axis=1))
    assert shared_pictures(sample, tmp_path / "test") == []


def test_folder_that_is_missing_is_refused(tmp_path: Path, sample: Path) -> None:
    with pytest.raises(InputError, match=r"lost: there is no such folder"):
        shared_pictures(sample, tmp_path / "lost")


def test_stage_prints_a_warning_for_each_image_and_writes_the_pairs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    photo: Image,
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in ("mine/eyes.png", "mine/eyes again.png", "new/a.png"):
        _write(tmp_path / "data/raw" / path, photo)
    _write(tmp_path / "data/raw/new/b.png", photo[:60])
    monkeypatch.setattr("sys.argv", ["stages.shared", "--dataset", "mine", "--test-set", "new"])
    shared.main()
    assert read_json(Path("data/shared/new.json")) == [
        ["mine/eyes again.png", "new/a.png"],
        ["mine/eyes.png", "new/a.png"],
    ]
    assert capsys.readouterr().out.splitlines() == [
        "warning: new/a.png is also in the training set mine, as eyes again.png, eyes.png: its "
        "score is not that of an unseen picture",
        "data/shared/new.json: pictures in both mine and new: 2",
    ]


def test_many_shared_pictures_give_one_line_that_names_the_file() -> None:
    pairs = [(f"mine/{i}.png", f"new/{i}.png") for i in range(LISTED + 1)]
    assert lines_of(pairs, "new") == [
        "new: 6 images are also in the training set mine (data/shared/new.json): these scores are "
        "not those of unseen pictures"
    ]
    assert len(lines_of(pairs[1:], "new")) == LISTED
    assert lines_of([], "new") == []
    (line,) = lines_of([(f"mine/{i}.png", "new/a.png") for i in range(LISTED + 2)], "new")
    assert ", as 0.png, 1.png, 2.png, 3.png, 4.png and 2 more: its score" in line


# Checked by eye.
KNOWN = {("302003.jpg", "set5/woman_GT.bmp")}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("train_set", "known"), [("t91", set()), ("t291", KNOWN), ("t290", set()), ("bsd200", KNOWN)]
)
def test_sets_of_the_literature_share_exactly_these_pictures(
    real_images: RealImages, train_set: str, known: set[tuple[str, str]]
) -> None:
    found: set[tuple[str, str]] = set()
    train = real_images(train_set)[0].parent
    for test_set in ("set5", "set14", "bsd100", "urban100"):
        found |= set(shared_pictures(train, real_images(test_set)[0].parent))
    assert found == {(f"{train_set}/{file}", image) for file, image in known}
