"""The evaluation protocol that belongs to a degradation: which luma, which border, which words.

Numbers of different protocols cannot be compared, so each metrics file and table states its own.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from stages.core.colour import Swing, luma, to_uint8
from stages.core.degradation import Kind

Plane = TypeVar("Plane", NDArray[np.uint8], NDArray[np.float64])


@dataclass(frozen=True)
class Protocol:
    """How images are turned into numbers under one degradation."""

    degradation: Kind

    @property
    def swing(self) -> Swing:
        """Which of BT.601's two ranges luma has."""
        return "studio" if self.degradation == "matlab" else "full"

    def luma(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        """The luma that networks restore and that is scored, (H, W), on the 0..255 scale."""
        plane = luma(image, self.swing)
        # OpenCV converts 8 bits to 8 bits; as in the student project.
        return plane if self.degradation == "matlab" else to_uint8(plane).astype(np.float64)

    def training_luma(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The luma that networks are trained on, (H, W), rounded to uint8.

        They learn as much from it. What they restore is `luma`, not rounded: that is worth
        0.1 dB at x2.
        """
        return to_uint8(self.luma(image))

    def border(self, scale: int) -> int:
        """How many pixels on each side are left out of the score."""
        return scale if self.degradation == "matlab" else 0

    def crop(self, plane: Plane, scale: int) -> Plane:
        """The part of a plane (H, W) that is scored; all of it where the border would eat it."""
        border = self.border(scale)
        if border == 0 or min(plane.shape[:2]) <= 2 * border:
            return plane
        return plane[border:-border, border:-border]

    def sentence(self) -> str:
        """The protocol in words, for metrics files and tables."""
        if self.degradation == "matlab":
            how = "LR by MATLAB's bicubic imresize; luma of BT.601, 16..235"
            return f"{how}; border of `scale` pixels cropped; mean over the images"
        how = "LR by OpenCV's INTER_CUBIC, no antialias; luma of BT.601, 0..255"
        return f"{how}; nothing cropped; mean over the images"
