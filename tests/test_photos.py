from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from srstudy.common.errors import InputError
from srstudy.imagefiles.metadata import Metadata
from srstudy.imagefiles.profiles import LARGEST
from srstudy.imagefiles.reading import Photo, read_photo
from srstudy.upscale.embedding import chunks_for
from srstudy.upscale.photo_writing import check_fits, write_photo
from srstudy.upscale.png_stream import write_png_stream

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GREY_PROFILE = PROFILE[:16] + b"GRAY" + PROFILE[20:]


def _random(*shape: int, dtype: Any = np.uint8) -> NDArray[Any]:
    return np.random.default_rng(0).integers(np.iinfo(dtype).max + 1, size=shape, dtype=dtype)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [(), (3,), (4,)])
def test_written_photo_is_read_unchanged(
    tmp_path: Path, suffix: str, dtype: Any, channels: tuple[int, ...]
) -> None:
    profile = PROFILE if channels else GREY_PROFILE
    photo = Photo(_random(12, 9, *channels, dtype=dtype), profile)
    write_photo(tmp_path / f"photo{suffix}", photo)
    again = read_photo(tmp_path / f"photo{suffix}")
    np.testing.assert_array_equal(again.pixels, photo.pixels)
    assert again.pixels.dtype == dtype and again.profile == profile


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (64, 5), (129, 5)])
@pytest.mark.parametrize("channels", [(), (3,), (4,)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_of_any_size_can_be_read_by_other_programs(
    tmp_path: Path, shape: tuple[int, ...], channels: tuple[int, ...], dtype: Any
) -> None:
    pixels = _random(*shape, *channels, dtype=dtype)
    write_photo(tmp_path / "a.png", Photo(pixels))
    found: Any = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    order = [2, 1, 0, 3][: pixels.shape[-1]]
    np.testing.assert_array_equal(found if not channels else found[..., order], pixels)
    with Image.open(tmp_path / "a.png") as image:
        image.verify()  # its checksums


@pytest.mark.parametrize("channels", [3, 4])
def test_webp_is_lossless(tmp_path: Path, channels: int) -> None:
    pixels = _random(12, 9, channels)
    pixels[..., 3:] |= 1  # colours of transparent pixels are not kept
    write_photo(tmp_path / "photo.webp", Photo(pixels, PROFILE))
    again = read_photo(tmp_path / "photo.webp")
    np.testing.assert_array_equal(again.pixels, pixels)
    assert again.profile == PROFILE


@pytest.mark.parametrize(("suffix", "most"), [(".webp", 16383), (".jpg", 65500)])
def test_side_that_a_format_cannot_hold_is_refused(tmp_path: Path, suffix: str, most: int) -> None:
    photo = Photo(np.zeros((2, most // 2), np.uint8))
    check_fits(tmp_path / f"a{suffix}", photo, 2)
    with pytest.raises(InputError, match=f"cannot hold {most // 2 * 4} pixels .*; allowed: {most}"):
        check_fits(tmp_path / f"a{suffix}", photo, 4)


def test_profile_of_a_grey_photo_is_kept_only_in_a_grey_file(tmp_path: Path) -> None:
    for suffix, kept in ((".png", GREY_PROFILE), (".webp", None)):
        write_photo(tmp_path / f"a{suffix}", Photo(_random(4, 4), GREY_PROFILE))
        assert read_photo(tmp_path / f"a{suffix}").profile == kept


def test_16_bits_are_not_cut_silently(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"photo\.webp: cannot hold 16 bits"):
        write_photo(tmp_path / "photo.webp", Photo(_random(4, 4, dtype=np.uint16)))
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".jpg", ".bmp"])
def test_alpha_is_not_dropped_silently(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(InputError, match=f"out{suffix}: cannot hold alpha; allowed: .png"):
        write_photo(tmp_path / f"out{suffix}", Photo(_random(4, 4, 4)))


def test_suffix_that_is_not_of_an_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"out\.gif: allowed: one of the suffixes \.png"):
        write_photo(tmp_path / "out.gif", Photo(_random(4, 4)))


@pytest.mark.parametrize("size", [60_000, 65_516, 65_520, 1_000_000])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_large_profile_is_kept(tmp_path: Path, suffix: str, size: int) -> None:
    large = PROFILE + np.random.default_rng(0).bytes(size - len(PROFILE))
    large = size.to_bytes(4) + large[4:]
    path = tmp_path / f"a{suffix}"
    write_photo(path, Photo(_random(12, 9, 3), large))
    again = read_photo(path)
    assert again.profile == large and again.pixels.shape == (12, 9, 3)


def test_profile_that_jpeg_cannot_hold_is_left_out_with_a_note(tmp_path: Path) -> None:
    size = LARGEST + 4
    large = size.to_bytes(4) + PROFILE[4:] + bytes(size - len(PROFILE))
    with (tmp_path / "a.png").open("wb") as file:
        write_png_stream(file, _random(5, 4, 3), chunks_for(Metadata(), large))
    photo = read_photo(tmp_path / "a.png")
    note = f"its colour profile is longer than {LARGEST} bytes and is left out"
    assert photo.profile is None and photo.notes == (note,)
