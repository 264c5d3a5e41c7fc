"""Which images are held out, and the places of the patches in an image."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from srstudy.common.errors import InputError
from srstudy.images.pairs import Pair

HELD_OUT = Path("data/held-out.txt")


def split(
    names: Sequence[str], share: float | None = None, count: int | None = None
) -> tuple[list[str], list[str]]:
    """Names for training and held-out names, evenly spaced: `count`, or round(share * n) of n.

    The choice is not random: runs with different seeds need the same held-out images. With a share,
    at least one image is held out and at least one is not. Raises ValueError unless exactly one of
    share and count is given, and `InputError` for fewer than two names or at most count names.
    """
    if (share is None) == (count is None):
        raise ValueError(f"either a share or a count, not share {share} and count {count}")
    total = len(names)
    if total < 2:
        raise InputError(f"train_set: found {total} image; allowed: at least 2, as one is held out")
    if count is None:
        assert share is not None
        count = min(max(1, round(share * total)), total - 1)
    if not 1 <= count < total:
        raise InputError(
            f"validation_images: found {count}, and train_set has {total} images; "
            f"allowed: 1 to {total - 1}"
        )
    held_out = [names[(2 * i + 1) * total // (2 * count)] for i in range(count)]
    return [name for name in names if name not in set(held_out)], held_out


def split_by(names: Sequence[str], listed: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names for training and held-out names: the listed ones are held out.

    Raises `InputError` if no name or every name is listed, or if a listed name does not exist.
    """
    if absent := [name for name in listed if name not in set(names)]:
        raise InputError(
            f"validation_list: found {absent[0]!r} in {HELD_OUT}; allowed: images of train_set"
        )
    held_out = [name for name in names if name in set(listed)]
    if not 0 < len(held_out) < len(names):
        found = "none" if not held_out else "all"
        raise InputError(
            f"validation_list: found {found} of train_set's {len(names)} images in {HELD_OUT}; "
            "allowed: some of them; or false, and a validation_share"
        )
    return [name for name in names if name not in set(listed)], held_out


def read_list(path: Path, dataset: str) -> list[str]:
    """The names of a data set's images in a list file: one `set/name` per line, without a suffix.

    If several sets have an image, its line names them all: `t91,t290/name`. `#` begins a comment.

    Raises `InputError` if the file is missing or a line has another form.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    found = []
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        before, _, name = text.partition("/")
        sets = [one.strip() for one in before.split(",")]
        if not (name and all(sets)) or "/" in name:
            raise InputError(f"{path}: line {number}: found {text!r}; allowed: set/name")
        if dataset in sets:
            found.append(name)
    return found


def check_sizes(size: int, stride: int, scale: int) -> None:
    """Raise ValueError unless size and stride are whole numbers of LR pixels."""
    if size < 1 or stride < 1 or size % scale or stride % scale:
        raise ValueError(f"size {size} and stride {stride} must be multiples of scale {scale}")


def check_pair(pair: Pair, scale: int) -> None:
    """Raise ValueError unless the HR plane (H, W) is scale times as large as LR (h, w)."""
    lr, hr = pair
    if hr.shape != (lr.shape[0] * scale, lr.shape[1] * scale):
        raise ValueError(f"HR {hr.shape} is not {scale} times LR {lr.shape}")


def grid(shape: Sequence[int], size: int, stride: int) -> NDArray[np.int32]:
    """Row and column of each patch of a plane (H, W), as (n, 2), row by row.

    n is 0 if the plane is smaller than a patch. A border too small for a patch is not used.
    """
    tops, lefts = (np.arange(0, side - size + 1, stride, dtype=np.int32) for side in shape)
    return np.stack(np.meshgrid(tops, lefts, indexing="ij"), axis=-1).reshape(-1, 2)


def cut(pair: Pair, size: int, stride: int, scale: int) -> Pair:
    """All patches of one image pair on the regular grid, row by row, in memory.

    pair: LR (h, w) and HR (h * scale, w * scale); size and stride in HR pixels, multiples of scale.
    Returns LR (n, size / scale, size / scale) and HR (n, size, size); n is 0 if the image is
    smaller than a patch. Raises ValueError if the pair or the sizes do not fit the scale.
    """
    check_sizes(size, stride, scale)
    check_pair(pair, scale)
    return Pair(_windows(pair.lr, size // scale, stride // scale), _windows(pair.hr, size, stride))


def _windows(plane: NDArray[np.uint8], size: int, stride: int) -> NDArray[np.uint8]:
    if min(plane.shape) < size:
        return np.empty((0, size, size), plane.dtype)
    windows = sliding_window_view(plane, (size, size))[::stride, ::stride]
    return windows.reshape(-1, size, size)
