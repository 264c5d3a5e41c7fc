"""The training batches: which patches each step uses, and in which orientations.

The batch of a step depends only on the seed and the step's number, never on earlier reads.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from srstudy.common.ahead import ahead
from srstudy.images.orientations import ORIENTATIONS, turned
from srstudy.images.pairs import Pair
from srstudy.patches.reading import PatchFile


class Batches:
    """The batches of a training run: LR and HR, each of shape (batch, h, w, 1), uint8.

    An epoch is one pass over all patches in random order. The last patches of an epoch are not
    used if they do not fill a batch. A batch is never larger than the number of patches. augment:
    whether each patch gets a random one of its eight orientations.
    """

    def __init__(self, patches: PatchFile, batch_size: int, seed: int, augment: bool) -> None:
        self._patches, self._seed, self._augment = patches, seed, augment
        self.batch_size = min(batch_size, len(patches))
        self.steps_per_epoch = len(patches) // self.batch_size
        # Kept for one epoch, so that not every step shuffles all patches.
        self._order = lru_cache(maxsize=1)(self._shuffled)

    def at(self, step: int) -> Pair:
        """The batch of a step, counted from 0."""
        epoch, place = divmod(step, self.steps_per_epoch)
        start = place * self.batch_size
        lr, hr = self._patches.patches(self._order(epoch)[start : start + self.batch_size])
        if self._augment:
            lr, hr = self._turned(lr, hr, step)
        return Pair(lr[..., None], hr[..., None])

    def ahead(self, first: int, end: int) -> Iterator[Pair]:
        """The batches of steps first to end - 1; the next batch is read while one is in use."""
        return ahead(map(self.at, range(first, end)))

    def _shuffled(self, epoch: int) -> NDArray[np.int64]:
        return np.random.default_rng([self._seed, 0, epoch]).permutation(len(self._patches))

    def _turned(self, lr: NDArray[np.uint8], hr: NDArray[np.uint8], step: int) -> Pair:
        """Each patch in one of its eight orientations, the same for LR and HR."""
        orientations = np.random.default_rng([self._seed, 1, step]).integers(
            ORIENTATIONS, size=len(lr)
        )
        for i, orientation in enumerate(orientations):
            lr[i], hr[i] = turned(lr[i], int(orientation)), turned(hr[i], int(orientation))
        return Pair(lr, hr)
