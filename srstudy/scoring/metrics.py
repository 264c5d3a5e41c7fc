"""The metrics of the study, in one table that all scores, tables and pages use.

Your own metric is one more entry. It retrains nothing, because training uses `srstudy.images.psnr`.
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

    function: from protocol, HR image, restored image (both uint8 (H, W[, 3])) and scale to a
    number; infinity and NaN mean "no score". title: its name in tables; digits: decimals that
    tables show; lower_is_better: True for an error or a distance.
    """

    function: Callable[[Protocol, Image, Image, int], float]
    title: str
    digits: int
    lower_is_better: bool = False


def ssim(protocol: Protocol, hr: Image, restored: Image, scale: int) -> float:
    """Structural similarity (Wang et al., 2004): Gaussian window of 11 pixels, sigma 1.5.

    Computed on the planes that the protocol scores; NaN if a side has fewer than 11 pixels. Raises
    ValueError if the sizes differ.
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
    """The metric that short tables and comparisons show."""
    return next(iter(METRICS))
