import io
import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from srstudy.common.errors import InputError
from srstudy.imagefiles.png import write_png
from srstudy.imagefiles.reading import read_image, read_photo

# The first bytes of files of these kinds.
HEADS = {
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    "bmp": b"BM",
    "tif": b"II*\0\x08\0\0\0",
    "webp": b"RIFF\x40\0\0\0WEBPVP8 ",
}


def _random(*shape: int, dtype: Any = np.uint8) -> NDArray[Any]:
    return np.random.default_rng(0).integers(np.iinfo(dtype).max + 1, size=shape, dtype=dtype)


def _refusal(path: Path) -> str:
    """The one line with which both readers refuse a file."""
    messages = []
    for read in (read_image, read_photo):
        with pytest.raises(InputError) as caught:
            read(path)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert messages[0].startswith(f"{path}: ") and "\n" not in messages[0]
    return messages[0]


def _tiff(path: Path, pixels: NDArray[Any], **kind: Any) -> Path:
    planar = kind.pop("planarconfig", "contig" if pixels.ndim == 3 else None)
    tifffile.imwrite(path, pixels, planarconfig=planar, metadata=None, **kind)
    return path


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".tiff", ".PNG"])
def test_lossless_colour_files_are_read_as_rgb(
    tmp_path: Path, photo: NDArray[np.uint8], suffix: str
) -> None:
    path = tmp_path / f"image{suffix}"
    Image.fromarray(photo).save(path)
    image = read_image(path)
    assert image.dtype == np.uint8 and image.flags.c_contiguous and image.flags.writeable
    np.testing.assert_array_equal(image, photo)
    np.testing.assert_array_equal(read_photo(path).pixels, photo)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp"])
def test_lossy_files_are_read_as_rgb(tmp_path: Path, photo: NDArray[np.uint8], suffix: str) -> None:
    path = tmp_path / f"image{suffix}"
    Image.fromarray(photo).save(path, quality=95)
    # Swapped red and blue would differ by 30 in the mean.
    assert np.abs(read_image(path).astype(int) - photo).mean() < 5


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_lossy_files_have_the_same_pixels_as_with_opencv(
    tmp_path: Path, photo: NDArray[np.uint8], suffix: str, options: dict[str, Any]
) -> None:
    # The study's images were once read by OpenCV, and its results depend on those pixels.
    path = tmp_path / f"image{suffix}"
    Image.fromarray(photo).save(path, quality=60, **options)
    np.testing.assert_array_equal(read_image(path), np.asarray(cv2.imread(str(path)))[..., ::-1])


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif"])
def test_grey_files_stay_grey(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"grey{suffix}"
    Image.fromarray(np.full((9, 7), 77, np.uint8)).save(path)
    image = read_image(path)
    assert image.shape == (9, 7) and (image == 77).all()


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_alpha_is_kept_for_photographs_and_dropped_for_training(
    tmp_path: Path, photo: NDArray[np.uint8], suffix: str
) -> None:
    path = tmp_path / f"rgba{suffix}"
    alpha = np.full((*photo.shape[:2], 1), 40, np.uint8)
    pixels = np.concatenate([photo, alpha], axis=-1)
    lossless: dict[str, Any] = {"lossless": True} if suffix == ".webp" else {}
    Image.fromarray(pixels).save(path, **lossless)
    np.testing.assert_array_equal(read_photo(path).pixels, pixels)
    np.testing.assert_array_equal(read_image(path), photo)


@pytest.mark.parametrize("extra", ["unassalpha", "assocalpha"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_of_a_tiff_file_does_not_change_the_colours(
    tmp_path: Path, dtype: Any, extra: str
) -> None:
    unit = np.iinfo(dtype).max // 255
    stored = [200, 100, 50, 51]
    if extra == "assocalpha":  # colours premultiplied by alpha, 51 / 255 = 1 / 5
        stored = [40, 20, 10, 51]
    pixels = np.full((4, 5, 4), np.array(stored) * unit, dtype)
    path = _tiff(tmp_path / "a.tif", pixels, photometric="rgb", extrasamples=[extra])
    assert (read_image(path) == [200, 100, 50]).all()
    assert (read_photo(path).pixels == np.array([200, 100, 50, 51]) * unit).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_fourth_channel_of_a_tiff_file_is_dropped_unless_it_is_alpha(
    tmp_path: Path, dtype: Any
) -> None:
    pixels = _random(4, 5, 4, dtype=dtype)
    path = _tiff(tmp_path / "a.tif", pixels, photometric="rgb", extrasamples=["unspecified"])
    np.testing.assert_array_equal(read_photo(path).pixels, pixels[..., :3])


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_grey_with_alpha_is_grey_for_training_and_rgba_for_photographs(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"la{suffix}"
    planes = _random(8, 10, 2)
    Image.merge("LA", [Image.fromarray(planes[..., c]) for c in (0, 1)]).save(path)
    np.testing.assert_array_equal(read_image(path), planes[..., 0])
    np.testing.assert_array_equal(read_photo(path).pixels, planes[..., [0, 0, 0, 1]])


def test_grey_with_alpha_and_16_bits_stays_grey_for_training(tmp_path: Path) -> None:
    planes = _random(4, 5, 2, dtype=np.uint16)
    path = tmp_path / "la.png"
    _write_raw_png(path, (5, 4), 16, 4, [row.astype(">u2").tobytes() for row in planes])
    np.testing.assert_array_equal(read_photo(path).pixels, planes[..., [0, 0, 0, 1]])
    np.testing.assert_array_equal(read_image(path), np.rint(planes[..., 0] / 257))


def _write_raw_png(
    path: Path, size: tuple[int, int], bits: int, colour_type: int, rows: list[bytes]
) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", *size, bits, colour_type, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)


def test_palette_and_one_bit_images_become_rgb_and_grey(tmp_path: Path) -> None:
    picture = Image.fromarray(_random(8, 8, 3)).quantize(16)
    bits = Image.fromarray(_random(8, 8)).convert("1")
    for name, image, mode in (("palette", picture, "RGB"), ("bits", bits, "L")):
        path = tmp_path / f"{name}.png"
        image.save(path)
        shown = np.asarray(image.convert(mode))
        np.testing.assert_array_equal(read_image(path), shown)
        np.testing.assert_array_equal(read_photo(path).pixels, shown)


def test_transparent_palette_has_alpha(tmp_path: Path) -> None:
    picture = Image.fromarray(_random(8, 8, 3)).quantize(16)
    picture.save(tmp_path / "palette.png", transparency=3)
    photo = read_photo(tmp_path / "palette.png")
    assert photo.has_alpha and photo.pixels.shape == (8, 8, 4)
    np.testing.assert_array_equal(photo.pixels[..., 3] == 0, np.asarray(picture) == 3)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_are_kept_for_photographs_and_rounded_for_training(
    tmp_path: Path, suffix: str
) -> None:
    # 65535 = 255 * 257; a value halfway between two multiples of 257 rounds to the next.
    deep = np.array([[0, 257, 128 * 257, 65535, 128, 129]], np.uint16)
    path = tmp_path / f"deep{suffix}"
    for pixels in (np.stack([deep, deep, deep], axis=-1), deep):
        cv2.imwrite(str(path), pixels)
        expected = np.where(pixels == 129, 1, pixels // 257)
        np.testing.assert_array_equal(read_image(path), expected)
        np.testing.assert_array_equal(read_photo(path).pixels, pixels)


@pytest.mark.parametrize("orientation", range(10))  # 0 and 9 are not defined
@pytest.mark.parametrize(
    ("suffix", "dtype"),
    [(".png", np.uint8), (".png", np.uint16), (".tif", np.uint8), (".tif", np.uint16),
     (".webp", np.uint8), (".jpg", np.uint8)],
)  # fmt: skip
def test_exif_orientation_is_applied(
    tmp_path: Path, orientation: int, suffix: str, dtype: Any
) -> None:
    # Blocks of 16 x 16 equal pixels with very different values: JPEG keeps them almost exactly.
    unit = np.iinfo(dtype).max // 255
    blocks = np.array([[0, 60, 120], [180, 240, 30]], np.uint8)
    pixels = blocks.repeat(16, 0).repeat(16, 1).astype(dtype) * dtype(unit)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned{suffix}"
    options: dict[str, Any] = {"lossless": True} if suffix == ".webp" else {}
    Image.fromarray(pixels).save(path, exif=exif, **options)
    # Compared with Pillow, which can turn 8-bit images.
    shallow = Image.fromarray((pixels // unit).astype(np.uint8))
    shallow.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(shallow))
    found = read_photo(path).pixels
    assert found.dtype == dtype
    grey = read_image(path)
    for image in (found // unit, grey):
        plane = image if image.ndim == 2 else image[..., 1]  # WebP has no grey
        assert plane.shape == expected.shape
        assert np.abs(plane.astype(int) - expected).max() <= (3 if suffix == ".jpg" else 0)


def test_file_name_need_not_be_ascii(tmp_path: Path, photo: NDArray[np.uint8]) -> None:
    path = tmp_path / "Grüße 日本 ü.png"
    write_png(path, photo)
    np.testing.assert_array_equal(read_image(path), photo)


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
@pytest.mark.parametrize("profile", [None, b"broken"])
def test_cmyk_becomes_rgb(tmp_path: Path, suffix: str, profile: bytes | None) -> None:
    red = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    red.save(tmp_path / f"red{suffix}", icc_profile=profile)
    photo = read_photo(tmp_path / f"red{suffix}")
    assert photo.pixels.shape == (8, 8, 3) and photo.profile is None
    assert np.abs(photo.pixels.astype(int) - [255, 0, 0]).max() <= 3
    np.testing.assert_array_equal(read_image(tmp_path / f"red{suffix}"), photo.pixels)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_file_with_several_images_is_refused_with_their_number(tmp_path: Path, suffix: str) -> None:
    first, *others = [Image.fromarray(_random(8, 9, 3) // part) for part in (1, 2, 3)]
    first.save(tmp_path / f"three{suffix}", save_all=True, append_images=others)
    message = _refusal(tmp_path / f"three{suffix}")
    assert message.endswith(f"three{suffix}: holds 3 images; allowed: one")


def test_photograph_with_a_preview_is_read_without_it(tmp_path: Path) -> None:
    # The Multi-Picture Format of cameras and phones: a JPEG file followed by a second one.
    first, preview = (Image.new("RGB", (16, 16), colour) for colour in ("white", "black"))
    path = tmp_path / "camera.jpg"
    first.save(path, format="MPO", save_all=True, append_images=[preview])
    with Image.open(path) as image:
        assert image.format == "MPO" and image.n_frames == 2  # type: ignore[attr-defined]
    assert (read_image(path) == 255).all() and (read_photo(path).pixels == 255).all()


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_tiff_of_16_bits_in_planes_or_with_0_as_white_is_read(
    tmp_path: Path, byteorder: str, compression: str | None
) -> None:
    kind: dict[str, Any] = {"byteorder": byteorder, "compression": compression}
    planes = _random(3, 8, 9, dtype=np.uint16)
    path = _tiff(tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate", **kind)
    np.testing.assert_array_equal(read_photo(path).pixels, np.moveaxis(planes, 0, -1))
    path = _tiff(tmp_path / "b.tif", planes[0], photometric="miniswhite", **kind)
    np.testing.assert_array_equal(read_photo(path).pixels, 65535 - planes[0])


@pytest.mark.parametrize(
    ("dtype", "found"),
    [
        (np.int8, "signed values of 8 bits"),
        (np.int16, "signed values of 16 bits"),
        (np.float32, "floating-point values of 32 bits"),
        (np.float16, "floating-point values of 16 bits"),
        (np.uint32, "values of 32 bits"),
    ],
)
@pytest.mark.parametrize("channels", [(), (3,)])
def test_other_kinds_of_values_are_refused_by_name(
    tmp_path: Path, dtype: Any, found: str, channels: tuple[int, ...]
) -> None:
    photometric = "rgb" if channels else "minisblack"
    path = _tiff(tmp_path / "a.tif", np.ones((4, 4, *channels), dtype), photometric=photometric)
    assert f"holds {found}; allowed: 8 or 16 bits per channel" in _refusal(path)


def test_file_that_is_not_an_image_is_refused_by_name(tmp_path: Path) -> None:
    text, empty, gif = (tmp_path / name for name in ("text.png", "empty.png", "gif.png"))
    text.write_text("not an image\n")
    empty.touch()
    Image.new("P", (4, 4)).save(gif, format="GIF")
    for path, found in (
        (text, "is not a complete image"),
        (empty, "is empty"),
        (gif, "is a GIF file"),
    ):
        assert f"{found}; allowed: .png, " in _refusal(path)
    assert "cannot be read: No such file" in _refusal(tmp_path / "missing.png")
    assert "cannot be read: Is a directory" in _refusal(tmp_path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.98])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif", ".webp"])
def test_truncated_file_is_refused_by_name(
    tmp_path: Path, photo: NDArray[np.uint8], suffix: str, share: float, capfd: Any
) -> None:
    path = tmp_path / f"cut{suffix}"
    Image.fromarray(photo).save(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert "is not a complete image" in _refusal(path)
    assert not capfd.readouterr().err  # nor a line of a library's own


@pytest.mark.parametrize("kept", [1, 10, 40, 400])
def test_truncated_16_bit_file_is_refused_by_name(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "broken.png"
    cv2.imwrite(str(path), _random(40, 40, 3, dtype=np.uint16))
    path.write_bytes(path.read_bytes()[:kept])
    assert "is not a complete image" in _refusal(path)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_with_one_wrong_byte_in_its_pixels_is_refused(tmp_path: Path, dtype: Any) -> None:
    path = tmp_path / "wrong.png"
    cv2.imwrite(str(path), _random(12, 12, 3, dtype=dtype))
    data = path.read_bytes()
    start = data.index(b"IDAT")
    length = int.from_bytes(data[start - 4 : start])
    for place in range(start + 4, start + 8 + length):  # the checksum too
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        _refusal(path)


def test_decompression_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (8, 8)).save(path)
    # In a header: a little over the limit, and far over it.
    for side in (14_143, 40_000):
        _write_raw_png(path, (side, side), 8, 2, [b"\0" * 9])
        assert "has more than 200000000 pixels" in _refusal(path)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_image_just_over_the_limit_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: Any
) -> None:
    path = tmp_path / "large.png"
    cv2.imwrite(str(path), np.zeros((10, 10), dtype))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    assert read_image(path).shape == (10, 10)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 49)
    monkeypatch.setattr(cv2, "imdecode", None)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)
    assert "pixels" in _refusal(path)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1)])
def test_thin_files_are_read(tmp_path: Path, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    write_png(tmp_path / "thin.png", image)
    np.testing.assert_array_equal(read_image(tmp_path / "thin.png"), image)


def test_16_bit_image_with_a_side_too_long_for_opencv_is_refused(tmp_path: Path) -> None:
    side = (1 << 20) + 1
    _write_raw_png(tmp_path / "long.png", (side, 1), 16, 0, [b"\0\1" * side])
    assert "holds values that cannot be read" in _refusal(tmp_path / "long.png")


def test_link_to_itself_is_refused_by_name(tmp_path: Path) -> None:
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    assert "cannot be read" in _refusal(loop)


@settings(deadline=None)
@given(st.binary(max_size=400), st.sampled_from(list(HEADS)))
def test_any_bytes_are_read_or_refused(content: bytes, kind: str) -> None:
    _check_any(HEADS[kind] + content, kind)


@settings(deadline=None)
@given(st.data(), st.sampled_from(list(HEADS)), st.sampled_from([np.uint8, np.uint16]))
def test_any_damaged_file_is_read_or_refused(data: Any, kind: str, dtype: Any) -> None:
    deep = dtype == np.uint16 and kind in ("png", "tif")
    pixels = _random(9, 8, 3, dtype=np.uint16 if deep else np.uint8)
    content = bytearray(cv2.imencode(f".{kind}", pixels)[1].tobytes())
    places = st.integers(0, len(content) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=4)):
        content[place] = value
    _check_any(bytes(content), kind)


RARE: tuple[dict[str, Any], ...] = (
    {"photometric": "miniswhite"},
    {"photometric": "miniswhite", "compression": "zlib", "bigtiff": True, "rowsperstrip": 3},
    {"photometric": "minisblack", "planarconfig": "contig", "extrasamples": ["assocalpha"]},
    {"photometric": "cielab", "planarconfig": "contig", "byteorder": ">", "tile": (16, 16)},
)


@settings(deadline=None)
@given(st.data(), st.sampled_from(RARE))
def test_any_damaged_rare_tiff_is_read_or_refused(data: Any, how: dict[str, Any]) -> None:
    channels = {"cielab": (3,), "minisblack": (2,)}.get(how["photometric"], ())
    with io.BytesIO() as file:
        tifffile.imwrite(file, _random(9, 8, *channels, dtype=np.uint16), metadata=None, **how)
        content = bytearray(file.getvalue())
    head = st.integers(0, min(len(content), 300) - 1)
    for place, value in data.draw(st.lists(st.tuples(head, st.integers(0, 255)), max_size=4)):
        content[place] = value
    _check_any(bytes(content), "tif")


def _check_any(content: bytes, kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"any.{kind}")
        path.write_bytes(content)
        try:
            image = read_image(path)
        except InputError:
            _refusal(path)
        else:
            pixels = read_photo(path).pixels
            assert image.dtype == np.uint8 and image.ndim in (2, 3)
            assert image.shape[:2] == pixels.shape[:2]


@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 3)])
def test_written_png_is_read_back_and_has_the_same_bytes_twice(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    image = _random(*shape)
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    write_png(first, image)
    write_png(second, image)
    assert first.read_bytes() == second.read_bytes()
    np.testing.assert_array_equal(read_image(first), image)


@pytest.mark.parametrize(("rows", "fits"), [(10_000, True), (20_001, False)])
def test_limit_of_200_megapixels_is_that_of_tiff_files_too(
    tmp_path: Path, rows: int, fits: bool
) -> None:
    path = tmp_path / "large.tif"
    Image.new("1", (10_000, rows)).save(path)
    if fits:
        assert read_image(path).shape == (rows, 10_000)
    else:
        assert "has more than 200000000 pixels" in _refusal(path)


@pytest.mark.parametrize("name", ["zTXt", "iCCP"])
def test_png_with_a_long_text_or_profile_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.png"
    content = b"name\0\0" + zlib.compress(b"x" * 1_200_000)
    image = _random(5, 4)
    write_png(path, image)
    data = path.read_bytes()
    chunk = name.encode() + content
    head = struct.pack(">I", len(content)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    path.write_bytes(data[:33] + head + data[33:])
    np.testing.assert_array_equal(read_image(path), image)


def test_damaged_tiff_is_refused_without_messages_of_its_library(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(_random(64, 64)).save(path, compression="tiff_lzw")
    data = bytearray(path.read_bytes())
    data[1000:1400] = b"\xff" * 400
    path.write_bytes(data)
    assert "is not a complete image" in _refusal(path)
    assert capfd.readouterr().err == ""
