"""The work of the command `upscale`: it restores one image after the other and writes each file."""

import argparse
import dataclasses
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import onnxruntime

from srstudy.common.errors import InputError
from srstudy.imagefiles.reading import read_photo
from srstudy.upscale.choosing import Chooser
from srstudy.upscale.folders import images_in, is_file, is_folder, is_there
from srstudy.upscale.formats import FORMATS, HAS_QUALITY
from srstudy.upscale.photo_writing import check_fits, write_photo
from srstudy.upscale.runtime import Network
from srstudy.upscale.upscaling import Image, count_tiles, restore_photo

if TYPE_CHECKING:
    from tqdm import tqdm


def run(arguments: argparse.Namespace) -> None:
    """Restore file by file and print a summary. If something was wrong, end the program with a line
    on stderr and exit status 1."""
    started = time.perf_counter()
    for stream in (sys.stdout, sys.stderr):
        if stream:  # None if it is closed
            # Some terminals cannot show all characters of a file name.
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    # The log of ONNX Runtime is switched off: our own lines report faults of a device.
    onnxruntime.set_default_logger_severity(4)
    try:
        chooser = Chooser(arguments, _note)
        pairs = _pairs(arguments)
        _check_quality(arguments, pairs)
    except InputError as error:
        sys.exit(f"error: {_shown(error)}")
    sizes: list[float] = []
    failed = skipped = 0
    for number, (source, target) in enumerate(pairs, start=1):
        title = _shown(source.name) + (f" ({number} of {len(pairs)})" * (len(pairs) > 1))
        try:
            if arguments.skip_existing and is_file(target):
                skipped += 1
            else:
                sizes.append(_restore_file(source, target, chooser, arguments, title))
        except (InputError, MemoryError) as error:
            failed += 1
            what = error if isinstance(error, InputError) else f"{source}: not enough memory"
            _print(f"error: {_shown(what)}", sys.stderr)
    done = f"{len(sizes)} file{'s' * (len(sizes) != 1)}, {sum(sizes) / 1e6:.2f} megapixels"
    more = f"; {skipped} skipped, because the output exists" if skipped else ""
    _print(f"{done}, {time.perf_counter() - started:.1f} s{more}", sys.stdout)
    if failed:
        sys.exit(f"{failed} of {len(pairs)} images could not be upscaled")


def _pairs(arguments: argparse.Namespace) -> list[tuple[Path, Path]]:
    """Every image, with the path of its output."""
    output: Path = arguments.output
    sources: list[tuple[Path, Path]] = []  # each image, and the folder of the command line
    for path in arguments.inputs:
        if is_folder(path):
            images, others = images_in(path, arguments.recursive, without=output)
            sources += [(image, path) for image in images]
            if others:
                more = "" if arguments.recursive else "; allowed: --recursive"
                _note(f"{path}: {others}{more}")
        else:
            sources.append((path, path.parent))
    suffixes = FORMATS[arguments.format or "png"]
    one = len(sources) == 1 and not is_folder(arguments.inputs[0]) and not is_folder(output)
    if one and output.suffix:
        if arguments.format and output.suffix.lower() not in suffixes:
            raise InputError(
                f"{output}: --format: found {arguments.format}; allowed: a file name that ends "
                f"with {' or '.join(suffixes)}, or no --format"
            )
        return [(sources[0][0], output)]
    if is_there(output) and not is_folder(output):
        raise InputError(f"{output}: is a file; allowed: a folder, or a name with a suffix")
    targets: dict[Path, Path] = {}
    for source, folder in sources:
        target = output / source.relative_to(folder).with_name(f"{source.stem}{suffixes[0]}")
        if target in targets:
            raise InputError(
                f"{source}: would become {target}, the same as {targets[target]}; "
                "allowed: one of them at a time"
            )
        targets[target] = source
    return [(source, target) for target, source in targets.items()]


def _check_quality(arguments: argparse.Namespace, pairs: Sequence[tuple[Path, Path]]) -> None:
    """Refuse --quality for a format without it; all targets have the same format."""
    suffix = pairs[0][1].suffix
    if arguments.quality and suffix.lower() not in HAS_QUALITY:
        raise InputError(f"--quality: found with {suffix}; allowed: with {', '.join(HAS_QUALITY)}")


def _note(words: str) -> None:
    _print(f"note: {_shown(words)}", sys.stderr)


def _print(line: str, stream: TextIO | None) -> None:
    """Print a line. That it cannot be written, as on a full disk, must not stop the work."""
    if not stream:  # it is closed
        return
    try:
        print(line, file=stream, flush=True)
    except BrokenPipeError:  # the program that read our output has ended
        raise
    except OSError:
        # Nobody is left to be told. What remains in the buffer would fail again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _shown(words: object) -> str:
    """A text that may contain file names, as one line of printable characters."""
    text = str(words).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _restore_file(
    source: Path, target: Path, chooser: Chooser, arguments: argparse.Namespace, title: str
) -> int:
    """Restore one image and write it; return the number of its pixels."""
    if is_there(target) and not arguments.force:
        raise InputError(f"{target}: exists already; allowed: another name, or --force")
    photo = read_photo(source)
    for note in photo.notes:
        _note(f"{source}: {note}")
    check_fits(target, photo, chooser.scale)
    steps = chooser(source, photo.pixels)
    pixels = _restored(photo.pixels, steps, arguments.self_ensemble, title)
    write_photo(target, dataclasses.replace(photo, pixels=pixels), arguments.quality)
    height, width = pixels.shape[:2]
    _print(f"{_shown(target)}: {width} x {height} pixels", sys.stdout)
    return height * width


def _restored(image: Image, steps: Sequence[Network], ensemble: bool, title: str) -> Image:
    """Restore an image; if it has several tiles, show the progress."""
    tiles = count_tiles(image, steps)
    if tiles == 1:
        return restore_photo(image, steps, ensemble)
    from srstudy.common.progress import progress  # takes 0.04 s: not for one tile

    shown: tqdm = progress((), title, tiles, "tile")
    with shown:
        return restore_photo(image, steps, ensemble, shown.update)
