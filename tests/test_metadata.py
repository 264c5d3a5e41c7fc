"""The metadata of photographs: which are kept and which are dropped."""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from srstudy.imagefiles.metadata import (
    KEPT,
    KEPT_OF_CAMERA,
    LONGEST,
    Metadata,
    png_chunks,
    read_metadata,
)
from srstudy.imagefiles.profiles import fitting_profile
from srstudy.imagefiles.reading import Photo, read_photo
from srstudy.imagefiles.tags import Entry, directories
from srstudy.upscale.embedding import exif_block
from srstudy.upscale.photo_writing import write_photo
from tests.photos.kinds import COLOUR, DEEP, GREY, profile
from tests.photos.png_files import PROFILES, as_png, chunk

SUFFIXES = (".png", ".jpg", ".webp", ".tif")
CAMERA = {
    33434: IFDRational(1, 250),  # exposure time
    34855: 400,  # sensitivity
    36867: "2019:08:07 06:05:04",  # taken at
    42036: "50 mm",  # lens
}
EXIF = {
    271: "Maker",
    272: "Camera 5",
    306: "2020:01:02 03:04:05",
    315: "A. Person",
    33432: "Copyright A. Person",
}
PLACE = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 36.0)}


def _exif(orientation: int = 1) -> Image.Exif:
    """The EXIF data that a camera writes, including those that are not kept."""
    exif = Image.Exif()
    exif.update({**EXIF, 0x0112: orientation, 305: "Editor 1", 37510: b"a comment"})
    more = {37500: b"maker's note", 42033: "serial", 42032: "owner", 40962: 32, 40963: 24}
    exif.get_ifd(0x8769).update({**CAMERA, **more})
    exif.get_ifd(0x8825).update(PLACE)
    return exif


def _photo(path: Path, orientation: int = 1, **options: Any) -> Path:
    options = {"exif": _exif(orientation), "dpi": (300, 200), **options}
    Image.fromarray(COLOUR).save(path, **options)
    return path


def _all_of(path: Path) -> tuple[dict[int, Any], dict[int, Any], dict[int, Any]]:
    with Image.open(path) as image:
        image.load()
        exif = image.getexif()
        return dict(exif), dict(exif.get_ifd(0x8769)), dict(exif.get_ifd(0x8825))


@pytest.mark.parametrize("target", SUFFIXES)
@pytest.mark.parametrize("source", SUFFIXES)
def test_date_camera_copyright_and_resolution_are_kept(
    tmp_path: Path, source: str, target: str
) -> None:
    path = _photo(tmp_path / f"in{source}")
    if source == ".tif":  # Pillow has no way to write it there whole
        write_photo(path, read_photo(_photo(tmp_path / "in.png")))
    write_photo(tmp_path / f"out{target}", read_photo(path))
    main, camera, _ = _all_of(tmp_path / f"out{target}")
    assert {tag: main.get(tag) for tag in EXIF} == EXIF
    assert camera == CAMERA
    again = read_photo(tmp_path / f"out{target}").metadata
    if source != ".webp":
        assert again.dpi == pytest.approx((300, 200), abs=0.01)


@pytest.mark.parametrize("target", SUFFIXES)
@pytest.mark.parametrize("source", [".png", ".jpg", ".webp", ".tif"])
def test_gps_orientation_thumbnail_and_owner_are_dropped(
    tmp_path: Path, source: str, target: str
) -> None:
    path = _photo(tmp_path / f"in{source}", orientation=6)
    assert len(_all_of(path)[2]) == 4 or source == ".tif"  # where Pillow writes no places
    photo = read_photo(path)
    assert photo.pixels.shape == (32, 24, 3)  # turned
    write_photo(tmp_path / f"out{target}", photo)
    main, camera, place = _all_of(tmp_path / f"out{target}")
    assert main.get(0x0112, 1) == 1 and place == {} and 0x8825 not in main and 305 not in main
    assert set(camera) <= set(CAMERA)
    data = (tmp_path / f"out{target}").read_bytes()
    assert all(word not in data for word in (b"maker's", b"serial", b"owner", b"a comment"))
    assert read_photo(tmp_path / f"out{target}").pixels.shape == (32, 24, 3)


def test_thumbnail_in_exif_is_dropped(tmp_path: Path) -> None:
    block = _exif().tobytes()
    small = io.BytesIO()
    Image.fromarray(COLOUR[::4, ::4]).save(small, "JPEG")
    # A second directory with the tags 513 and 514, as cameras have it, behind the first.
    data = bytearray(block[6:])
    start = int.from_bytes(data[4:8], "big")
    after = start + 2 + 12 * int.from_bytes(data[start : start + 2], "big")
    data[after : after + 4] = len(data).to_bytes(4, "big")
    place = len(data) + 2 + 24 + 4
    data += struct.pack(">HHHIIHHII", 2, 513, 4, 1, place, 514, 4, 1, len(small.getvalue()))
    data += b"\0" * 4
    data += small.getvalue()
    path = _photo(tmp_path / "in.jpg", exif=b"Exif\0\0" + bytes(data))
    assert set(directories(bytes(data))[1]) == {513, 514}
    write_photo(tmp_path / "out.jpg", read_photo(path))
    with Image.open(tmp_path / "out.jpg") as image:
        kept = image.info["exif"].removeprefix(b"Exif\0\0")
        assert len(directories(kept)) == 1 and image.getexif()[271] == "Maker"
    assert small.getvalue()[:200] not in (tmp_path / "out.jpg").read_bytes()


@pytest.mark.parametrize("text", ["© Grüße".encode(), "© Grüße".encode("latin-1")])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_non_ascii_text_is_kept_unchanged(tmp_path: Path, byteorder: str, text: bytes) -> None:
    head = {"<": b"II*\0", ">": b"MM\0*"}[byteorder] + struct.pack(f"{byteorder}I", 8)
    entry = struct.pack(f"{byteorder}HHHII", 1, 33432, 2, len(text) + 1, 26) + b"\0" * 4
    block = b"Exif\0\0" + head + entry + text + b"\0"
    write_photo(tmp_path / "out.jpg", read_photo(_photo(tmp_path / "in.jpg", exif=block)))
    assert read_photo(tmp_path / "out.jpg").metadata.exif[33432].raw == text + b"\0"


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".tif", ".bmp", ".webp"])
@pytest.mark.parametrize("dpi", [(72, 72), (300, 150), (1, 65534)])
def test_resolution_is_kept_also_without_exif(
    tmp_path: Path, suffix: str, dpi: tuple[int, int]
) -> None:
    write_photo(tmp_path / f"a{suffix}", Photo(COLOUR, metadata=Metadata(dpi=dpi)))
    assert read_photo(tmp_path / f"a{suffix}").metadata.dpi == pytest.approx(
        dpi, abs=0.02, rel=1e-6
    )
    with Image.open(tmp_path / f"a{suffix}") as image:
        image.load()
        np.testing.assert_array_equal(np.asarray(image).shape, COLOUR.shape)
        if suffix != ".webp":  # whose EXIF Pillow does not ask for it
            assert image.info["dpi"] == pytest.approx(dpi, abs=0.02, rel=1e-6)


CHUNKS = {
    b"gAMA": struct.pack(">I", 45455),
    b"cHRM": struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000),
    b"cICP": bytes([9, 16, 0, 1]),
    b"sRGB": b"\0",
}


@pytest.mark.parametrize("pixels", [COLOUR, GREY, DEEP], ids=["colour", "grey", "16 bits"])
@pytest.mark.parametrize("with_profile", [False, True])
def test_png_chunks_that_define_pixel_values_are_kept(
    tmp_path: Path, pixels: Any, with_profile: bool
) -> None:
    extra = b"".join(chunk(name, content) for name, content in CHUNKS.items())
    kept = profile("GRAY" if pixels.ndim == 2 else "RGB ")
    as_png(pixels, 0 if pixels.ndim == 2 else 2, extra)(tmp_path / "in.png")
    photo = read_photo(tmp_path / "in.png")
    photo = Photo(photo.pixels, kept if with_profile else None, photo.metadata)
    write_photo(tmp_path / "out.png", photo)
    data = (tmp_path / "out.png").read_bytes()
    found = {name: data[start + 8 : end - 4] for name, start, end in png_chunks(data)}
    for name, content in CHUNKS.items():
        # A profile and sRGB exclude each other in PNG.
        assert found.get(name) == (None if with_profile and name == b"sRGB" else content)
    assert (b"iCCP" in found) == with_profile
    with Image.open(tmp_path / "out.png") as image:
        image.verify()
    np.testing.assert_array_equal(read_photo(tmp_path / "out.png").pixels, pixels)


def test_metadata_that_a_format_cannot_hold_are_dropped(tmp_path: Path) -> None:
    photo = Photo(COLOUR, metadata=Metadata(png=CHUNKS))
    for suffix in (".jpg", ".webp", ".tif", ".bmp"):
        write_photo(tmp_path / f"a{suffix}", photo)
        assert read_photo(tmp_path / f"a{suffix}").metadata.png == {}


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_profile_is_kept_complete_or_left_out_with_a_note(
    tmp_path: Path, name: str, suffix: str
) -> None:
    content, kept = PROFILES[name]
    Image.fromarray(COLOUR).save(tmp_path / f"in{suffix}", icc_profile=content)
    photo = read_photo(tmp_path / f"in{suffix}")
    assert photo.profile == kept
    if kept is None:
        assert len(photo.notes) == 1 and photo.notes[0].startswith("its colour profile ")
        assert photo.notes[0].endswith("is left out")
    else:
        assert photo.notes == ()
    # Nor is it written for one who brings it along.
    write_photo(tmp_path / f"out{suffix}", Photo(COLOUR, content))
    with Image.open(tmp_path / f"out{suffix}") as image:
        assert image.info.get("icc_profile") == kept


def test_profile_of_lab_or_cmyk_is_dropped_after_conversion(tmp_path: Path) -> None:
    for mode, space in (("CMYK", "CMYK"), ("LAB", "Lab ")):
        path = tmp_path / f"{mode}.tif"
        Image.new(mode, (8, 8)).save(path, icc_profile=profile(space))
        photo = read_photo(path)
        assert photo.profile is None and photo.notes == ()  # there is nothing to miss


def test_profile_of_version_2_may_have_any_length() -> None:
    whole = profile()
    odd = bytearray(whole + b"\0")
    odd[:4] = len(odd).to_bytes(4, "big")
    assert fitting_profile(bytes(odd), "RGB ")[0] is None
    odd[8] = 2
    assert fitting_profile(bytes(odd), "RGB ")[0] == bytes(odd)


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b""]))
def test_any_bytes_give_metadata_or_none(content: bytes, head: bytes) -> None:
    _check(read_metadata(b"", {"exif": b"Exif\0\0" + head + content, "dpi": (0, "x")}, {}))


@settings(deadline=None)
@given(st.data())
def test_metadata_of_any_damaged_exif_can_be_written(data: Any) -> None:
    block = bytearray(_exif().tobytes())
    places = st.integers(6, len(block) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=6)):
        block[place] = value
    _check(read_metadata(b"", {"exif": bytes(block)}, {}))


def _check(metadata: Metadata) -> None:
    block = exif_block(metadata)
    assert read_metadata(b"", {"exif": block}, {}).exif == metadata.exif
    assert len(block) < 65_000 and (not block or len(directories(block)) == 1)
    with io.BytesIO() as file:
        Image.fromarray(GREY).save(file, "JPEG", exif=b"Exif\0\0" + block)
        Image.open(file).getexif()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_longest_metadata_fit_into_every_format(tmp_path: Path, suffix: str) -> None:
    longest = Entry(2, b"x" * (LONGEST - 1) + b"\0")
    metadata = Metadata(
        dpi=(300, 200),
        exif=dict.fromkeys(sorted(KEPT), longest),
        camera=dict.fromkeys(sorted(KEPT_OF_CAMERA), longest),
    )
    write_photo(tmp_path / f"a{suffix}", Photo(COLOUR, profile(), metadata))
    again = read_photo(tmp_path / f"a{suffix}").metadata
    assert again.exif == metadata.exif and again.camera == metadata.camera
