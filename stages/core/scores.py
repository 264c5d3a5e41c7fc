"""PSNR and SSIM of two luma planes on the 0..255 scale."""

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

Plane = NDArray[np.uint8] | NDArray[np.float64]
PEAK = 255.0


def psnr(true: Plane, restored: Plane) -> float:
    """Peak signal-to-noise ratio in dB: 10 log10(255^2 / MSE); infinite for equal planes.

    Raises ValueError if the shapes differ.
    """
    if true.shape != restored.shape:
        raise ValueError(f"shapes differ: {true.shape} and {restored.shape}")
    error = float(np.mean(np.square(true.astype(np.float64) - restored.astype(np.float64))))
    return float("inf") if error == 0 else float(10 * np.log10(PEAK**2 / error))


def ssim(true: Plane, restored: Plane) -> float:
    """Structural similarity (Wang et al., 2004): Gaussian window of 11 pixels, sigma 1.5.

    Raises ValueError if the shapes differ; planes below 11 pixels have none: NaN.
    """
    if true.shape != restored.shape:
        raise ValueError(f"shapes differ: {true.shape} and {restored.shape}")
    if min(true.shape) < 11:
        return float("nan")
    return float(
        structural_similarity(
            true.astype(np.float64),
            restored.astype(np.float64),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=PEAK,
        )
    )
