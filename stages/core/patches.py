"""The HDF5 file that holds a scale's training patches and its held-out images.

    train/lr            (patches, size / scale, size / scale) uint8, luma
    train/hr            (patches, size, size) uint8, the same places
    validation/NAME/lr  (h, w) uint8, a whole held-out image
    validation/NAME/hr  (h * scale, w * scale) uint8
    training_images     names of the images that the patches are from

Each patch is one HDF5 chunk. The file's attributes tell how it came about. Nothing of one image,
copies included, is on both sides of the split.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from stages.core.degradation import KINDS, Kind
from stages.core.errors import InputError
from stages.core.files import ensure_room

FORMAT = 2

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def split(names: Sequence[str], share: float) -> tuple[list[str], list[str]]:
    """Names for training and names held out: round(share * n) evenly spaced ones, at least one.

    No random choice: runs of different seeds must be compared on the same held-out images.
    `InputError` if there are fewer than two names.
    """
    if len(names) < 2:
        raise InputError(
            f"train_set: found {len(names)} image; allowed: at least 2, as one is held out"
        )
    count = min(max(1, round(share * len(names))), len(names) - 1)
    held_out = [names[(2 * i + 1) * len(names) // (2 * count)] for i in range(count)]
    return [name for name in names if name not in set(held_out)], held_out


def cut(hr: NDArray[np.uint8], lr: NDArray[np.uint8], size: int, stride: int, scale: int) -> Pair:
    """The patches of one image pair on a regular grid, row by row.

    hr: (h * scale, w * scale); lr: (h, w); size and stride in HR pixels, multiples of scale.
    Returns LR (n, size / scale, size / scale) and HR (n, size, size); n is 0 where the image is
    smaller than a patch. Raises ValueError if the pair or the sizes do not fit the scale.
    """
    if size % scale or stride % scale:
        raise ValueError(f"size {size} and stride {stride} must be multiples of scale {scale}")
    if hr.shape != (lr.shape[0] * scale, lr.shape[1] * scale):
        raise ValueError(f"HR {hr.shape} is not {scale} times LR {lr.shape}")
    return _grid(lr, size // scale, stride // scale), _grid(hr, size, stride)


def _grid(plane: NDArray[np.uint8], size: int, stride: int) -> NDArray[np.uint8]:
    if min(plane.shape) < size:
        return np.empty((0, size, size), plane.dtype)
    windows = sliding_window_view(plane, (size, size))[::stride, ::stride]
    return windows.reshape(-1, size, size)


class PatchWriter:
    """Fills one patch file, image by image; memory does not grow with their number."""

    def __init__(self, path: Path, size: int, scale: int) -> None:
        self._folder = path.parent
        ensure_room(self._folder, 0)
        # In HDF5's oldest format, the default. The later ones note the time in each group.
        self._file = h5py.File(path, "w")
        self._train = self._file.create_group("train")
        for name, side in (("lr", size // scale), ("hr", size)):
            self._train.create_dataset(
                name,
                shape=(0, side, side),
                maxshape=(None, side, side),
                chunks=(1, side, side),
                dtype="u1",
            )
        self._validation = self._file.create_group("validation")
        self.patches = 0

    def __enter__(self) -> "PatchWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def add_patches(self, lr: NDArray[np.uint8], hr: NDArray[np.uint8]) -> None:
        """Append the patches of one image."""
        ensure_room(self._folder, lr.nbytes + hr.nbytes)
        end = self.patches + len(lr)
        for name, block in (("lr", lr), ("hr", hr)):
            dataset = self._train[name]
            dataset.resize(end, axis=0)
            dataset[self.patches : end] = block
        self.patches = end

    def add_validation(self, name: str, lr: NDArray[np.uint8], hr: NDArray[np.uint8]) -> None:
        """Add one whole held-out image."""
        ensure_room(self._folder, lr.nbytes + hr.nbytes)
        group = self._validation.create_group(name)
        group["lr"], group["hr"] = lr, hr

    def describe(self, training_images: Sequence[str], attributes: dict[str, Any]) -> None:
        """Write the names of the training images and the file's attributes."""
        # A dataset, not an attribute: those may not exceed 64 KB.
        self._file["training_images"] = list(training_images)
        self._file.attrs.update({"format": FORMAT, **attributes})


class PatchFile:
    """A patch file, open for reading; patches are read when they are asked for.

    `InputError` names a file that is missing, broken, of another format or of another scale.
    """

    def __init__(self, path: Path, scale: int) -> None:
        try:
            self._file = h5py.File(path, "r")
            fault = _fault(self._file, scale)
        except (OSError, KeyError, AttributeError, TypeError, ValueError) as error:
            raise InputError(f"{path}: is no readable patch file: {error}") from error
        if fault:
            raise InputError(f"{path}: {fault}")
        self._lr, self._hr = self._file["train/lr"], self._file["train/hr"]
        self.degradation: Kind = self._file.attrs["degradation"]

    def __enter__(self) -> "PatchFile":
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._lr)

    def patches(self, indices: NDArray[np.int64]) -> Pair:
        """LR and HR patches, in ascending order of their indices."""
        ascending = np.sort(indices).tolist()
        return _chunks(self._lr, ascending), _chunks(self._hr, ascending)

    def validation(self) -> Iterator[Pair]:
        """LR and HR luma of each held-out image, whole, in the order of their names."""
        for name in sorted(self._file["validation"]):
            group = self._file["validation"][name]
            yield group["lr"][:], group["hr"][:]


def _fault(file: h5py.File, scale: int) -> str | None:
    """What makes an HDF5 file no patch file of this scale, None where nothing does."""
    for key, allowed in (("format", [FORMAT]), ("scale", [scale]), ("degradation", KINDS)):
        if (found := file.attrs.get(key)) not in allowed:
            return f"{key}: found {found}; allowed: {', '.join(map(str, allowed))}"
    lr, hr = file["train/lr"], file["train/hr"]
    for dataset in (lr, hr):
        plain = dataset.id.get_create_plist().get_nfilters() == 0
        if (dataset.dtype, dataset.chunks, plain) != (np.uint8, (1, *dataset.shape[1:]), True):
            return f"{dataset.name}: allowed: uint8, in chunks of one patch, uncompressed"
        if dataset.ndim != 3 or dataset.id.get_num_chunks() != len(dataset):
            return f"{dataset.name}: {len(dataset)} patches are said to be there, but are not"
    if not len(lr) or not _fits(lr, hr, scale):
        return f"train: found {lr.shape} LR and {hr.shape} HR; allowed: as many, {scale} times each"
    if not len(file["validation"]):
        return "validation: holds no image"
    for group in file["validation"].values():
        lr, hr = group["lr"], group["hr"]
        if lr.ndim != 2 or {lr.dtype, hr.dtype} != {np.dtype(np.uint8)} or not _fits(lr, hr, scale):
            return f"{group.name}: allowed: an LR and an HR plane of {scale} times its sides, uint8"
    return None


def _fits(lr: h5py.Dataset, hr: h5py.Dataset, scale: int) -> bool:
    return hr.shape == (*lr.shape[:-2], lr.shape[-2] * scale, lr.shape[-1] * scale)


def _chunks(dataset: h5py.Dataset, indices: Sequence[int]) -> NDArray[np.uint8]:
    # Chunk by chunk as they lie in the file: selecting by a list of indices takes 15 times as long.
    rows = np.empty((len(indices), math.prod(dataset.shape[1:])), np.uint8)
    for row, index in zip(rows, indices, strict=True):
        dataset.id.read_direct_chunk((index, 0, 0), out=row)
    return rows.reshape(-1, *dataset.shape[1:])
