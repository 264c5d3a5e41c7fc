import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from stages.core.errors import InputError
from stages.core.images import list_images, read_image, write_png
from stages.core.photos import read_photo

# How files of these kinds start.
HEADS = {
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    "bmp": b"BM",
    "tif": b"II*\0\x08\0\0\0",
    "webp": b"RIFF\x40\0\0\0WEBPVP8 ",
}


def _refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_image(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    return message


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".tiff", ".PNG"])
def test_lossless_colour_files_are_read_as_rgb(
    tmp_path: Path, photo: NDArray[np.uint8], suffix: str
) -> None:
    path = tmp_path / f"image{suffix}"
    Image.fromarray(photo).save(path)
    image = read_image(path)
    assert image.dtype == np.uint8 and image.flags.c_contiguous
    np.testing.assert_array_equal(image, photo)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp"])
def test_lossy_files_are_read_as_rgb(tmp_path: Path, photo: NDArray[np.uint8], suffix: str) -> None:
    path = tmp_path / f"image{suffix}"
    Image.fromarray(photo).save(path, quality=95)
    # Swapped red and blue would differ by 30 in the mean.
    assert np.abs(read_image(path).astype(int) - photo).mean() < 5


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif"])
def test_grey_files_stay_grey(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"grey{suffix}"
    Image.fromarray(np.full((9, 7), 77, np.uint8)).save(path)
    image = read_image(path)
    assert image.shape == (9, 7) and (image == 77).all()


def test_alpha_is_dropped(tmp_path: Path, photo: NDArray[np.uint8]) -> None:
    path = tmp_path / "rgba.png"
    alpha = np.full((*photo.shape[:2], 1), 40, np.uint8)
    Image.fromarray(np.concatenate([photo, alpha], axis=-1)).save(path)
    np.testing.assert_array_equal(read_image(path), photo)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_of_a_tiff_file_is_dropped_without_a_trace(tmp_path: Path, dtype: Any) -> None:
    unit = np.iinfo(dtype).max // 255
    pixels = np.full((4, 5, 4), np.array([200, 100, 50, 128]) * unit, dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", extrasamples=["unassalpha"])
    assert (read_image(tmp_path / "a.tif") == [200, 100, 50]).all()


@pytest.mark.parametrize(
    "kind", [{"photometric": "rgb", "planarconfig": "separate"}, {"photometric": "miniswhite"}]
)
def test_tiff_of_16_bits_that_would_be_read_as_other_values_is_refused(
    tmp_path: Path, kind: dict[str, Any]
) -> None:
    shape = (3, 8, 9) if "planarconfig" in kind else (8, 9)
    tifffile.imwrite(tmp_path / "a.tif", np.full(shape, 100, np.uint16), **kind)
    _refusal(tmp_path / "a.tif")
    with pytest.raises(InputError, match=r"a\.tif: holds 16 bits in planes, or 0 as white"):
        read_photo(tmp_path / "a.tif")


def test_grey_with_alpha_keeps_its_grey_values(tmp_path: Path) -> None:
    path = tmp_path / "la.png"
    grey = np.arange(80, dtype=np.uint8).reshape(8, 10)
    Image.merge("LA", [Image.fromarray(grey), Image.new("L", (10, 8), 40)]).save(path)
    image = read_image(path)
    np.testing.assert_array_equal(image if image.ndim == 2 else image[..., 1], grey)


def test_palette_file_is_read_as_its_colours(tmp_path: Path, photo: NDArray[np.uint8]) -> None:
    path = tmp_path / "palette.png"
    palette = Image.fromarray(photo).quantize(16)
    palette.save(path)
    np.testing.assert_array_equal(read_image(path), np.asarray(palette.convert("RGB")))


def test_one_bit_file_is_black_and_white(tmp_path: Path) -> None:
    path = tmp_path / "bits.png"
    Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8)).convert("1").save(path)
    np.testing.assert_array_equal(read_image(path), [[0, 255], [255, 0]])


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_are_scaled_to_eight(tmp_path: Path, suffix: str) -> None:
    # 65535 = 255 * 257; a value halfway between two multiples of 257 rounds to the next.
    deep = np.array([[0, 257, 128 * 257, 65535, 128, 129]], np.uint16)
    path = tmp_path / f"deep{suffix}"
    cv2.imwrite(str(path), np.stack([deep, deep, deep], axis=-1))
    np.testing.assert_array_equal(read_image(path)[..., 0], [[0, 1, 128, 255, 0, 1]])
    cv2.imwrite(str(path), deep)
    np.testing.assert_array_equal(read_image(path), [[0, 1, 128, 255, 0, 1]])


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    wide = np.zeros((16, 32), np.uint8)
    wide[:, :16] = 255
    Image.fromarray(wide).save(path, exif=exif, quality=95)
    upright = read_image(path)
    assert upright.shape == (32, 16)
    assert upright[:14].mean() > 250 and upright[18:].mean() < 5  # the left half is now on top


def test_file_name_need_not_be_ascii(tmp_path: Path, photo: NDArray[np.uint8]) -> None:
    path = tmp_path / "Grüße 日本 ü.png"
    write_png(path, photo)
    np.testing.assert_array_equal(read_image(path), photo)


def test_what_is_no_image_is_refused_by_name(tmp_path: Path) -> None:
    text, empty = tmp_path / "text.png", tmp_path / "empty.png"
    text.write_text("not an image\n")
    empty.touch()
    for path in (text, empty):
        assert "is no image" in _refusal(path)
    assert "cannot be read" in _refusal(tmp_path / "missing.png")
    assert "cannot be read" in _refusal(tmp_path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif", ".webp"])
def test_truncated_file_is_refused_by_name(
    tmp_path: Path, photo: NDArray[np.uint8], suffix: str, capfd: pytest.CaptureFixture
) -> None:
    path = tmp_path / f"cut{suffix}"
    Image.fromarray(photo).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    _refusal(path)
    assert "ERROR" not in capfd.readouterr().err  # nor a line of OpenCV's own


def test_floating_point_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "float.tif"
    cv2.imwrite(str(path), np.zeros((4, 4), np.float32))
    assert "float32" in _refusal(path)


def test_cmyk_file_is_read_as_its_colours(tmp_path: Path, photo: NDArray[np.uint8]) -> None:
    path = tmp_path / "print.jpg"
    printed = Image.fromarray(photo).convert("CMYK")
    printed.save(path, quality=95)
    difference = read_image(path).astype(int) - np.asarray(Image.open(path).convert("RGB"))
    assert np.abs(difference).max() <= 2


def test_decompression_bomb_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    # 40,000 x 40,000 pixels in a header, and hardly any data.
    Image.new("1", (8, 8)).save(path)
    header = b"IHDR" + struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    data = path.read_bytes()
    path.write_bytes(data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:])
    assert "has over 200000000 pixels" in _refusal(path)


def test_image_just_over_the_limit_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 99)
    monkeypatch.setattr(cv2, "imdecode", None)
    write_png(tmp_path / "large.png", np.zeros((10, 10), np.uint8))
    assert "pixels" in _refusal(tmp_path / "large.png")


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1)])
def test_thin_files_are_read(tmp_path: Path, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    write_png(tmp_path / "thin.png", image)
    np.testing.assert_array_equal(read_image(tmp_path / "thin.png"), image)


def test_link_to_itself_is_refused_by_name(tmp_path: Path) -> None:
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    assert list_images(tmp_path) == [loop]
    assert "cannot be read" in _refusal(loop)


@given(st.binary(max_size=400), st.sampled_from(list(HEADS)))
def test_any_bytes_are_an_image_or_refused(content: bytes, kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"any.{kind}")
        path.write_bytes(HEADS[kind] + content)
        try:
            image = read_image(path)
        except InputError as error:
            assert str(error).startswith(f"{path}: ")
        else:
            assert image.dtype == np.uint8 and image.ndim in (2, 3)


@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 3)])
def test_written_png_is_read_back_and_has_the_same_bytes_twice(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    image = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    write_png(first, image)
    write_png(second, image)
    assert first.read_bytes() == second.read_bytes()
    np.testing.assert_array_equal(read_image(first), image)


def test_thousands_of_files_are_listed(tmp_path: Path) -> None:
    for number in range(5000):
        (tmp_path / f"{number:04}.png").touch()
    assert len(list_images(tmp_path)) == 5000


def test_images_of_a_folder_are_listed_by_name_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "c.webp", ".DS_Store"):
        (tmp_path / name).touch()
    assert [path.name for path in list_images(tmp_path)] == ["a.JPG", "b.png", "c.webp"]


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        ((), "holds no file"),
        ((".hidden",), "holds no file"),
        (("a.png", "readme.txt"), "readme.txt: is not an image by its suffix"),
        (("a.png", "folder/"), "folder: is a folder"),
        (("a.jpg", "a.png"), "a.png: has the same stem as a.jpg"),
    ],
)
def test_folder_with_anything_else_is_refused(
    tmp_path: Path, entries: tuple[str, ...], named: str
) -> None:
    for entry in entries:
        (tmp_path / entry).mkdir() if entry.endswith("/") else (tmp_path / entry).touch()
    with pytest.raises(InputError, match=named):
        list_images(tmp_path)


def test_missing_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere: is no folder"):
        list_images(tmp_path / "nowhere")
