"""Each kind of file in photos/ is read correctly or refused by name; also all files in a batch."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from srstudy.common.errors import InputError
from srstudy.imagefiles.listing import SUFFIXES
from srstudy.imagefiles.reading import read_image, read_photo
from tests.imports import ROOT
from tests.photos import jpeg_files, other_files, png_files, tiff_files
from tests.photos.kinds import COLOUR, GREY, KINDS, Kind, Shows
from tests.photos.png_files import PROFILES

WRITERS = (png_files, jpeg_files, tiff_files, other_files)  # each fills the table of kinds


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_file_of_each_kind_is_read_right_or_refused_by_name(
    tmp_path: Path, kind: Kind, capfd: pytest.CaptureFixture
) -> None:
    path = tmp_path / kind.name
    shown = kind.write(path)
    capfd.readouterr()
    if isinstance(shown, str):
        for read in (read_photo, read_image):
            with pytest.raises(InputError) as caught:
                read(path)
            assert str(caught.value).startswith(f"{path}: {shown}")
            assert "\n" not in str(caught.value)
    else:
        expected, off = shown
        found = read_photo(path).pixels
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        assert np.abs(found.astype(int) - expected).max() <= off
        np.testing.assert_array_equal(read_image(path), _for_training(found))
    assert not capfd.readouterr().err  # nor a line of a library's own


def _for_training(pixels: NDArray[Any]) -> NDArray[Any]:
    """Without alpha, in 8 bits; none of the kinds has grey values in a file of colours."""
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        is_grey = (pixels[..., :1] == pixels[..., :3]).all()
        pixels = pixels[..., 0] if is_grey else pixels[..., :3]
    return pixels if pixels.dtype == np.uint8 else np.floor(pixels / 257 + 0.5).astype(np.uint8)


def test_many_kinds_are_tried() -> None:
    assert len({Path(name).suffix for name in KINDS} & set(SUFFIXES)) >= 5
    assert len(KINDS) >= 52


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".bmp"])
@pytest.mark.parametrize("pixels", [GREY, COLOUR], ids=["grey", "colour"])
def test_training_reads_the_pixels_that_pillow_decodes_in_8_bits(
    tmp_path: Path, suffix: str, pixels: NDArray[np.uint8]
) -> None:
    # Whatever else the file says: the study's data rest on it.
    path = tmp_path / f"a{suffix}"
    for content, _ in PROFILES.values():
        options: dict[str, Any] = {"dpi": (300, 300)}
        if suffix != ".bmp":
            options |= {"icc_profile": content, "exif": b"Exif\0\0II*\0junk"}
        Image.fromarray(pixels).save(path, **options)
        with Image.open(path) as image:
            np.testing.assert_array_equal(read_image(path), np.array(image))


def test_folder_with_every_kind_of_file_is_processed_to_the_end(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    refused: dict[str, str] = {}
    read: dict[str, Shows] = {}
    for number, (name, kind) in enumerate(sorted(KINDS.items())):  # the good among the bad
        path = tmp_path / "in" / f"{number} {name}"
        shown = kind.write(path)
        if isinstance(shown, str):
            refused[path.name] = shown
        else:
            read[path.name] = shown
    assert len(refused) > 40 and len(read) > 40
    ended = subprocess.run(
        [sys.executable, "-m", "srstudy.upscale", "in", "-o", "out"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=280,
    )
    lines = ended.stderr.splitlines()
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    assert lines[-1] == f"{len(refused)} of {len(KINDS)} images could not be upscaled"
    for name, words in refused.items():
        assert sum(line.startswith(f"error: in/{name}: {words}") for line in lines) == 1
    # Beside these only what was left out of a file, by its name.
    assert all(line.startswith(("error: in/", "note: in/")) for line in lines[:-1])
    *written, last = ended.stdout.splitlines()
    assert len(written) == len(read) and last.startswith(f"{len(read)} files, ")
    for name, (pixels, off) in read.items():
        large = read_photo(tmp_path / "out" / f"{Path(name).stem}.png").pixels
        height, width, *channels = pixels.shape
        assert large.dtype == pixels.dtype
        assert large.shape == (height * 2, width * 2, *channels)
        means = large.reshape(height, 2, width, 2, -1).mean(axis=(1, 3)).reshape(pixels.shape)
        unit = np.iinfo(pixels.dtype).max / 255
        colours = np.s_[..., :3] if channels else np.s_[...]
        seen = pixels[..., 3:] > 0 if channels == [4] else np.True_
        difference = np.abs(means[colours] - pixels[colours]) / unit * seen
        assert difference.mean() < _limit(pixels) + off / unit, name


def _limit(pixels: NDArray[Any]) -> float:
    """How far a mean of four restored pixels is from their one: little for a smooth image, more
    for palettes and dots."""
    values = (pixels if pixels.ndim == 2 else pixels[..., :3]) / (np.iinfo(pixels.dtype).max / 255)
    return 1 + 0.25 * np.abs(np.diff(values, axis=1)).mean()
