"""Names of files, links and folders: no name ends a batch, and each is shown in one line."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srstudy.imagefiles.reading import read_photo
from tests.imports import ROOT

LONG = "long " * 60


def _upscale(folder: Path, *arguments: str | bytes, **more: str) -> "subprocess.CompletedProcess":
    return subprocess.run(
        [sys.executable, "-m", "srstudy.upscale", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **more},
        capture_output=True,
        timeout=120,
    )


def _image(path: Path, colour: str = "red") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 3), colour).save(path, format="PNG")
    return path


NAMES: dict[bytes, str] = {
    b"-leading dash.png": "-leading dash.png",
    b"a\nline.png": r"a\nline.png",
    b"bell\x07.png": r"bell\x07.png",
    b"not utf-8 \xff\xe4.png": r"not utf-8 \xff\xe4.png",
    b"spaces  and 'quotes\".png": "spaces  and 'quotes\".png",
    "Grüße 日本.png".encode(): "Grüße 日本.png",
    **{LONG[: n - 4].encode() + b".png": LONG[: n - 4] + ".png" for n in (246, 247, 250, 255)},
}


@pytest.mark.parametrize("broken", [False, True])
def test_file_with_any_name_is_written_and_shown_in_one_line(tmp_path: Path, broken: bool) -> None:
    for name in NAMES:
        _image(tmp_path / "in" / os.fsdecode(name))
        if broken:
            (tmp_path / "in" / os.fsdecode(name)).write_bytes(b"GIF8")
    ended = _upscale(tmp_path, "in", "-o", "out", LC_ALL="C.UTF-8")
    said = ended.stderr if broken else ended.stdout
    *lines, _ = (line.decode() for line in said.splitlines())  # the last line is the summary
    assert ended.returncode == broken and b"Traceback" not in ended.stderr
    if broken:
        assert {line.partition(": is a GIF")[0] for line in lines} == {
            f"error: in/{shown}" for shown in NAMES.values()
        }
    else:
        assert set(lines) == {f"out/{shown}: 8 x 6 pixels" for shown in NAMES.values()}
        assert {os.fsencode(path.name) for path in (tmp_path / "out").iterdir()} == set(NAMES)


def test_name_that_the_locale_cannot_show_is_escaped(tmp_path: Path) -> None:
    _image(tmp_path / "日本.png")
    more = {
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONIOENCODING": "ascii",
    }
    ended = _upscale(tmp_path, "日本.png".encode(), "-o", "out", **more)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(b"out/") and ended.stdout.isascii()


def test_name_that_is_too_long_is_refused_before_any_work(tmp_path: Path) -> None:
    _image(tmp_path / "a.png")
    for arguments in (["a.png", "-o", "b" * 252 + ".png"], ["b" * 300 + ".png", "-o", "out"]):
        ended = _upscale(tmp_path, *arguments)
        first, last = ended.stderr.decode().splitlines()
        assert first.endswith("File name too long") and "could not be upscaled" in last
        assert ended.returncode == 1


def test_one_file_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    _image(tmp_path / "good.png")
    ended = _upscale(tmp_path, "missing.png", "n" * 300, "good.png", "-o", "out")
    assert ended.returncode == 1 and ended.stdout.startswith(b"out/good.png: 8 x 6 pixels\n")
    assert ended.stderr.decode().splitlines()[-1] == "2 of 3 images could not be upscaled"


def test_force_writes_through_a_link(tmp_path: Path) -> None:
    _image(tmp_path / "a.png")
    place = _image(tmp_path / "elsewhere/kept here.png", "blue")
    link = tmp_path / "link.png"
    link.symlink_to(place)
    assert b"link.png: exists already" in _upscale(tmp_path, "a.png", "-o", "link.png").stderr
    assert read_photo(place).pixels.shape == (3, 4, 3)
    ended = _upscale(tmp_path, "a.png", "-o", "link.png", "--force")
    assert ended.returncode == 0, ended.stderr
    assert link.is_symlink() and link.resolve() == place
    large = read_photo(place).pixels
    assert large.shape == (6, 8, 3) and np.abs(large.astype(int) - [255, 0, 0]).max() < 9
    assert sorted(p.name for p in place.parent.iterdir()) == ["kept here.png"]


def test_broken_link_counts_as_a_file_and_link_to_itself_is_refused(tmp_path: Path) -> None:
    _image(tmp_path / "a.png")
    (tmp_path / "to nothing.png").symlink_to(tmp_path / "later.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    for name in ("to nothing.png", "loop.png"):
        assert f"{name}: exists already" in _upscale(tmp_path, "a.png", "-o", name).stderr.decode()
    assert _upscale(tmp_path, "a.png", "-o", "to nothing.png", "--force").returncode == 0
    assert (tmp_path / "later.png").is_file() and (tmp_path / "to nothing.png").is_symlink()
    ended = _upscale(tmp_path, "a.png", "-o", "loop.png", "--force")
    assert b"loop.png: cannot be written: it is a link to itself" in ended.stderr


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Images in a folder and its subfolders, some with equal names, and ignored files."""
    for name in ("a.png", "b/a.png", "b/c/d.png", "e.png/f.png", ".hidden/g.png", ".h.png"):
        _image(tmp_path / "in" / name)
    (tmp_path / "in/notes.txt").write_text("no image")
    (tmp_path / "in/b/back").symlink_to(tmp_path / "in")
    return tmp_path


def _written(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_subfolders_are_skipped_with_one_line(tree: Path) -> None:
    ended = _upscale(tree, "in", "-o", "out", "--model", "clean")
    assert ended.stderr == b"note: in: subfolders: 2, skipped; allowed: --recursive\n"
    assert ended.returncode == 0 and _written(tree / "out") == {"a.png"}
    (tree / "in/a.png").unlink()
    ended = _upscale(tree, "in", "-o", "out")
    assert b"in: holds no image; allowed: " in ended.stderr and ended.returncode == 1
    assert ended.stderr.endswith(b"or --recursive; subfolders: 2\n")


def test_recursive_keeps_the_folder_tree(tree: Path) -> None:
    for _ in range(2):  # the second run finds the output of the first and does not change it
        ended = _upscale(tree, "in", "-o", "in/out", "--recursive", "--force", "--model", "clean")
        assert ended.returncode == 0, ended.stderr
        expected = {"a.png", "b/a.png", "b/c/d.png", "e.png/f.png"}
        assert _written(tree / "in/out") == expected
        assert ended.stderr == b"note: in: linked folders: 1, skipped\n"
