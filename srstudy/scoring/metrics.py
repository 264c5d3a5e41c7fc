"""The metrics of the study, one table: every score, mean, column and page reads it.

A metric of your own is one more entry: it retrains nothing, since what training watches is
`srstudy.images.psnr`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from srstudy.images.protocols import Protocol
from srstudy.scoring.ssim import WINDOW, structural_similarity

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Metric:
    """One way to score a restored image.

    function: protocol, HR image, restored image, both uint8 (H, W[, 3]), and scale, to a number;
    infinity and NaN stand for "none". title: what tables call it; digits: of those shown;
    lower_is_better: as of an error or a distance.
    """

    function: Callable[[Protocol, Image, Image, int], float]
    title: str
    digits: int
    lower_is_better: bool = False


def ssim(protocol: Protocol, hr: Image, restored: Image, scale: int) -> float:
    """Structural similarity (Wang et al., 2004): Gaussian window of 11 pixels, sigma 1.5.

    Of the planes that the protocol scores; below 11 pixels they have none: NaN. Raises ValueError
    if the sizes differ.
    """
    planes = protocol.planes(hr, restored, scale)
    if min(planes[0].shape) < WINDOW:
        return float("nan")
    return structural_similarity(*planes)


METRICS: dict[str, Metric] = {
    "psnr": Metric(Protocol.psnr, "PSNR in dB", 2),
    "ssim": Metric(ssim, "SSIM", 4),
}


def first_metric() -> str:
    """The one that short tables and comparisons show."""
    return next(iter(METRICS))
