"""How a low-resolution (LR) image is made from a high-resolution (HR) one, and what belongs to it.

    from srstudy.degradations.shared.degradation import degradation
    lr = degradation("matlab").degrade(hr, scale=4)

A degradation is a file of the folder above: DESCRIPTION, INTERPOLATION, PROTOCOL and a function
`degrade`. Whoever uses one asks for it here, by name, and an unknown name is an error everywhere.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from srstudy.common import choices
from srstudy.common.errors import ChoiceError
from srstudy.images.interpolation import Interpolation
from srstudy.images.pairs import Pair, crop_to_multiple
from srstudy.images.protocols import Protocol

ROOM = "degradations"
# What its files have.
KINDS = {"DESCRIPTION": str, "INTERPOLATION": Interpolation, "PROTOCOL": Protocol}
WANTED = (*KINDS, "degrade")


@dataclass(frozen=True)
class Degradation:
    """One way to make LR images, how they are enlarged again, and the protocol that scores it."""

    name: str
    description: str
    interpolation: Interpolation
    protocol: Protocol
    function: Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]

    def degrade(self, image: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
        """The LR image of an HR image, which is cropped to a multiple of scale before.

        image: uint8, (H, W) or (H, W, 3). Returns uint8, (H // scale, W // scale[, 3]).
        Raises ValueError for another dtype, a scale below 1 and an image smaller than the scale;
        ChoiceError names the degradation's file where that fails or gives another size or dtype.
        """
        return self.pair(image, scale).lr

    def pair(self, image: NDArray[np.uint8], scale: int) -> Pair:
        """The LR image of an HR image, as `degrade`, beside the HR image, cropped."""
        self._check(image, scale)
        hr = crop_to_multiple(image, scale)
        try:
            lr = self.function(hr.copy(), scale)  # a copy: HR is what restored images are held to
        except Exception as error:  # whatever a function of the user's own does
            what = f"degrade failed on an image of shape {hr.shape} at x{scale}"
            raise choices.failure(ROOM, self.name, what, error) from error
        expected = f"uint8 of shape {(hr.shape[0] // scale, hr.shape[1] // scale, *hr.shape[2:])}"
        is_array = isinstance(lr, np.ndarray)
        found = f"{lr.dtype} of shape {lr.shape}" if is_array else type(lr).__name__
        if found != expected:
            raise ChoiceError(
                f"{choices.file_of(ROOM, self.name)}: degrade gave {found} for an image of shape "
                f"{hr.shape} at x{scale}; allowed: {expected}"
            )
        return Pair(lr, hr)

    def enlarge(self, image: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
        """An LR image, uint8 (h, w[, 3]), enlarged by the degradation's own interpolation."""
        self._check(image, scale)
        return self.interpolation.image(image, scale)

    def sentence(self) -> str:
        """Degradation and protocol in words, for metrics files and tables."""
        # Named as MATLAB's and OpenCV's are; a copied file must not pass for the other.
        named = self.description.lower().startswith(self.name.lower())
        how = self.description if named else f"{self.description} (`{self.name}`)"
        return f"LR by {how}; {self.protocol.words}"

    def _check(self, image: NDArray[np.uint8], scale: int) -> None:
        if image.dtype != np.uint8:
            raise ValueError(f"an image must be uint8, not {image.dtype}")
        if scale < 1:
            raise ValueError(f"scale must be a whole number of at least 1, not {scale}")


def degradation(name: str) -> Degradation:
    """The degradation of a name. ChoiceError where there is no whole file of that name."""
    file = choices.chosen(ROOM, name, WANTED)
    for key, kind in KINDS.items():
        if not isinstance(found := getattr(file, key), kind):
            raise ChoiceError(
                f"{choices.file_of(ROOM, name)}: {key}: found {type(found).__name__}; "
                f"allowed: {kind.__name__}"
            )
    if not callable(file.degrade):
        raise ChoiceError(f"{choices.file_of(ROOM, name)}: degrade: allowed: a function")
    return Degradation(name, file.DESCRIPTION, file.INTERPOLATION, file.PROTOCOL, file.degrade)


def names() -> tuple[str, ...]:
    """The names of all degradations."""
    return choices.names(ROOM)
