"""How a low-resolution (LR) image is made from a high-resolution (HR) one, and what belongs to it.

    from srstudy.degradations.shared.degradation import degradation
    lr = degradation("matlab").degrade(hr, scale=4)

A degradation is a file of the folder above: DESCRIPTION, INTERPOLATION, PROTOCOL and a function
`degrade`; where training images get strengths of their own, also what strengths.py says. Whoever
uses one asks for it here, by name, and an unknown name is an error everywhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srstudy.common import choices
from srstudy.common.errors import ChoiceError
from srstudy.degradations.shared.strengths import FUNCTION, draws, strengths
from srstudy.images.interpolation import Interpolation
from srstudy.images.pairs import Pair, crop_to_multiple
from srstudy.images.protocols import Protocol

ROOM = "degradations"
Function = Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]
# What its files have.
KINDS = {"DESCRIPTION": str, "INTERPOLATION": Interpolation, "PROTOCOL": Protocol}
WANTED = (*KINDS, "degrade")


@dataclass(frozen=True)
class Drawn:
    """What random strengths are drawn from: a seed, and the entries of params.yaml."""

    seed: int
    strengths: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Degradation:
    """One way to make LR images, how they are enlarged again, and the protocol that scores it.

    at_random: what draws strengths for training images, if they have their own.
    """

    name: str
    description: str
    interpolation: Interpolation
    protocol: Protocol
    function: Function
    at_random: Callable[..., NDArray[np.uint8]] | None = None

    def degrade(self, image: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
        """The LR image of an HR image, which is cropped to a multiple of scale before.

        image: uint8, (H, W) or (H, W, 3). Returns uint8, (H // scale, W // scale[, 3]).
        Raises ValueError for another dtype, a scale below 1 and an image smaller than the scale;
        ChoiceError names the degradation's file where that fails or gives another size or dtype.
        """
        return self.pair(image, scale).lr

    def pair(self, image: NDArray[np.uint8], scale: int) -> Pair:
        """The LR image of an HR image, as `degrade`, beside the HR image, cropped."""
        return self._pair(image, scale, self.function, "degrade")

    def training_pair(
        self, image: NDArray[np.uint8], scale: int, words: tuple[str, ...], drawn: Drawn
    ) -> Pair:
        """As `pair`, for training: with strengths drawn for this image, if there are any.

        words: what the image is known by, as its name; the same words give the same strengths.
        """
        if self.at_random is None:
            return self.pair(image, scale)
        function, random = self.at_random, draws(drawn.seed, self.name, *words)
        values = strengths(self.name, drawn.strengths.get(self.name, {}))
        return self._pair(image, scale, lambda hr, s: function(hr, s, random, **values), FUNCTION)

    def _pair(self, image: NDArray[np.uint8], scale: int, function: Function, called: str) -> Pair:
        self._check(image, scale)
        hr = crop_to_multiple(image, scale)
        try:
            lr = function(hr.copy(), scale)  # a copy: HR is what restored images are held to
        except Exception as error:  # whatever a function of the user's own does
            what = f"{called} failed on an image of shape {hr.shape} at x{scale}"
            raise choices.failure(ROOM, self.name, what, error) from error
        expected = f"uint8 of shape {(hr.shape[0] // scale, hr.shape[1] // scale, *hr.shape[2:])}"
        is_array = isinstance(lr, np.ndarray)
        found = f"{lr.dtype} of shape {lr.shape}" if is_array else type(lr).__name__
        if found != expected:
            raise ChoiceError(
                f"{choices.file_of(ROOM, self.name)}: {called} gave {found} for an image of shape "
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
    at_random = getattr(file, FUNCTION, None)
    functions = {"degrade": file.degrade, **({FUNCTION: at_random} if at_random else {})}
    for key, function in functions.items():
        if not callable(function):
            raise ChoiceError(f"{choices.file_of(ROOM, name)}: {key}: allowed: a function")
    return Degradation(
        name, file.DESCRIPTION, file.INTERPOLATION, file.PROTOCOL, file.degrade, at_random
    )


def names() -> tuple[str, ...]:
    """The names of all degradations."""
    return choices.names(ROOM)


def alike(name: str) -> tuple[str, ...]:
    """The degradations for which a network means the same as for this one, itself among them.

    They have its interpolation and its protocol, so that one's weights can go on at the other's LR
    images. Files that are not whole are left out. ChoiceError where that of the name is not.
    """
    wanted, found = degradation(name), []
    for other in names():
        try:
            made_by = degradation(other)
        except ChoiceError:
            continue  # a half-written file of the user's own, which nobody has chosen
        if (made_by.interpolation, made_by.protocol) == (wanted.interpolation, wanted.protocol):
            found.append(other)
    return tuple(found)
