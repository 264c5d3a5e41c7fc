"""Scoring a test set: work on several images overlaps, with the same results as one by one."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from srstudy.common.ahead import ahead
from srstudy.common.errors import InputError
from srstudy.datasets.lr_folders import FULL, make_folders, write_pair
from srstudy.degradations.shared.degradation import degradation
from srstudy.imagefiles.reading import read_image
from srstudy.scoring.evaluation import evaluate, images_folder, scored, scores_file

MATLAB = degradation("matlab")
SOURCE = Path("data/lr/x2/test/tiny")
RESTORED, SCORES = images_folder(2, "own", "tiny"), scores_file(2, "own", "tiny")
NAMES = ["a", "b", "c", "d"]
Image = NDArray[np.uint8]


@pytest.fixture
def hr(photo: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Image]:
    """A synthesized test set of four images of two sizes, one grey, in the current folder."""
    monkeypatch.chdir(tmp_path)
    images = [photo[:60], photo[:60, :60], photo[60:], photo[60:, :, 1]]
    make_folders(SOURCE, [FULL])
    for name, image in zip(NAMES, images, strict=True):
        write_pair(SOURCE, FULL, name, MATLAB.pair(image, 2))
    return dict(zip(NAMES, images, strict=True))


def _enlarge(lr: Image) -> Image:
    return MATLAB.enlarge(lr, 2)


def test_each_image_has_its_own_restored_file_and_scores(hr: dict[str, Image]) -> None:
    evaluate("tiny", 2, "own", MATLAB, _enlarge)
    written = json.loads(SCORES.read_text("utf-8"))
    assert list(written) == NAMES
    for name, image in hr.items():
        restored = _enlarge(MATLAB.degrade(image, 2))
        np.testing.assert_array_equal(read_image(RESTORED / f"{name}.png"), restored)
        scores = scored(MATLAB.protocol, image.copy(), restored, 2)
        assert written[name] == {key: round(value, 6) for key, value in scores.items()}


def test_next_image_is_restored_while_one_is_scored(
    hr: dict[str, Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = [threading.Event() for _ in NAMES]
    order = iter(range(len(NAMES)))
    counted = iter(range(len(NAMES)))

    def restoring(lr: Image) -> Image:
        begun[next(order)].set()
        return _enlarge(lr)

    def scoring(*arguments: Any) -> dict[str, float]:
        following = next(counted) + 1
        assert following == len(NAMES) or begun[following].wait(20)
        return scored(*arguments)

    monkeypatch.setattr("srstudy.scoring.evaluation.scored", scoring)
    evaluate("tiny", 2, "own", MATLAB, restoring)
    assert len(json.loads(SCORES.read_text("utf-8"))) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", ["lr", "hr"])
def test_broken_image_is_named_at_any_position_and_nothing_is_written(
    hr: dict[str, Image], name: str, side: str
) -> None:
    path = SOURCE / FULL / side / f"{name}.png"
    path.write_bytes(path.read_bytes()[:90])
    with pytest.raises(InputError, match=rf"^{path}: is not a complete image"):
        evaluate("tiny", 2, "own", MATLAB, _enlarge)
    assert not SCORES.exists() and not list(Path("data/restored").rglob("*.png"))


def test_fault_of_the_network_is_raised_and_old_files_stay(
    hr: dict[str, Image],
) -> None:
    evaluate("tiny", 2, "own", MATLAB, _enlarge)
    before = {path: path.read_bytes() for path in (SCORES, *RESTORED.iterdir())}

    def failing(lr: Image) -> Image:
        if lr.ndim == 2:
            raise InputError("the network has a fault")
        return 255 - _enlarge(lr)

    with pytest.raises(InputError, match=r"^the network has a fault$"):
        evaluate("tiny", 2, "own", MATLAB, failing)
    assert {path: path.read_bytes() for path in (SCORES, *RESTORED.iterdir())} == before
    with pytest.raises(InputError, match=r"own: made uint8 of shape .* from a at x2; allowed"):
        evaluate("tiny", 2, "own", MATLAB, lambda lr: lr)


def test_items_come_in_order_and_at_most_one_waits() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(9):
            made.append(number)
            yield number

    taken = []
    for number in ahead(items()):
        taken.append(number)
        assert len(made) <= len(taken) + 1
    assert taken == made == list(range(9))
    assert list(ahead(iter([]))) == []


def test_error_of_an_item_is_raised_in_its_place() -> None:
    taken = []
    with pytest.raises(ZeroDivisionError):
        for number in ahead(ahead(6 // left for left in (3, 2, 1, 0))):
            taken.append(number)
    assert taken == [2, 3, 6]


def test_scoring_that_ends_early_leaves_no_thread(
    hr: dict[str, Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, seen = set(threading.enumerate()), set[threading.Thread]()

    def failing(*_: Any) -> None:
        seen.update(threading.enumerate())
        raise InputError("the disk has a fault")

    monkeypatch.setattr("srstudy.scoring.evaluation.write_png", failing)
    with pytest.raises(InputError, match="the disk has a fault"):
        evaluate("tiny", 2, "own", MATLAB, _enlarge)
    assert seen > before and not set(threading.enumerate()) - before
    assert not RESTORED.exists() and not list(RESTORED.parent.iterdir())
