"""How a low-resolution (LR) image is made from a high-resolution (HR) image, and how it is scored.

    from srstudy.degradations.shared.degradation import degradation
    lr = degradation("matlab").degrade(hr, scale=4)

A degradation is a file of the folder above. It has DESCRIPTION, INTERPOLATION, PROTOCOL and a
function `degrade`; for random strengths of training images, see strengths.py. All code gets a
degradation from here, by its name, so that an unknown name is an error everywhere.
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
# The constants of each file, with their types.
KINDS = {"DESCRIPTION": str, "INTERPOLATION": Interpolation, "PROTOCOL": Protocol}
WANTED = (*KINDS, "degrade")


@dataclass(frozen=True)
class StrengthSource:
    """The source of random strengths: a seed, and the entries of params.yaml."""

    seed: int
    strengths: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Degradation:
    """One way to make LR images, the interpolation that enlarges them, and the protocol.

    at_random: the function that uses random strengths for training images, or None.
    """

    name: str
    description: str
    interpolation: Interpolation
    protocol: Protocol
    function: Function
    at_random: Callable[..., NDArray[np.uint8]] | None = None

    def degrade(self, image: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
        """The LR image of an HR image, which is first cropped to a multiple of scale.

        image: uint8, (H, W) or (H, W, 3). Returns uint8, (H // scale, W // scale[, 3]).
        Raises ValueError for another dtype, a scale below 1 and an image smaller than the scale.
        Raises ChoiceError with the name of the degradation's file if its function fails or returns
        another size or dtype.
        """
        return self.pair(image, scale).lr

    def pair(self, image: NDArray[np.uint8], scale: int) -> Pair:
        """The LR image, as from `degrade`, together with the cropped HR image."""
        return self._pair(image, scale, self.function, "degrade")

    def training_pair(
        self, image: NDArray[np.uint8], scale: int, words: tuple[str, ...], source: StrengthSource
    ) -> Pair:
        """Like `pair`, for training: with random strengths for this image, if there are any.

        words: identify the image, such as its name; the same words and the same source give the
        same strengths.
        """
        if self.at_random is None:
            return self.pair(image, scale)
        function, random = self.at_random, draws(source.seed, self.name, *words)
        values = strengths(self.name, source.strengths.get(self.name, {}))
        return self._pair(image, scale, lambda hr, s: function(hr, s, random, **values), FUNCTION)

    def _pair(self, image: NDArray[np.uint8], scale: int, function: Function, called: str) -> Pair:
        self._check(image, scale)
        hr = crop_to_multiple(image, scale)
        try:
            lr = function(hr.copy(), scale)  # a copy: restored images are compared with this HR
        except Exception as error:  # a user's own function can raise anything
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
        """An LR image, uint8 (h, w[, 3]), enlarged by the interpolation of the degradation."""
        self._check(image, scale)
        return self.interpolation.image(image, scale)

    def sentence(self) -> str:
        """Degradation and protocol in words, for metrics files and tables."""
        # The name is added if the description does not begin with it. So a copied file under a new
        # name cannot be mistaken for the original.
        named = self.description.lower().startswith(self.name.lower())
        how = self.description if named else f"{self.description} (`{self.name}`)"
        return f"LR by {how}; {self.protocol.words}"

    def _check(self, image: NDArray[np.uint8], scale: int) -> None:
        if image.dtype != np.uint8:
            raise ValueError(f"an image must be uint8, not {image.dtype}")
        if scale < 1:
            raise ValueError(f"scale must be at least 1, not {scale}")


def degradation(name: str) -> Degradation:
    """The degradation of a name. Raises ChoiceError if its file is missing or incomplete."""
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
    """The degradations with the same interpolation and protocol as this one; it is included.

    Weights trained with one of them can be trained further on the LR images of another. Incomplete
    files are ignored. Raises ChoiceError if the file of `name` itself is incomplete.
    """
    wanted, found = degradation(name), []
    for other in names():
        try:
            made_by = degradation(other)
        except ChoiceError:
            continue  # a user's own unfinished file, which is not chosen
        if (made_by.interpolation, made_by.protocol) == (wanted.interpolation, wanted.protocol):
            found.append(other)
    return tuple(found)
