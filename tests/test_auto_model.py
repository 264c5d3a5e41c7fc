"""`upscale --model auto`: the networks that restore a photograph, and the line about the choice."""

import io
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage
from skimage import data

from srstudy.common.errors import InputError
from srstudy.degradations.shared.degradation import degradation
from srstudy.imagefiles.listing import HAS_AVIF
from srstudy.imagefiles.reading import read_image
from srstudy.images.psnr import psnr
from srstudy.upscale import __main__ as command
from srstudy.upscale import models, runtime
from srstudy.upscale.choosing import choice, lossy_kind
from srstudy.upscale.models import MODELS, WEIGHTS, files
from srstudy.upscale.runtime import load_network, networks
from srstudy.upscale.upscaling import restore_photo, upscale

Image = NDArray[np.uint8]
CLEAN, TRACES = "has no traces of JPEG", "has the traces of JPEG in its pixels"


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files of every model: missing ones are replaced by those of the study."""
    folder = tmp_path / "weights"
    shutil.copytree(WEIGHTS, folder, ignore=shutil.ignore_patterns("fresh", "long", "*.md"))
    for scale in (2, 4):
        for model, other in (("photo", "regularized"), ("fast", "plain")):
            shutil.copy(folder / f"x{scale}-{other}.onnx", folder / f"x{scale}-{model}.onnx")
    monkeypatch.setattr(models, "WEIGHTS", folder)
    return folder


@pytest.fixture(scope="module")
def small() -> Image:
    """A photograph that was never a JPEG file at this size: 96 x 80 pixels."""
    lr = degradation("matlab").degrade(np.asarray(data.astronaut()), 2)
    return np.ascontiguousarray(lr[20:116, 80:160])


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int | str | None, list[str]]]:
    """Run the command: its exit status or message, and its lines on stderr."""

    def run(*arguments: object) -> tuple[int | str | None, list[str]]:
        monkeypatch.setattr(sys, "argv", ["upscale", *map(str, arguments)])
        ended: int | str | None = 0
        try:
            command.main()
        except SystemExit as end:
            ended = end.code
        return ended, capsys.readouterr().err.splitlines()

    return run


def _encoded(image: Image, kind: str, **options: object) -> bytes:
    held = io.BytesIO()
    PillowImage.fromarray(image).save(held, kind, **options)
    return held.getvalue()


def test_lossy_files_are_detected_from_their_bytes(small: Image) -> None:
    alpha = np.dstack([small, small[..., 0]])
    profile = {"icc_profile": b"\0" * 131}  # 131: a chunk of odd length is padded
    assert lossy_kind(_encoded(small, "JPEG")) == "a JPEG file"
    for image in (small, alpha):
        for more in ({}, profile):
            webp = _encoded(image, "WEBP", quality=80, **more)
            assert lossy_kind(webp) == "a lossy WebP file"
            assert lossy_kind(_encoded(image, "WEBP", lossless=True, **more)) is None
            assert lossy_kind(webp[:11]) is None and lossy_kind(webp[:16]) is None
    for kind in ("PNG", "TIFF", "BMP"):
        assert lossy_kind(_encoded(small, kind)) is None
    if HAS_AVIF:
        assert lossy_kind(_encoded(small, "AVIF")) == "an AVIF file"
    assert lossy_kind(b"") is None


def test_each_kind_of_file_gets_its_networks_and_a_line_with_the_reason(
    weights: Path, small: Image, tmp_path: Path, run: Callable[..., tuple[object, list[str]]]
) -> None:
    jpeg = _encoded(small, "JPEG", quality=85)
    decoded = np.array(PillowImage.open(io.BytesIO(jpeg)))
    contents = {
        "a.jpg": (jpeg, "photo", "is a JPEG file"),
        "b.webp": (_encoded(small, "WEBP"), "photo", "is a lossy WebP file"),
        "c.webp": (_encoded(small, "WEBP", lossless=True), "clean", CLEAN),
        "d.png": (_encoded(decoded, "PNG"), "photo", TRACES),
        "e.png": (_encoded(small, "PNG"), "clean", CLEAN),
        "f.bmp": (_encoded(decoded, "BMP"), "photo", TRACES),
        "g.tif": (_encoded(decoded, "TIFF"), "photo", TRACES),
    }
    if HAS_AVIF:
        contents["h.avif"] = (_encoded(small, "AVIF"), "photo", "is an AVIF file")
    folder, expected, before = tmp_path / "in", [], ""
    folder.mkdir()
    for name, (content, model, reason) in contents.items():
        (folder / name).write_bytes(content)
        if reason != before:
            expected.append(f"note: {folder / name}: {reason}; model from here on: {model}")
        before = reason
    assert run(folder, "-o", tmp_path / "out") == (0, expected)
    steps = {model: networks(2, model, "cpu") for model in ("photo", "clean")}  # type: ignore[arg-type]
    for name, (_, model, _) in contents.items():
        pixels = np.array(PillowImage.open(folder / name).convert("RGB"))
        found = read_image(tmp_path / "out" / f"{Path(name).stem}.png")
        np.testing.assert_array_equal(found, restore_photo(pixels, steps[model]))


def test_folder_of_one_kind_gives_one_line_and_loads_one_network_once(
    weights: Path,
    small: Image,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run: Callable[..., tuple[object, list[str]]],
) -> None:
    loaded: list[str] = []

    def noted(path: Path, *more: object) -> runtime.Network:
        loaded.append(path.name)
        return load_network(path, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(runtime, "load_network", noted)
    folder = tmp_path / "in"
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.jpg").write_bytes(_encoded(small, "JPEG"))
    first = f"note: {folder / 'a.jpg'}: is a JPEG file; model from here on: photo"
    assert run(folder, "-o", tmp_path / "out") == (0, [first])
    assert loaded == ["x2-photo.onnx"]


@pytest.mark.parametrize("model", [name for name in MODELS if name != "auto"])
def test_named_model_is_used_for_any_file_without_a_line(
    weights: Path,
    small: Image,
    tmp_path: Path,
    model: models.Model,
    run: Callable[..., tuple[object, list[str]]],
) -> None:
    for kind in ("JPEG", "PNG"):
        source, target = tmp_path / f"in.{kind}", tmp_path / f"{kind}.png"
        source.write_bytes(_encoded(small, kind))
        assert run(source, "-o", target, "--model", model) == (0, [])
        pixels = read_image(source)
        expected = restore_photo(pixels, networks(2, model, "cpu"))
        np.testing.assert_array_equal(read_image(target), expected)


def test_scale_without_a_photo_network_uses_clean_and_says_so(
    weights: Path, small: Image, tmp_path: Path, run: Callable[..., tuple[object, list[str]]]
) -> None:
    source = tmp_path / "in.jpg"
    source.write_bytes(_encoded(small, "JPEG"))
    words = f"{source}: is a JPEG file, but there is no network photo for --scale 3"
    assert run(source, "-o", tmp_path / "out.png", "--scale", 3) == (
        0,
        [f"note: {words}; model from here on: clean"],
    )
    ended, _ = run(source, "-o", tmp_path / "other.png", "--scale", 3, "--model", "photo")
    assert ended == (
        "error: --scale: found 3; allowed with the model photo: 2, 4, 8, or a file with --weights"
    )
    ended, _ = run(source, "-o", tmp_path / "other.png", "--scale", 8, "--model", "fast")
    assert ended == (
        "error: --scale: found 8; allowed with the model fast: 2, 4, or a file with --weights"
    )
    assert not (tmp_path / "other.png").exists()


def test_missing_file_of_a_model_is_named_in_one_line(
    weights: Path, small: Image, tmp_path: Path, run: Callable[..., tuple[object, list[str]]]
) -> None:
    source = tmp_path / "in.jpg"
    source.write_bytes(_encoded(small, "JPEG"))
    (weights / "x4-photo.onnx").unlink()
    for scale in (4, 8):
        ended, said = run(source, "-o", tmp_path / "o.png", "--scale", scale, "--model", "photo")
        assert isinstance(ended, str) and not said and "\n" not in ended
        assert ended.startswith(
            f"error: {weights / 'x4-photo.onnx'}: is missing; models at x{scale}:"
        )
        assert "clean" in ended and "photo" not in ended.rpartition(":")[2]
        with pytest.raises(InputError, match="is missing"):
            upscale(small, scale, "photo")
        # With `auto`, a missing model is not an error.
        assert choice(small, scale, source.read_bytes()).model == "clean"


def test_python_call_chooses_by_the_pixels(weights: Path, small: Image) -> None:
    held = PillowImage.open(io.BytesIO(_encoded(small, "JPEG", quality=75)))
    decoded = np.array(held)
    np.testing.assert_array_equal(upscale(decoded), upscale(decoded, model="photo"))
    np.testing.assert_array_equal(upscale(small), upscale(small, model="clean"))
    assert (upscale(decoded) != upscale(decoded, model="clean")).any()
    assert "`auto`, the default" in str(upscale.__doc__)
    assert [f"`{name}`" in str(upscale.__doc__) for name in MODELS] == [True] * len(MODELS)


def test_photo_at_x8_is_x2_and_then_x4_and_cleans_chroma_once(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [path.name for path in files("photo", 8)] == ["x2-photo.onnx", "x4-photo.onnx"]
    # As if the networks were trained on the degradation `photo`.
    monkeypatch.setattr(runtime, "CLEANED", ("matlab",))
    for scale, expected in ((2, [True]), (4, [True]), (8, [True, False])):
        assert [step.cleans_chroma for step in networks(scale, "photo")] == expected
    monkeypatch.setattr(runtime, "CLEANED", ())
    assert not networks(2, "photo")[0].cleans_chroma


def _photographs() -> dict[str, Image]:
    """The embedded colour photographs, at most 400 pixels on a side."""
    names = ("astronaut", "chelsea", "coffee", "rocket")
    return {name: np.asarray(getattr(data, name)())[:400, :400] for name in names}


SIDEWAYS = 6  # EXIF: must be rotated by 90 degrees to be upright


def _phone_folder(folder: Path, scale: int) -> dict[str, Image]:
    """JPEG files like those of a phone (quality 85, 4:2:0, rotated), and the originals."""
    folder.mkdir()
    originals: dict[str, Image] = {}
    for name, image in _photographs().items():
        lr, originals[name] = degradation("matlab").pair(image, scale)
        exif = PillowImage.Exif()
        exif[0x0112] = SIDEWAYS
        PillowImage.fromarray(np.rot90(lr)).save(
            folder / f"{name}.jpg", quality=85, subsampling="4:2:0", exif=exif
        )
    return originals


def test_folder_of_photographs_from_a_phone_gets_the_photo_networks(
    weights: Path, tmp_path: Path, run: Callable[..., tuple[object, list[str]]]
) -> None:
    originals = _phone_folder(tmp_path / "phone", 4)
    ended, said = run(tmp_path / "phone", "-o", tmp_path / "large")
    assert ended == 0 and len(said) == 1
    assert said[0].endswith(": is a JPEG file; model from here on: photo")
    for name, original in originals.items():
        found = read_image(tmp_path / "large" / f"{name}.png")
        assert found.shape[:2] == (original.shape[0] // 2, original.shape[1] // 2)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_photographs_from_a_phone_are_restored_better_than_by_bicubic(
    tmp_path: Path, run: Callable[..., tuple[object, list[str]]]
) -> None:
    gains: dict[tuple[str, int], float] = {}
    for scale in (2, 4):
        phone, large = tmp_path / f"phone-x{scale}", tmp_path / f"large-x{scale}"
        originals = _phone_folder(phone, scale)
        ended, said = run(phone, "-o", large, "--scale", scale)
        assert ended == 0 and len(said) == 1
        assert said[0].endswith(": is a JPEG file; model from here on: photo")
        for name, original in originals.items():
            lr = np.asarray(read_image(phone / f"{name}.jpg"), np.uint8)
            bicubic = degradation("matlab").enlarge(lr, scale)
            restored = read_image(large / f"{name}.png")
            gains[name, scale] = psnr(original, restored) - psnr(original, bicubic)
    # A cat's fur at x4 is a tie.
    assert gains.pop(("chelsea", 4)) == pytest.approx(0, abs=0.02)
    assert min(gains.values()) > 0, gains


def test_search_for_traces_takes_no_longer_on_a_large_image_than_on_a_small_one(
    small: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    from srstudy.upscale import jpeg_traces

    seen: list[int] = []
    judged = jpeg_traces._of_blocks

    def counted(blocks: NDArray[np.float32], ends: NDArray[np.bool_]) -> float:
        seen.append(len(blocks))
        return judged(blocks, ends)

    monkeypatch.setattr(jpeg_traces, "_of_blocks", counted)
    large = np.asarray(cv2.resize(small, (3000, 4000), interpolation=cv2.INTER_CUBIC), np.uint8)
    assert not jpeg_traces.was_jpeg(large)
    assert max(seen) <= jpeg_traces.MOST_WINDOWS
    assert sum(seen) <= jpeg_traces.MOST_WINDOWS + 63 * jpeg_traces.MOST_ELSEWHERE
