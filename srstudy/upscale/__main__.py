"""Command `upscale`: photographs restored at 2, 4 or 8 times their size by a trained network.

    python -m srstudy.upscale photo.jpg -o large.png --scale 4
    python -m srstudy.upscale photos/ more.tif -o large/

No stage of the pipeline: it needs no data, no training and no TensorFlow, only weights/.
"""

import argparse
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from srstudy.common.errors import InputError
from srstudy.common.progress import progress
from srstudy.common.scales import SCALES
from srstudy.imagefiles.listing import SUFFIXES
from srstudy.imagefiles.reading import Photo, read_photo
from srstudy.upscale.photo_writing import check_fits, write_photo
from srstudy.upscale.runtime import Network, load_network
from srstudy.upscale.upscaling import MODELS, count_tiles, networks, restore_photo


def main() -> None:
    """Restore file by file; a file that fails is named and the others go on, to exit status 1."""
    parser = argparse.ArgumentParser(prog="upscale", description=__doc__.splitlines()[0])
    parser.add_argument("inputs", nargs="+", type=Path, metavar="IN", help="image file or folder")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="OUT",
                        help="a file for one image, else a folder of PNG files")  # fmt: skip
    parser.add_argument("--scale", type=int, choices=SCALES, help="default: 2")
    parser.add_argument("--model", choices=MODELS, help="default: plain")
    parser.add_argument("--weights", type=Path, metavar="FILE",
                        help="another network: .onnx or .weights.h5")  # fmt: skip
    parser.add_argument("--self-ensemble", action="store_true",
                        help="for a network that is not equivariant: the mean over eight "
                        "orientations, in eight times the time")  # fmt: skip
    parser.add_argument("--force", action="store_true", help="overwrite files that exist")
    arguments = parser.parse_args()
    try:
        steps = _chosen(arguments)
        failed = 0
        for number, (source, target) in enumerate(pairs := _pairs(arguments), start=1):
            title = f"{source.name} ({number} of {len(pairs)})" if len(pairs) > 1 else source.name
            try:
                _restore_file(source, target, steps, arguments, title)
            except (InputError, MemoryError) as error:
                failed += 1
                what = error if isinstance(error, InputError) else f"{source}: not enough memory"
                print(f"error: {what}", file=sys.stderr)
    except InputError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our lines (`| head`) has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    if failed:
        sys.exit(f"{failed} of {len(pairs)} images could not be upscaled")


def _chosen(arguments: argparse.Namespace) -> list[Network]:
    if not arguments.weights:
        try:
            return networks(arguments.scale or 2, arguments.model or "plain")
        except ValueError as error:
            raise InputError(f"--{error}, or another with --weights") from error
    if arguments.model:
        raise InputError("--model and --weights: allowed: one of them")
    network = load_network(arguments.weights)
    if arguments.scale not in (None, network.scale):
        raise InputError(
            f"{arguments.weights}: --scale: found {arguments.scale}; allowed: {network.scale}"
        )
    return [network]


def _pairs(arguments: argparse.Namespace) -> list[tuple[Path, Path]]:
    """Every image and where the upscaled one goes."""
    sources: list[Path] = []
    for path in arguments.inputs:
        if path.is_dir():
            found = sorted(p for p in path.iterdir() if _is_image(p))
            if not found:
                raise InputError(f"{path}: holds no image; allowed: {', '.join(SUFFIXES)}")
            sources += found
        else:
            sources.append(path)
    output: Path = arguments.output
    one = len(sources) == 1 and not arguments.inputs[0].is_dir() and not output.is_dir()
    if one and output.suffix:
        return [(sources[0], output)]
    if output.exists() and not output.is_dir():
        raise InputError(f"{output}: is a file; allowed for several images: a folder")
    targets: dict[Path, Path] = {}
    for source in sources:
        target = output / f"{source.stem}.png"
        if target in targets:
            raise InputError(f"{source}: would become {target}, as {targets[target]} would")
        targets[target] = source
    return [(source, target) for target, source in targets.items()]


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _restore_file(
    source: Path, target: Path, steps: Sequence[Network], arguments: argparse.Namespace, title: str
) -> None:
    if target.exists() and not arguments.force:
        raise InputError(f"{target}: exists already; allowed: another place, or --force")
    photo = read_photo(source)
    check_fits(target, photo, math.prod(network.scale for network in steps))
    shown: tqdm = progress((), title, count_tiles(photo.pixels, steps), "tile")
    with shown:
        pixels = restore_photo(photo.pixels, steps, arguments.self_ensemble, shown.update)
    write_photo(target, Photo(pixels, photo.profile))
    print(f"{target}: {pixels.shape[1]} x {pixels.shape[0]} pixels", flush=True)


if __name__ == "__main__":
    main()
