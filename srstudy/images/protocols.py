"""Evaluation protocols: which luma is restored and scored, and which border is not scored.

Scores of different protocols cannot be compared. Each degradation names its protocol, and each
metrics file and table states it.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from srstudy.images.colour import Swing, luma, to_uint8
from srstudy.images.psnr import psnr

Plane = TypeVar("Plane", NDArray[np.uint8], NDArray[np.float64])


@dataclass(frozen=True)
class Protocol:
    """How restored images are scored.

    swing: the range of BT.601 luma; rounds: whether luma is rounded to 8 bits before it is
    restored or scored; crops: whether a border of `scale` pixels is cropped before scoring;
    words: the protocol in one sentence.
    """

    swing: Swing
    rounds: bool
    crops: bool
    words: str

    def luma(self, image: NDArray[Any]) -> NDArray[np.float64]:
        """The luma that is restored and scored: from (H, W[, 3]) to (H, W), 0..255."""
        plane = luma(image, self.swing)
        return to_uint8(plane).astype(np.float64) if self.rounds else plane

    def training_luma(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The luma for training, (H, W), rounded to uint8.

        Networks learn equally well from rounded luma. But they restore `luma`: without rounding,
        this gains 0.1 dB at x2.
        """
        return to_uint8(self.luma(image))

    def crop(self, plane: Plane, scale: int) -> Plane:
        """The scored part of (H, W[, 3]); all of it if cropping would leave no pixel."""
        if not self.crops or min(plane.shape[:2]) <= 2 * scale:
            return plane
        return plane[scale:-scale, scale:-scale]

    def planes(
        self, hr: NDArray[np.uint8], restored: NDArray[np.uint8], scale: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The scored planes of two images (H, W[, 3]): their luma, cropped.

        Raises ValueError if the sizes differ.
        """
        if hr.shape[:2] != restored.shape[:2]:
            raise ValueError(f"shapes differ: {hr.shape} and {restored.shape}")
        return self.crop(self.luma(hr), scale), self.crop(self.luma(restored), scale)

    def psnr(self, hr: NDArray[np.uint8], restored: NDArray[np.uint8], scale: int) -> float:
        """The PSNR in dB of a restored image (H, W[, 3]); infinite if both planes are equal."""
        return psnr(*self.planes(hr, restored, scale))


LITERATURE = Protocol(
    swing="studio",
    rounds=False,
    crops=True,
    words="luma of BT.601, 16..235; border of `scale` pixels cropped; mean over the images",
)
# As in the student project. OpenCV converts 8-bit RGB to 8-bit luma.
FULL_RANGE = Protocol(
    swing="full",
    rounds=True,
    crops=False,
    words="luma of BT.601, 0..255; nothing cropped; mean over the images",
)
