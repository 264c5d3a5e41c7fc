"""Pictures that a training set and a test set share: the score of such a test image is too high.

The two files can differ: one may be a smaller, mirrored, turned, lighter or more compressed copy of
the other. Only whole pictures are compared; a part that is cut out of another picture is not found.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from srstudy.common.files import read_json
from srstudy.common.progress import progress
from srstudy.datasets.parallel import ordered_map
from srstudy.imagefiles.listing import list_images
from srstudy.imagefiles.reading import read_image
from srstudy.images.colour import luma
from srstudy.images.orientations import ORIENTATIONS, turned

SHARED = Path("data/shared")
SIDE = 32  # pixels: every picture is shrunk to a square of this side
SURROUNDINGS = 4  # pixels: sigma of the blurred picture that is subtracted
EVEN = 0.5  # grey levels: a picture with at most this deviation has nothing to compare
ALIKE = 0.7  # the least correlation of two copies
RATIO = 1.1  # the largest ratio of their aspect ratios
LISTED = 5  # the most pictures that are named in a table

Pair = tuple[str, str]  # the files of a training image and a test image, each `<set>/<file>`


@dataclass(frozen=True)
class _View:
    """A picture, prepared for the comparison."""

    name: str
    aspect: float  # width / height
    detail: NDArray[np.float32]  # (SIDE, SIDE), mean 0 and norm 1; all 0 for an even picture


def shared_pictures(train: Path, test: Path) -> list[Pair]:
    """The images of the folder `train` that show the same picture as an image of `test`.

    Sorted by the test image. Every image is read once; SIDE x SIDE numbers are kept for each test
    image. Raises `InputError` if a folder is missing or a file is not an image.

    Two pictures count as the same if their shrunk luma, minus its blurred copy, has a correlation
    of at least ALIKE in one of the eight orientations. Measured on T91, BSD200, Set5, Set14, BSD100
    and Urban100: different pictures reach at most 0.49 (0.93 without the subtraction); woman of
    Set5 and its larger copy in BSD200 reach 0.96; copies with a JPEG quality of 10, half the
    brightness, a gamma of 0.5 or 2, a quarter of the size, or noise reach at least 0.85, and 0.81
    if 1% is cut off.
    """
    known = list(_views(test))
    details = np.stack([view.detail.ravel() for view in known])
    aspects = np.array([view.aspect for view in known])
    lying = np.arange(ORIENTATIONS) % 2 == 1  # a quarter turn exchanges width and height
    pairs = []
    for view in _views(train):
        turns = np.stack([turned(view.detail, o).ravel() for o in range(ORIENTATIONS)])
        ratios = np.log(np.where(lying, 1 / view.aspect, view.aspect) / aspects[:, np.newaxis])
        found = (details @ turns.T >= ALIKE) & (np.abs(ratios) <= np.log(RATIO))
        pairs += [(known[i].name, view.name) for i in np.flatnonzero(found.any(axis=1))]
    return [(of_train, of_test) for of_test, of_train in sorted(pairs)]


def _views(folder: Path) -> Iterator[_View]:
    paths = list_images(folder)
    return iter(progress(ordered_map(_view, paths), f"compare {folder.name}", len(paths), "image"))


def _view(path: Path) -> _View:
    image = read_image(path)
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.uint8)
    detail = _less_surroundings(luma(small, "full").astype(np.float32))
    deviation = float(detail.std())
    unit = detail / (deviation * SIDE) if deviation > EVEN else np.zeros_like(detail)
    return _View(f"{path.parent.name}/{path.name}", image.shape[1] / image.shape[0], unit)


def _less_surroundings(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """A plane minus its blurred copy, with mean 0.

    Without this, all pictures with a light sky at the top would be similar.
    """
    border = 3 * SURROUNDINGS
    # The plane is extended linearly beyond its edges, so that a constant slope becomes 0.
    wider = np.pad(grey, border, mode="reflect", reflect_type="odd")
    inside = slice(border, -border)
    detail = grey - cv2.GaussianBlur(wider, (0, 0), SURROUNDINGS)[inside, inside]
    return (detail - detail.mean()).astype(np.float32)


def shared_file(test_set: str) -> Path:
    """The JSON file with the pairs of a test set: a list of [training image, test image]."""
    return SHARED / f"{test_set}.json"


def shared_lines(test_sets: Sequence[str]) -> list[str]:
    """Lines for readers about the pictures that test sets share with the training set.

    A test set that shares many pictures gets one line. [] if nothing is shared. `InputError` names
    a missing file.
    """
    return [line for name in test_sets for line in lines_of(read_json(shared_file(name)), name)]


def lines_of(pairs: Sequence[Sequence[str]], test_set: str) -> list[str]:
    """The same lines for the pairs of one test set."""
    copies: dict[str, list[str]] = {}
    for of_train, of_test in pairs:
        copies.setdefault(of_test, []).append(of_train)
    if len(copies) > LISTED:
        train_set = pairs[0][0].partition("/")[0]
        return [
            f"{test_set}: {len(copies)} images are also in the training set {train_set} "
            f"({shared_file(test_set)}): these scores are not those of unseen pictures"
        ]
    lines = []
    for image, others in copies.items():
        train_set = others[0].partition("/")[0]
        files = ", ".join(other.partition("/")[2] for other in others[:LISTED])
        if len(others) > LISTED:
            files += f" and {len(others) - LISTED} more"
        lines.append(
            f"{image} is also in the training set {train_set}, as {files}: its score is not that "
            "of an unseen picture"
        )
    return lines
