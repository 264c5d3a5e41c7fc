"""PSNR of two planes on the 0..255 scale, for the validation during training and for the tables."""

import numpy as np
from numpy.typing import NDArray

PEAK = 255.0
Plane = NDArray[np.uint8] | NDArray[np.float64]


def psnr(hr: Plane, restored: Plane) -> float:
    """Peak signal-to-noise ratio in dB: 10 log10(255^2 / MSE); infinite for equal planes.

    Raises ValueError if the shapes differ.
    """
    if hr.shape != restored.shape:
        raise ValueError(f"shapes differ: {hr.shape} and {restored.shape}")
    error = float(np.mean(np.square(hr.astype(np.float64) - restored.astype(np.float64))))
    return float("inf") if error == 0 else float(10 * np.log10(PEAK**2 / error))
