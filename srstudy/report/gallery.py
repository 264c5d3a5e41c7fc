"""The pictures of the report page: a few images of each test set, restored by every method.

The stage `compare` makes one JSON file per image and scale. The stage `report` knows the gains at
all scales and chooses the images.
"""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from srstudy.common.files import read_json
from srstudy.report.gains import in_words, mean_gains
from srstudy.report.pictures import caption, highest_window, squared_error
from srstudy.scoring.metrics import first_metric
from srstudy.scoring.tables import scales_of

GALLERY = Path("data/gallery")
MOST_IMAGES = 8  # of a test set
TRUTH = "ground truth"
CROP = 64  # HR pixels
SIDE = 320  # a larger picture is cut to this side
# The page with Set5, Set14, BSD100 and Urban100 at three scales must stay below 20 MB; its 29
# images have 696 versions. The versions of an image get the best of these WebP qualities with which
# they have at most this number of bytes each, on average. Chosen by measured sizes.
QUALITIES = (95, 88, 80, 70, 60, 45, 30, 0)
BYTES = 20_000


def gallery_folder(scale: int, test_set: str) -> Path:
    """The folder of a test set's pictures at a scale."""
    return GALLERY / f"x{scale}" / test_set


def pictures(truth: NDArray[np.uint8], versions: Mapping[str, NDArray[np.uint8]]) -> dict[str, Any]:
    """An image at a scale for the page, as JSON: each method's version, then the ground truth.

    All are uint8 (H, W[, 3]). The zoomed crop is the place with the largest error of the first
    version. A picture larger than SIDE is cut to the part around the crop. All versions have the
    same compression quality.
    """
    rows, columns, crop = _window(squared_error(truth, next(iter(versions.values()))))
    parts = {name: image[rows, columns] for name, image in {**versions, TRUTH: truth}.items()}
    files, quality = _compressed(parts)
    height, width = parts[TRUTH].shape[:2]
    uris = {name: _uri(data) for name, data in files.items()}
    shown = {"height": height, "width": width, "crop": crop, "quality": quality}
    return {**shown, "versions": uris}


def gallery(test_set: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """A test set for the page's script: the images to show, in order, and their pictures.

    content: that of metrics/images/<test set>.json.
    """
    gain, scales = mean_gains(content), scales_of(content)
    shown = best_and_worst(gain)
    labels = [", ".join(filter(None, (name, in_words(gain[name])))) for name in shown]
    return {
        "name": test_set,
        "images": [[name, label] for name, label in zip(shown, labels, strict=True)],
        "scales": {
            scale: {name: _captioned(test_set, scale, name, images[name]) for name in shown}
            for scale, images in scales.items()
        },
    }


def best_and_worst(gain: Mapping[str, float | None], most: int = MOST_IMAGES) -> list[str]:
    """At most `most` images: with the largest gain, the smallest, the second largest, and so on.

    Images without a gain (None) come last.
    """
    known = {name: value for name, value in gain.items() if value is not None}
    ranked = sorted(known, key=lambda name: -known[name])
    in_turn = [name for pair in zip(ranked, ranked[::-1], strict=True) for name in pair]
    return list(dict.fromkeys([*in_turn, *gain]))[:most]


def _captioned(test_set: str, scale: str, name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    content = read_json(gallery_folder(int(scale[1:]), test_set) / f"{name}.json")
    scores = entry[first_metric()]
    words = {method: caption(method, score) for method, score in scores.items()} | {TRUTH: TRUTH}
    versions = content["versions"]
    content["versions"] = {key: [versions[key], words[key]] for key in words}
    return content


def _window(error: NDArray[np.floating]) -> tuple[slice, slice, dict[str, int]]:
    """The rows and columns to show, and the position of the crop inside them."""
    height, width = error.shape
    side = min(CROP, height, width)
    top, left = highest_window(error, side)
    high, wide = min(SIDE, height), min(SIDE, width)
    first = min(max(0, top + side // 2 - high // 2), height - high)
    start = min(max(0, left + side // 2 - wide // 2), width - wide)
    crop = {"top": top - first, "left": left - start, "side": side}
    return slice(first, first + high), slice(start, start + wide), crop


def _compressed(parts: Mapping[str, NDArray[np.uint8]]) -> tuple[dict[str, bytes], int]:
    for quality in QUALITIES:
        files = {name: _webp(part, quality) for name, part in parts.items()}
        if sum(map(len, files.values())) <= BYTES * len(files):
            break
    return files, quality


def _webp(image: NDArray[np.uint8], quality: int) -> bytes:
    bgr = image if image.ndim == 2 else np.ascontiguousarray(image[..., ::-1])
    _, data = cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, quality])
    return data.tobytes()


def _uri(data: bytes) -> str:
    return "data:image/webp;base64," + base64.b64encode(data).decode()
