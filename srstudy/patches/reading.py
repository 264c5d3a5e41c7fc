"""Reads patches and held-out images from a patch file (see layout.py) through a memory map.

A patch is cut from its image when it is needed. The map uses no memory of the process itself: the
system caches pages that are used often, and frees them when it needs the memory.
"""

import mmap
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from srstudy.common.errors import InputError
from srstudy.images.pairs import Pair
from srstudy.patches.checks import Fault, check_places, checked_attributes, mapped, mapped_pair
from srstudy.patches.layout import PLACE

# h5py's errors for a file that is broken or has other contents.
BROKEN = (OSError, KeyError, AttributeError, TypeError, ValueError, RuntimeError)


class PatchFile:
    """A patch file, open for reading; `len` gives its number of patches, `degradation` a name.

    `InputError` if the file is missing, broken, of another format or of another scale.
    """

    def __init__(self, path: Path, scale: int) -> None:
        try:
            # Without a lock: the map would hold it, and patch files are replaced, never changed.
            with h5py.File(path, "r", locking=False) as file:
                self._open(file, scale)
        except Fault as fault:
            raise InputError(f"{path}: {fault}") from fault
        except BROKEN as error:
            words = " ".join(str(error).split())
            raise InputError(f"{path}: is not a readable patch file: {words}") from error

    def _open(self, file: h5py.File, scale: int) -> None:
        self._scale = scale
        self.degradation, self._size = checked_attributes(file, scale)
        # Map h5py's open file: by now the path could lead to another file.
        handle = file.id.get_vfd_handle()
        whole = np.frombuffer(mmap.mmap(handle, 0, access=mmap.ACCESS_READ), np.uint8)
        images = len(file["train"])
        for image in range(images):
            if f"train/{image}" not in file:
                raise Fault(f"train: has no {image}; allowed: {images} images, from 0 on")
        self._train = [mapped_pair(whole, file, f"train/{i}", scale) for i in range(images)]
        self._places = mapped(whole, file, "places", PLACE)
        check_places(self._places, [pair.hr.shape for pair in self._train], self._size, scale)
        names = sorted(file["validation"])
        if not names:
            raise Fault("validation: has no image")
        self._held_out = [mapped_pair(whole, file, f"validation/{n}", scale) for n in names]

    def __enter__(self) -> "PatchFile":
        return self

    def __exit__(self, *exception: object) -> None:
        # The map closes with its last view: a held-out image may still be in use.
        self._train, self._held_out = [], []
        self._places = np.empty((0, 3), PLACE)

    def __len__(self) -> int:
        return len(self._places)

    def patches(self, indices: NDArray[np.int64]) -> Pair:
        """LR (n, size / scale, size / scale) and HR (n, size, size), as copies.

        They are in ascending order of their indices, so that patches of one image are read one
        after the other.
        """
        scale, size = self._scale, self._size
        low = size // scale
        lr = np.empty((len(indices), low, low), np.uint8)
        hr = np.empty((len(indices), size, size), np.uint8)
        for i, (image, row, column) in enumerate(self._places[np.sort(indices)].tolist()):
            pair = self._train[image]
            hr[i] = pair.hr[row : row + size, column : column + size]
            row, column = row // scale, column // scale
            lr[i] = pair.lr[row : row + low, column : column + low]
        return Pair(lr, hr)

    def validation(self) -> Iterator[Pair]:
        """The LR and HR luma of each whole held-out image, sorted by name.

        They are read-only views of the file and use no memory of their own.
        """
        yield from self._held_out
