"""The choice of the networks for a photograph: those that were named, or the choice of `auto`."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from srstudy.common.errors import InputError
from srstudy.upscale.jpeg_traces import was_jpeg
from srstudy.upscale.models import DEFAULT, Model, check_scale, has_networks
from srstudy.upscale.runtime import Network, Tell, load_network, networks

Steps = list[Network]


@dataclass(frozen=True)
class Choice:
    """A model for an image, and the reason, as words that follow the file name of the image."""

    model: Model
    reason: str


def choice(image: NDArray[Any], scale: int, data: bytes = b"") -> Choice:
    """The choice of `auto` for an image (H, W[, C]): `photo` if it had lossy compression and
    `photo` has a network for the scale, else `clean`.

    data: the bytes of the image's file, if there is one. Without it, or if the file is lossless,
    the pixels decide.
    """
    kind = lossy_kind(data)
    if not kind and not was_jpeg(image):
        return Choice("clean", "has no traces of JPEG")
    reason = f"is {kind}" if kind else "has the traces of JPEG in its pixels"
    if has_networks("photo", scale):
        return Choice("photo", reason)
    return Choice("clean", f"{reason}, but there is no network photo for --scale {scale}")


def lossy_kind(data: bytes) -> str | None:
    """The kind of a lossy file, such as "a JPEG file", from its bytes; None if it is another file.

    AVIF files count as lossy: very few are lossless.
    """
    if data[:3] == b"\xff\xd8\xff":
        return "a JPEG file"
    if data[4:8] == b"ftyp" and b"avi" in data[8 : int.from_bytes(data[:4])]:
        return "an AVIF file"
    return "a lossy WebP file" if _is_lossy_webp(data) else None


def _is_lossy_webp(data: bytes) -> bool:
    """Whether the first image chunk of a WebP file is VP8; VP8L is the lossless kind."""
    place = 12 if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else len(data)
    while place + 8 <= len(data):
        name = data[place : place + 4]
        if name in (b"VP8 ", b"VP8L"):
            return name == b"VP8 "
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        place += 8 + length + length % 2
    return False


class Chooser:
    """The networks for each photograph of a run. Each is loaded once; for `auto`, when needed.

    It reports the choice of `auto` with a line to `tell`: for the first photograph, and for each
    one whose model or reason differs from the one before.
    """

    def __init__(self, arguments: argparse.Namespace, tell: Tell) -> None:
        """arguments: of the command. Raises `InputError` if they name no valid network."""
        self._tell, self._said, self._model = tell, "", arguments.model or DEFAULT
        self._named: Steps | None = None
        self.scale: int = arguments.scale or 2
        self._load: Callable[[Model], Steps] = cache(
            lambda model: networks(self.scale, model, arguments.device, tell)
        )
        if arguments.weights:
            network = _of_file(arguments, tell)
            self._named, self.scale = [network], network.scale
            return
        try:
            check_scale(self._model, self.scale)
        except ValueError as error:
            raise InputError(f"--{error}, or a file with --weights") from error
        if self._model != "auto":
            self._named = self._load(self._model)

    def __call__(self, path: Path, image: NDArray[Any]) -> Steps:
        """The networks for an image (H, W[, C]) that was read from a file."""
        if self._named:
            return self._named
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
        taken = choice(image, self.scale, data)
        if taken.reason != self._said:
            self._tell(f"{path}: {taken.reason}; model from here on: {taken.model}")
            self._said = taken.reason
        return self._load(taken.model)


def _of_file(arguments: argparse.Namespace, tell: Tell) -> Network:
    if arguments.model:
        raise InputError("--model and --weights: found both; allowed: only one of them")
    network = load_network(arguments.weights, arguments.device, tell)
    if arguments.scale not in (None, network.scale):
        raise InputError(
            f"{arguments.weights}: --scale: found {arguments.scale}; allowed: {network.scale}"
        )
    return network
