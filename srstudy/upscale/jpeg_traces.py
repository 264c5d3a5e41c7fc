"""Was an image once a JPEG file? Its pixels show this in any file format.

JPEG cuts luma into blocks of 8 x 8 pixels and rounds each coefficient of a block's cosine
transform (DCT) to a multiple of a step, one step for each frequency. If the decoded image was not
resized, its coefficients are still near these multiples: only the rounding of pixels moves them. In
an image that was never a JPEG file, they can have any value. The idea is from Z. Fan and R. L. de
Queiroz, "Identification of bitmap compression history: JPEG detection and quantizer estimation"
(2003). Here each frequency gives the logarithm of a likelihood ratio, and these are added.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srstudy.images.colour import luma

SIDE = 8  # of a block, in pixels
SEEN = 2 * SIDE - 1  # side of a window: it holds a block at each of the 64 grid positions
LEAST_SIDE = 64  # pixels: a smaller side is not enough for a decision
MOST_WINDOWS = 1024  # number of windows, at equal distances in the image
MOST_ELSEWHERE = 384  # the same, for the other grid positions, which a cropped image has
STEPS = np.arange(2, 81)  # a step of 1 cannot be seen after the rounding of pixels
NOISE = 0.3  # standard deviation of a coefficient caused by the rounding of pixels
STRAY = 0.4  # share of coefficients that may have any value, even in a JPEG image
BIN, LARGEST = 0.1, 160  # of the histogram of the coefficients of a frequency
FINE = 10  # parts of a bin: coefficients in the same part count as equal
LEAST_BLOCKS = 64  # the fewest blocks for a decision, if the image has that many
SAYS = (-10, 20)  # limits of the evidence of one frequency, so that several must agree
ENOUGH = 100  # the least sum for which an image counts as from a JPEG file


def was_jpeg(image: NDArray[Any]) -> bool:
    """Whether the pixels of an image, (H, W[, C]), come from a decoded JPEG file.

    It also works if the image was cropped, rotated or mirrored later, but not if it was resized.
    False for images with a side of less than `LEAST_SIDE` pixels, and for images of 16 bits.
    """
    return evidence(image) >= ENOUGH


def evidence(image: NDArray[Any]) -> float:
    """The log-likelihood ratio of JPEG against no JPEG for the pixels of an image, (H, W[, C]).

    It is the value for the most likely position of the block grid; 0 if the image is too small or
    not uint8.
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
    """Windows that begin at multiples of 8, (n, 15, 15), without duplicates: their luma, and a mask
    of the pixels that have a value of 0 or 255."""
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
    """The evidence of luma blocks, (n, 8, 8); ends: mask of values that may have been clipped."""
    # Clipping moves the coefficients of a block: blocks with the fewest clipped pixels are used.
    clipped = ends.sum(axis=(1, 2))
    blocks = blocks[clipped <= np.sort(clipped)[:LEAST_BLOCKS][-1]]
    size = np.abs(blocks.reshape(len(blocks), SIDE * SIDE) @ _transform())
    bins, count = len(_told()), size.shape[1]
    fine = (np.minimum(size / BIN, bins) * FINE).astype(np.int64)
    # Equal coefficients come from drawings, not from photographs: they count only once.
    once = np.unique(fine + np.arange(count) * (bins + 1) * FINE) // FINE
    histogram = np.bincount(once, minlength=count * (bins + 1)).reshape(count, -1)
    told = histogram[:, :bins].astype(np.float32) @ _told()
    # The mean likelihood over all steps, because the step is not known.
    largest = told.max(axis=1)
    mean = np.log(np.exp(told - largest[:, None]).mean(axis=1)) + largest
    return float(np.clip(mean, *SAYS).sum())


@cache
def _transform() -> NDArray[np.float32]:
    """The matrix (64, n) from a block's pixels to its coefficients of low and middle frequencies.

    Without (0, 0), (0, 4), (4, 0) and (4, 4): if the pixels are whole numbers, these coefficients
    are always multiples of 1/8.
    """
    number = np.arange(SIDE)
    cosine = np.cos((2 * number + 1) * number[:, None] * np.pi / (2 * SIDE)) / 2
    cosine[0] /= np.sqrt(2)
    down, across = number[:, None], number
    wanted = (down + across < SIDE) & ((down % 4 > 0) | (across % 4 > 0))
    return np.kron(cosine, cosine)[wanted.ravel()].T.astype(np.float32)


@cache
def _told() -> NDArray[np.float32]:
    """The evidence of one coefficient for each step: (bins of its size, steps).

    It is 0 within half a step of zero: many coefficients of any image are there.
    """
    size = (np.arange(round(LARGEST / BIN)) + 0.5)[:, None] * BIN
    far = size - np.rint(size / STEPS) * STEPS
    bell = np.exp(-0.5 * (far / NOISE) ** 2) / (NOISE * np.sqrt(2 * np.pi))
    told = np.log(STRAY + (1 - STRAY) * STEPS * bell)
    return np.where(size > STEPS / 2, told, 0).astype(np.float32)
