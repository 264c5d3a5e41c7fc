from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from stages.core.errors import InputError
from stages.core.photos import Photo, check_fits, read_photo, write_photo

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _random(*shape: int, dtype: Any = np.uint8) -> NDArray[Any]:
    return np.random.default_rng(0).integers(np.iinfo(dtype).max + 1, size=shape, dtype=dtype)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [(), (3,), (4,)])
def test_photo_is_read_as_it_was_written(
    tmp_path: Path, suffix: str, dtype: Any, channels: tuple[int, ...]
) -> None:
    photo = Photo(_random(12, 9, *channels, dtype=dtype), PROFILE)
    write_photo(tmp_path / f"photo{suffix}", photo)
    again = read_photo(tmp_path / f"photo{suffix}")
    np.testing.assert_array_equal(again.pixels, photo.pixels)
    assert again.pixels.dtype == dtype and again.profile == PROFILE


@pytest.mark.parametrize("channels", [3, 4])
def test_webp_is_without_loss(tmp_path: Path, channels: int) -> None:
    pixels = _random(12, 9, channels)
    pixels[..., 3:] |= 1  # colours of pixels that cannot be seen are not kept
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


def test_profile_of_a_grey_photo_stays_with_grey_alone(tmp_path: Path) -> None:
    profile = PROFILE[:16] + b"GRAY" + PROFILE[20:]
    for suffix, kept in ((".png", profile), (".webp", None)):
        write_photo(tmp_path / f"a{suffix}", Photo(_random(4, 4), profile))
        assert read_photo(tmp_path / f"a{suffix}").profile == kept


def test_16_bits_are_not_cut_silently(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"photo\.webp: cannot hold 16 bits"):
        write_photo(tmp_path / "photo.webp", Photo(_random(4, 4, dtype=np.uint16)))
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".jpg", ".bmp"])
def test_alpha_is_not_dropped_silently(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(InputError, match=f"out{suffix}: cannot hold alpha; allowed: .png"):
        write_photo(tmp_path / f"out{suffix}", Photo(_random(4, 4, 4)))


def test_suffix_of_no_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"out\.gif: allowed: a suffix out of \.png"):
        write_photo(tmp_path / "out.gif", Photo(_random(4, 4)))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int, dtype: Any) -> None:
    pixels = _random(5, 7, dtype=dtype)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.png"
    Image.fromarray(pixels).save(path, exif=exif)
    # Pillow as the judge, in 8 bits, which it can turn.
    shallow = Image.fromarray((pixels >> (8 * (pixels.itemsize - 1))).astype(np.uint8))
    shallow.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(shallow))
    found = read_photo(path).pixels
    assert found.dtype == dtype
    np.testing.assert_array_equal(found >> (8 * (found.itemsize - 1)), expected)


def test_palette_and_one_bit_become_what_they_show(tmp_path: Path) -> None:
    picture = Image.fromarray(_random(8, 8, 3)).quantize(16)
    picture.save(tmp_path / "palette.png")
    found = read_photo(tmp_path / "palette.png").pixels
    np.testing.assert_array_equal(found, np.asarray(picture.convert("RGB")))
    bits = Image.fromarray(_random(8, 8)).convert("1")
    bits.save(tmp_path / "bits.png")
    np.testing.assert_array_equal(
        read_photo(tmp_path / "bits.png").pixels, np.asarray(bits.convert("L"))
    )


def test_transparent_palette_has_alpha(tmp_path: Path) -> None:
    picture = Image.fromarray(_random(8, 8, 3)).quantize(16)
    picture.save(tmp_path / "palette.png", transparency=3)
    photo = read_photo(tmp_path / "palette.png")
    assert photo.has_alpha and photo.pixels.shape == (8, 8, 4)
    np.testing.assert_array_equal(photo.pixels[..., 3] == 0, np.asarray(picture) == 3)


def test_grey_with_alpha_becomes_colour_with_alpha(tmp_path: Path) -> None:
    planes = _random(8, 8, 2)
    tifffile.imwrite(
        tmp_path / "grey.tif", planes, photometric="minisblack", extrasamples=["unassalpha"]
    )
    found = read_photo(tmp_path / "grey.tif").pixels
    np.testing.assert_array_equal(found, planes[..., [0, 0, 0, 1]])


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk_becomes_rgb(tmp_path: Path, suffix: str) -> None:
    red = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    red.save(tmp_path / f"red{suffix}")
    photo = read_photo(tmp_path / f"red{suffix}")
    assert photo.pixels.shape == (8, 8, 3) and photo.profile is None
    assert np.abs(photo.pixels.astype(int) - [255, 0, 0]).max() <= 3


def _refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_photo(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    return message


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("kept", [0, 10, 40, 400])
def test_broken_file_is_refused_by_name(tmp_path: Path, dtype: Any, kept: int) -> None:
    path = tmp_path / "broken.png"
    write_photo(path, Photo(_random(40, 40, 3, dtype=dtype)))
    path.write_bytes(path.read_bytes()[:kept])
    assert "is no whole image" in _refusal(path)


def test_other_files_are_refused_by_name(tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("no image")
    assert "is no whole image" in _refusal(text)
    assert "No such file" in _refusal(tmp_path / "missing.png")
    assert "Is a directory" in _refusal(tmp_path)
    floats = tmp_path / "floats.tif"
    cv2.imwrite(str(floats), np.ones((4, 4), np.float32))
    assert "8 or 16 bits" in _refusal(floats)
    frames = tmp_path / "frames.webp"
    pictures = [Image.fromarray(_random(8, 8, 3)), Image.new("RGB", (8, 8))]
    pictures[0].save(frames, save_all=True, append_images=pictures[1:])
    assert "holds 2 images; allowed: one" in _refusal(frames)


def test_decompression_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (30000, 30000)).save(path)
    assert "has over 200000000 pixels" in _refusal(path)
