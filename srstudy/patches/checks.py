"""Checks of a patch file (HDF5) before it is read through a memory map.

A read beyond the end of a mapped file kills the process without a message, and a wrong offset gives
wrong pixels. So these checks trust nothing in the file: they check where and how each dataset is
stored, and every place.
"""

import math
from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from srstudy.degradations.shared import degradation
from srstudy.images.pairs import Pair
from srstudy.patches.layout import FORMAT, PLANE

PIECE = 1 << 18  # places checked at a time: a few MB of memory, for any number of places


class Fault(Exception):
    """A fault of the file: the dataset or attribute, what was found, what is allowed."""


def checked_attributes(file: h5py.File, scale: int) -> tuple[str, int]:
    """The file's degradation and patch size. Raises `Fault`."""
    for key, one in (("format", FORMAT), ("scale", scale)):
        if (found := _number(file, key)) != one:
            hint = "; `dvc repro` makes it again" if key == "format" else ""
            raise Fault(f"{key}: found {found}; allowed: {one}{hint}")
    name = file.attrs.get("degradation")
    if not isinstance(name, str) or name not in degradation.names():
        allowed = ", ".join(degradation.names())
        raise Fault(f"degradation: found {_short(name)}; allowed: {allowed}")
    sizes = {key: _number(file, key) for key in ("patch_size", "stride")}
    for key, found in sizes.items():
        if found < 1 or found % scale:
            raise Fault(f"{key}: found {found}; allowed: multiples of the scale {scale}")
    return name, sizes["patch_size"]


def mapped_pair(whole: NDArray[np.uint8], file: h5py.File, group: str, scale: int) -> Pair:
    """The LR (h, w) and HR (h * scale, w * scale) planes of a group, as views of the map.

    whole: the bytes of the file, mapped. Raises `Fault`.
    """
    pair = Pair(*(mapped(whole, file, f"{group}/{side}", PLANE) for side in Pair._fields))
    if pair.hr.shape != (pair.lr.shape[0] * scale, pair.lr.shape[1] * scale):
        raise Fault(
            f"{group}: found {pair.lr.shape} LR and {pair.hr.shape} HR; "
            f"allowed: HR of {scale} times each side"
        )
    return pair


def mapped(whole: NDArray[np.uint8], file: h5py.File, name: str, dtype: str) -> NDArray[Any]:
    """A dataset of two axes as a view of the map. Raises `Fault`."""
    dataset = file[name]
    if not isinstance(dataset, h5py.Dataset) or not _is_plain(dataset, file, np.dtype(dtype)):
        raise Fault(
            f"{name}: allowed: a dataset of {np.dtype(dtype)} with two axes, contiguous, "
            "uncompressed, in this file"
        )
    if not dataset.size:
        raise Fault(f"{name}: is empty")
    start = dataset.id.get_offset()
    if start is None:
        raise Fault(f"{name}: has no data")
    # Python's integers: NumPy's could overflow to a small number.
    end = start + math.prod(map(int, dataset.shape)) * np.dtype(dtype).itemsize
    if end > len(whole):
        raise Fault(f"{name}: ends at byte {end}, but the file has {len(whole)} bytes")
    return whole[start:end].view(dtype).reshape(dataset.shape)


def check_places(
    places: NDArray[np.int32], shapes: Sequence[tuple[int, ...]], size: int, scale: int
) -> None:
    """Raise `Fault` if places (n, 3) are not complete patches inside HR planes of these shapes."""
    if places.shape[1] != 3:
        raise Fault(f"places: found {places.shape[1]} columns; allowed: image, row, column")
    last = np.array(shapes, np.int64).reshape(-1, 2) - size
    for start in range(0, len(places), PIECE):
        piece = places[start : start + PIECE]
        image, corner = piece[:, 0], piece[:, 1:]
        valid = (image >= 0) & (image < len(last))
        valid &= ((corner >= 0) & (corner % scale == 0)).all(axis=1)
        # Only now: a wrong image number must not be used as an index.
        valid[valid] = (corner[valid] <= last[image[valid]]).all(axis=1)
        if not valid.all():
            wrong = int(np.argmin(valid))  # the first that is not valid
            found = "image {}, row {}, column {}".format(*piece[wrong].tolist())
            raise Fault(
                f"places: found {found} in line {start + wrong}; allowed: complete patches of "
                f"{len(last)} images, at multiples of the scale {scale}"
            )


def _is_plain(dataset: h5py.Dataset, file: h5py.File, dtype: np.dtype) -> bool:
    made = dataset.id.get_create_plist()
    return (
        dataset.ndim == 2
        and dataset.id.get_type() == h5py.h5t.py_create(dtype)
        and made.get_layout() == h5py.h5d.CONTIGUOUS
        and made.get_nfilters() == made.get_external_count() == 0
        # A link can lead into another file.
        and h5py.h5o.get_info(dataset.id).fileno == h5py.h5o.get_info(file.id).fileno
    )


def _number(file: h5py.File, key: str) -> int:
    found = file.attrs.get(key)
    if not isinstance(found, int | np.integer):
        raise Fault(f"{key}: found {_short(found)}; allowed: a whole number")
    return int(found)


def _short(value: object) -> str:
    text = " ".join(str("nothing" if value is None else value).split())
    return text if len(text) <= 40 else text[:37] + "..."
