"""Writes a patch file (see layout.py), image by image."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from srstudy.common.files import ensure_room
from srstudy.images.pairs import Pair
from srstudy.patches.grid import check_pair, check_sizes, grid
from srstudy.patches.layout import FORMAT, PLACE, PLANE, read_patch


class PatchWriter:
    """Writes one patch file, image by image; memory does not grow with the number of images.

        with PatchWriter(path, size=64, stride=32, scale=2) as writer:
            writer.add_image("t1, full", pair)
            writer.add_validation("t2", other)
            writer.finish(["t1"], {"degradation": "matlab"})

    size and stride: of the grid of patches, in HR pixels; ValueError unless both are multiples of
    scale. `patches`, `images` and `skipped` are counts; an image that is smaller than a patch is
    skipped and not stored.
    """

    def __init__(self, path: Path, size: int, stride: int, scale: int) -> None:
        check_sizes(size, stride, scale)
        self._folder, self._size, self._stride, self._scale = path.parent, size, stride, scale
        ensure_room(self._folder, 0)
        # HDF5's oldest format, the default: later formats store the time in each group.
        self._file = h5py.File(path, "w")
        self._train = self._file.create_group("train")
        self._validation = self._file.create_group("validation")
        self._shapes: list[tuple[int, ...]] = []
        self.patches = self.skipped = 0

    def __enter__(self) -> "PatchWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    @property
    def images(self) -> int:
        """How many training images and copies are stored."""
        return len(self._shapes)

    def add_image(self, label: str, pair: Pair) -> None:
        """Add a training image or copy, LR (h, w) and HR (h * scale, w * scale) uint8.

        label: tells readers which image it is. Raises ValueError if the sizes do not fit the scale.
        """
        check_pair(pair, self._scale)
        patches = len(grid(pair.hr.shape, self._size, self._stride))
        if not patches:
            self.skipped += 1
            return
        group = self._add(self._train, str(self.images), pair)
        group.attrs["image"] = label
        self._shapes.append(pair.hr.shape)
        self.patches += patches

    def add_validation(self, name: str, pair: Pair) -> None:
        """Add one whole held-out image, LR (h, w) and HR (h * scale, w * scale) uint8.

        Raises ValueError if the sizes do not fit the scale.
        """
        check_pair(pair, self._scale)
        self._add(self._validation, name, pair)

    def finish(self, training_images: Sequence[str], attributes: dict[str, Any]) -> None:
        """Write the places, the names of the training images and the file's attributes.

        attributes: `degradation` and others; the numbers known here are added.
        """
        # Written last, when their number is known: a dataset that can grow is stored in chunks.
        ensure_room(self._folder, 3 * self.patches * np.dtype(PLACE).itemsize)
        places = self._file.create_dataset("places", (self.patches, 3), PLACE)
        start = 0
        for image, shape in enumerate(self._shapes):
            corners = grid(shape, self._size, self._stride)
            end = start + len(corners)
            places[start:end] = np.insert(corners, 0, image, axis=1)
            start = end
        # A dataset, not an attribute: attributes are limited to 64 KB.
        self._file["training_images"] = list(training_images)
        own = {
            "format": FORMAT,
            "scale": self._scale,
            "patch_size": self._size,
            "stride": self._stride,
            "validation_images": len(self._validation),
            "skipped_images": self.skipped,
            "read_patch": read_patch(self._size, self._scale),
        }
        self._file.attrs.update(own | attributes)

    def _add(self, parent: h5py.Group, name: str, pair: Pair) -> h5py.Group:
        ensure_room(self._folder, pair.lr.nbytes + pair.hr.nbytes)
        group = parent.create_group(name)
        for side, plane in zip(pair._fields, pair, strict=True):
            group.create_dataset(side, data=plane, dtype=PLANE)
        return group
