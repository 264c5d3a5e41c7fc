"""The folders of synthesized images: pairs of PNG files that any viewer opens.

<folder>/full/hr/NAME.png       the image, cropped to a multiple of the scale
<folder>/full/lr/NAME.png       its LR image
<folder>/copy-0.9/hr/NAME.png   luma of a downscaled copy (training sets only)
<folder>/copy-0.9/lr/NAME.png   luma of its LR image
"""

from collections.abc import Sequence
from pathlib import Path

from srstudy.common.errors import InputError
from srstudy.imagefiles.png import write_png
from srstudy.imagefiles.reading import read_image
from srstudy.images.pairs import Pair

FULL = "full"


def copy_folder(factor: float) -> str:
    """The folder of the copies downscaled by a factor."""
    return f"copy-{factor:g}"


def make_folders(folder: Path, parts: Sequence[str]) -> None:
    """Make the folders that `write_pair` writes to."""
    for part in parts:
        (folder / part / "hr").mkdir(parents=True)
        (folder / part / "lr").mkdir()


def write_pair(folder: Path, part: str, name: str, pair: Pair) -> None:
    """Write one image and its LR image."""
    write_png(folder / part / "lr" / f"{name}.png", pair.lr)
    write_png(folder / part / "hr" / f"{name}.png", pair.hr)


def has_pair(folder: Path, part: str, name: str) -> bool:
    """Whether there is a pair of this name: a copy may be too small for a scale."""
    return (folder / part / "hr" / f"{name}.png").exists()


def read_pair(folder: Path, part: str, name: str) -> Pair:
    """The pair of one name; `InputError` if a file is missing or is not an image."""
    return Pair(
        read_image(folder / part / "lr" / f"{name}.png"),
        read_image(folder / part / "hr" / f"{name}.png"),
    )


def parts(folder: Path) -> list[str]:
    """`full` first, then the copies, largest first."""
    copies = sorted((p.name for p in folder.glob("copy-*")), reverse=True)
    return [FULL, *copies]


def names(folder: Path) -> list[str]:
    """The names of the images in a synthesized folder, sorted; `InputError` if there is none."""
    found = sorted(path.stem for path in (folder / FULL / "hr").glob("*.png"))
    if not found:
        raise InputError(f"{folder}: holds no synthesized image; run `dvc repro`")
    return found
