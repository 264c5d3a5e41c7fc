"""Was an image once a JPEG file? Its pixels tell, whatever file holds them now.

JPEG cuts luma into blocks of 8 x 8 pixels and rounds each coefficient of a block's cosine
transform (DCT) to a multiple of a step, one step for each frequency. Where the decoded image was
not resized, its coefficients are still near these multiples: only the rounding of pixels moves
them. In an image that never was a JPEG file, they lie anywhere. The idea is that of Z. Fan and
R. L. de Queiroz, "Identification of bitmap compression history: JPEG detection and quantizer
estimation" (2003). Here each frequency gives the logarithm of a likelihood ratio, and these add up.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srstudy.images.colour import luma

SIDE = 8  # of a block, in pixels
SEEN = 2 * SIDE - 1  # of a window, which holds a block at each of the 64 places of the grid
LEAST_SIDE = 64  # pixels on a side: less is too little to judge by
MOST_WINDOWS = 1024  # looked at, spread evenly over the image
MOST_ELSEWHERE = 384  # the same, at the places of the grid that a crop has
STEPS = np.arange(2, 81)  # a step of 1 is blurred away by the rounding of pixels
NOISE = 0.3  # of a coefficient, by the rounding of pixels: standard deviation
STRAY = 0.4  # share of coefficients that may lie anywhere all the same
BIN, LARGEST = 0.1, 160  # of the histogram of a frequency's coefficients
FINE = 10  # parts of a bin: coefficients of one part count as equal
LEAST_BLOCKS = 64  # judged by, where there are so many
SAYS = (-10, 20)  # what one frequency can say, against JPEG and for it: several have to agree
ENOUGH = 100  # the sum from which on an image counts as a JPEG file's


def was_jpeg(image: NDArray[Any]) -> bool:
    """Whether the pixels of an image, (H, W[, C]), are those of a decoded JPEG file.

    The image may be cropped, turned or mirrored since then; resized, it is not told any more.
    False too of images with a side of less than `LEAST_SIDE` pixels, and of 16 bits.
    """
    return evidence(image) >= ENOUGH


def evidence(image: NDArray[Any]) -> float:
    """The logarithm of how much likelier JPEG makes the pixels of an image, (H, W[, C]) of uint8.

    That of the most likely place of the grid of blocks; 0 where an image says nothing.
    """
    if image.dtype != np.uint8 or min(image.shape[:2]) < LEAST_SIDE:
        return 0.0
    windows, ends = _windows(image if image.ndim == 2 else image[..., :3])

    def at(row: int, column: int, every: int = 1) -> float:
        place = np.s_[::every, row : row + SIDE, column : column + SIDE]
        return _of_blocks(windows[place], ends[place])

    found = at(0, 0)
    if found >= ENOUGH:
        return found
    fewer = -(-len(windows) // MOST_ELSEWHERE)
    return max(found, *(at(*divmod(place, SIDE), fewer) for place in range(1, SIDE**2)))


def _windows(image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Windows that begin at multiples of 8, (n, 15, 15), each of a kind once: their luma, and where
    a pixel has a value of 0 or 255."""
    down, across = ((length - SEEN) // SIDE + 1 for length in image.shape[:2])
    count = min(MOST_WINDOWS, down * across)
    number = np.linspace(0, down * across - 1, count).astype(np.int64)
    rows, columns = (part[:, None] * SIDE + np.arange(SEEN) for part in divmod(number, across))
    found = np.unique(image[rows[:, :, None], columns[:, None, :]], axis=0)
    ends = (found == 0) | (found == 255)
    if image.ndim == 2:
        return found.astype(np.float32), ends
    rows_of_pixels = found.reshape(-1, SEEN, 3)
    return luma(rows_of_pixels, "full").reshape(ends.shape[:3]).astype(np.float32), ends.any(axis=3)


def _of_blocks(blocks: NDArray[np.float32], ends: NDArray[np.bool_]) -> float:
    """The evidence of luma blocks, (n, 8, 8); ends: where a value may have been clipped."""
    # Clipping moves a block's coefficients: those without are taken, or the nearest to it.
    clipped = ends.sum(axis=(1, 2))
    blocks = blocks[clipped <= np.sort(clipped)[:LEAST_BLOCKS][-1]]
    size = np.abs(blocks.reshape(len(blocks), SIDE * SIDE) @ _transform())
    bins, count = len(_told()), size.shape[1]
    fine = (np.minimum(size / BIN, bins) * FINE).astype(np.int64)
    # Equal coefficients are those of a drawing, not of a photograph: they count once.
    once = np.unique(fine + np.arange(count) * (bins + 1) * FINE) // FINE
    histogram = np.bincount(once, minlength=count * (bins + 1)).reshape(count, -1)
    told = histogram[:, :bins].astype(np.float32) @ _told()
    # The mean likelihood over the steps: which of them it was is not known.
    largest = told.max(axis=1)
    mean = np.log(np.exp(told - largest[:, None]).mean(axis=1)) + largest
    return float(np.clip(mean, *SAYS).sum())


@cache
def _transform() -> NDArray[np.float32]:
    """The matrix (64, n) from a block's pixels to its coefficients of low and middle frequencies.

    Without (0, 0), (0, 4), (4, 0) and (4, 4): of whole-numbered pixels, theirs are multiples of 1/8
    at any rate.
    """
    number = np.arange(SIDE)
    cosine = np.cos((2 * number + 1) * number[:, None] * np.pi / (2 * SIDE)) / 2
    cosine[0] /= np.sqrt(2)
    down, across = number[:, None], number
    wanted = (down + across < SIDE) & ((down % 4 > 0) | (across % 4 > 0))
    return np.kron(cosine, cosine)[wanted.ravel()].T.astype(np.float32)


@cache
def _told() -> NDArray[np.float32]:
    """What one coefficient says for each step: (bins of its size, steps).

    Within half a step of zero it says nothing: coefficients of any image pile up there.
    """
    size = (np.arange(round(LARGEST / BIN)) + 0.5)[:, None] * BIN
    far = size - np.rint(size / STEPS) * STEPS
    bell = np.exp(-0.5 * (far / NOISE) ** 2) / (NOISE * np.sqrt(2 * np.pi))
    told = np.log(STRAY + (1 - STRAY) * STEPS * bell)
    return np.where(size > STEPS / 2, told, 0).astype(np.float32)
