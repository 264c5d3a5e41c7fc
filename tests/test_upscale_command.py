"""The command `upscale`: formats, quality, continuing a folder, the last line."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from srstudy.imagefiles.reading import Photo, read_photo
from srstudy.upscale import __main__ as command
from srstudy.upscale import batch
from srstudy.upscale.formats import FORMATS, HAS_QUALITY, WRITTEN
from srstudy.upscale.photo_writing import write_photo
from tests.imports import ROOT


class Upscale:
    """The command, run in this process: its exit status or message, and its output."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self.out: list[str] = []
        self.errors: list[str] = []

    def __call__(self, *arguments: object) -> int | str | None:
        self._monkeypatch.setattr(sys, "argv", ["upscale", *map(str, arguments)])
        ended: int | str | None = 0
        try:
            command.main()
        except SystemExit as end:
            ended = end.code
        out, errors = self._capsys.readouterr()
        self.out, self.errors = out.splitlines(), errors.splitlines()
        return ended


@pytest.fixture
def upscale(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Upscale:
    return Upscale(monkeypatch, capsys)


@pytest.fixture
def photos(tmp_path: Path, photo: NDArray[np.uint8]) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, name in enumerate(("a.jpg", "b.png", "c.webp")):
        Image.fromarray(photo[number : number + 20, :24]).save(folder / name)
    return folder


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


KINDS = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP", "tiff": "TIFF"}


@pytest.mark.parametrize("name", FORMATS)
def test_files_of_a_folder_get_the_given_format(upscale: Upscale, photos: Path, name: str) -> None:
    out = photos.parent / "large"
    assert upscale(photos, "-o", out, "--format", name) == 0
    assert _names(out) == [f"{stem}.{name}" for stem in "abc"]
    for path in out.iterdir():
        with Image.open(path) as image:
            assert (image.format, image.size) == (KINDS[name], (48, 40))


def test_files_of_a_folder_are_png_by_default(upscale: Upscale, photos: Path) -> None:
    assert upscale(photos, "-o", photos.parent / "large") == 0
    assert _names(photos.parent / "large") == ["a.png", "b.png", "c.png"]


@pytest.mark.parametrize("name", ["one.TIF", "one.jpeg", "one.webp"])
def test_suffix_of_a_single_file_is_its_format(upscale: Upscale, photos: Path, name: str) -> None:
    target = photos.parent / name
    known = next(f for f, suffixes in FORMATS.items() if target.suffix.lower() in suffixes)
    for more in ([], ["--format", known, "--force"]):
        assert upscale(photos / "b.png", "-o", target, *more) == 0
        with Image.open(target) as image:
            assert image.format == KINDS[known]
    before = target.read_bytes()
    said = upscale(photos / "b.png", "-o", target, "--format", "png", "--force")
    assert said == (
        f"error: {target}: --format: found png; allowed: a file name that ends with .png, "
        "or no --format"
    )
    assert target.read_bytes() == before


@pytest.mark.parametrize("name", ["jpg", "webp"])
def test_lower_quality_gives_smaller_files_with_larger_errors(
    upscale: Upscale, photos: Path, name: str
) -> None:
    assert upscale(photos / "b.png", "-o", photos.parent / "exact.png") == 0
    exact = read_photo(photos.parent / "exact.png").pixels.astype(int)
    sizes, errors = [], []
    for quality in ([], ["--quality", "80"], ["--quality", "5"]):
        target = photos.parent / f"large.{name}"
        assert upscale(photos / "b.png", "-o", target, *quality, "--force") == 0
        sizes.append(target.stat().st_size)
        errors.append(np.abs(read_photo(target).pixels - exact).mean())
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) == 3
    assert errors == sorted(errors) and len(set(errors)) == 3
    assert errors[0] == 0 or name == "jpg"  # WebP is lossless by default


@pytest.mark.parametrize("suffix", [s for s in WRITTEN if s not in HAS_QUALITY])
def test_quality_for_a_format_without_quality_is_refused(
    upscale: Upscale, photos: Path, suffix: str
) -> None:
    target = photos.parent / f"large{suffix}"
    said = upscale(photos / "b.png", "-o", target, "--quality", "80")
    assert said == f"error: --quality: found with {suffix}; allowed: with .jpg, .jpeg, .webp"
    assert not target.exists()


@pytest.mark.parametrize("found", ["0", "101", "-1", "high", "90.5"])
def test_quality_is_from_1_to_100(upscale: Upscale, photos: Path, found: str) -> None:
    assert upscale(photos, "-o", photos.parent / "large", f"--quality={found}") == 2
    assert upscale.errors == [
        f"error: argument --quality: found {found!r}; allowed: a whole number from 1 to 100; "
        "for all options: upscale --help"
    ]


def test_image_that_a_format_cannot_hold_is_refused_file_by_file(
    upscale: Upscale, tmp_path: Path, photo: NDArray[np.uint8]
) -> None:
    small, folder, out = photo[:8, :10], tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    write_photo(folder / "16 bits.png", Photo(small.astype(np.uint16) * 257))
    write_photo(folder / "alpha.png", Photo(np.dstack([small, small[..., 0]])))
    write_photo(folder / "opaque.png", Photo(np.dstack([small, np.full(small.shape[:2], 255)])
                                             .astype(np.uint8)))  # fmt: skip
    Image.fromarray(small).convert("CMYK").save(folder / "cmyk.jpg")
    Image.new("L", (9000, 2)).save(folder / "wide.png")
    expected = {
        "jpg": {"16 bits": "16 bits", "alpha": "alpha"},
        "webp": {"16 bits": "16 bits", "wide": "18000 pixels on a side; allowed: 16383"},
    }
    for name, refused in expected.items():
        assert upscale(folder, "-o", out, "--format", name) == "2 of 5 images could not be upscaled"
        for stem, words in refused.items():
            start = f"error: {out / stem}.{name}: cannot hold {words}"
            assert sum(line.startswith(start) for line in upscale.errors) == 1
        good = {"16 bits", "alpha", "opaque", "cmyk", "wide"} - set(refused)
        assert {path.stem for path in out.glob(f"*.{name}")} == good
    assert read_photo(out / "opaque.jpg").pixels.shape == (16, 20, 3)


def test_skip_existing_continues_a_folder(upscale: Upscale, photos: Path) -> None:
    out = photos.parent / "large"
    assert upscale(photos, "-o", out) == 0
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    (out / "b.png").unlink()
    (out / "a.png").write_text("whatever it is")
    assert upscale(photos, "-o", out) == "2 of 3 images could not be upscaled"
    (out / "b.png").unlink()
    assert upscale(photos, "-o", out, "--skip-existing") == 0
    assert [line.partition(": ")[0] for line in upscale.out[:-1]] == [str(out / "b.png")]
    assert re.fullmatch(
        r"1 file, 0\.00 megapixels, \d+\.\d s; 2 skipped, because the output exists",
        upscale.out[-1],
    )
    assert (out / "b.png").read_bytes() == first["b.png"]
    assert (out / "a.png").read_text() == "whatever it is"


def test_skip_existing_skips_only_for_an_existing_file(upscale: Upscale, photos: Path) -> None:
    out = photos.parent / "large"
    (out / "a.png").mkdir(parents=True)
    (out / "b.png").symlink_to(out / "nothing.png")
    assert upscale(photos, "-o", out, "--skip-existing") == "2 of 3 images could not be upscaled"
    errors = [line for line in upscale.errors if line.startswith("error: ")]
    assert len(errors) == 2 and all("exists already" in line for line in errors)


def test_skip_existing_and_force_exclude_each_other(upscale: Upscale, photos: Path) -> None:
    arguments = [photos, "-o", photos.parent / "large", "--force", "--skip-existing"]
    assert upscale(*arguments) == 2 and not (photos.parent / "large").exists()
    (line,) = upscale.errors
    assert "--skip-existing: not allowed with argument --force" in line


def test_last_line_has_files_megapixels_and_seconds(
    upscale: Upscale, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter((100.0, 107.26))
    monkeypatch.setattr(batch.time, "perf_counter", lambda: next(clock))
    Image.new("RGB", (400, 300)).save(photos / "d.png")
    (photos / "broken.png").write_bytes(b"")
    out = photos.parent / "large"
    assert upscale(photos, "-o", out) == "1 of 5 images could not be upscaled"
    # 800 x 600 and three of 48 x 40.
    assert upscale.out[-1] == "4 files, 0.49 megapixels, 7.3 s"


def test_examples_in_the_help_are_correct(
    upscale: Upscale, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert upscale("--help") == 0
    assert not [line for line in upscale.out if len(line) > 100]
    at = upscale.out.index("examples:")
    examples = [line.split("   ")[0].split() for line in
                (line.strip() for line in upscale.out[at + 1 :]) if line]  # fmt: skip
    assert len(examples) >= 4
    monkeypatch.chdir(photos.parent)
    Image.new("RGB", (8, 6)).save("photo.jpg")
    Image.new("RGB", (8, 6)).save("scan.tif")
    for name, *arguments in examples:
        assert name == "upscale"
        assert upscale(*arguments) == 0, arguments


@pytest.mark.timeout(60)  # reading the pipe would never end
def test_pipe_in_a_folder_is_refused_and_the_rest_goes_on(upscale: Upscale, photos: Path) -> None:
    os.mkfifo(photos / "aa.png")
    assert upscale(photos, "-o", photos.parent / "large") == "1 of 4 images could not be upscaled"
    assert f"error: {photos}/aa.png: is not a file" in upscale.errors
    assert _names(photos.parent / "large") == ["a.png", "b.png", "c.png"]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("full", [True, False], ids=["full", "closed"])
def test_stream_that_cannot_be_written_does_not_stop_the_work(
    photos: Path, stream: str, full: bool
) -> None:
    sign = {"stdout": "1", "stderr": "2"}[stream] + (">/dev/full" if full else ">&-")
    ended = subprocess.run(
        ["bash", "-c", f'"$@" {sign}', "run", sys.executable, "-m", "srstudy.upscale"]
        + [str(photos), "-o", str(photos.parent / "large")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0 and "Traceback" not in ended.stderr
    assert _names(photos.parent / "large") == ["a.png", "b.png", "c.png"]


# Is interrupted when the module is imported that the first argument names.
INTERRUPTED = """
import os, signal, sys
from srstudy.upscale import __main__ as command

class Finder:
    def find_spec(self, name, *others):
        if name == late:
            os.kill(os.getpid(), signal.SIGINT)

late = sys.argv.pop(1)
sys.meta_path.insert(0, Finder())
command.main()
"""


@pytest.mark.parametrize("late", ["argparse", "numpy", "onnxruntime", "srstudy.upscale.batch"])
def test_interrupt_during_the_imports_ends_without_a_word(late: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, late, "x.png", "-o", "y.png"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


def test_empty_path_is_refused(upscale: Upscale, photos: Path) -> None:
    for arguments in (("", "-o", photos.parent / "x"), (photos, "-o", "")):
        assert upscale(*arguments) == 2
        assert "found ''; allowed: a path" in upscale.errors[0]
