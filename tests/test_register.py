import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest

from srstudy.common.errors import InputError
from srstudy.datasets import download
from srstudy.datasets.download import fetch
from srstudy.datasets.registry import PACKAGE, read_registry, registered_names, registry_notes
from srstudy.imagefiles.png import write_png
from tests.imports import ROOT
from tests.servers import NOWHERE, serving, serving_folder
from tools import register


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty project folder without a mirror; downloads are tried only once."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    monkeypatch.setattr(download, "RETRIES", 0)
    for variable in ("SR_MIRROR", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of two images and a hidden file."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / ".hidden").touch()
    for value, name in enumerate(("b.png", "a photo.png")):
        write_png(folder / name, np.full((8, 9, 3), value, np.uint8))
    return folder


@pytest.fixture
def url(photos: Path) -> Iterator[str]:
    """The address of a server of these images."""
    with serving_folder(photos) as address:
        yield address


def _register(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["register", *map(str, arguments)])
    register.main()


def _refusals(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> list[str]:
    """The lines of the error message; nothing may have been written."""
    before = {path: path.read_bytes() for path in Path("data").rglob("*.tsv")}
    with pytest.raises(InputError) as caught:
        _register(monkeypatch, *arguments)
    after = {path: path.read_bytes() for path in Path("data").rglob("*") if path.is_file()}
    assert after == before
    return str(caught.value).splitlines()


def _list(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "list.txt"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def _files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.startswith(".")}


def test_folder_with_its_address_is_registered_and_downloads_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photos: Path, url: str
) -> None:
    _register(monkeypatch, "mine", photos, "--url", f"{url}/")
    assert registered_names() == ["mine"]
    rows = read_registry("mine")
    assert [row.file for row in rows] == ["a photo.png", "b.png"]
    for row in rows:
        content = (photos / row.file).read_bytes()
        assert (row.size, row.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert row.mirror == f"mine/{row.file}"
    assert rows[0].url == f"{url}/a%20photo.png"
    fetch("mine", tmp_path / "raw")
    assert _files(tmp_path / "raw") == _files(photos)


def test_list_of_addresses_is_registered_in_the_same_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photos: Path, url: str
) -> None:
    lines = ["# two photographs", "", f"{url}/b.png?raw=true", f"  {url}/a%20photo.png"]
    _register(monkeypatch, "mine", _list(tmp_path, *lines))
    assert [(row.file, row.url) for row in read_registry("mine")] == [
        ("b.png", f"{url}/b.png?raw=true"),
        ("a photo.png", f"{url}/a%20photo.png"),
    ]
    fetch("mine", tmp_path / "raw")
    assert _files(tmp_path / "raw") == _files(photos)


def test_folder_without_address_says_so_and_downloads_from_a_mirror_alone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    photos: Path,
) -> None:
    _register(monkeypatch, "photos", photos)
    said = capsys.readouterr().out
    assert "no public addresses" in said and "SR_MIRROR" in said
    assert f"{len(read_registry('photos'))} files" in said
    with pytest.raises(InputError, match=r"It has no public address.*set SR_MIRROR"):
        fetch("photos", tmp_path / "raw")
    monkeypatch.setenv("SR_MIRROR", str(photos.parent))
    fetch("photos", tmp_path / "raw")
    assert _files(tmp_path / "raw") == _files(photos)


def test_registering_the_packaged_photographs_writes_the_committed_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed = (ROOT / "data" / "registry" / "sample-test.tsv").read_text("utf-8")
    fields = [field for line in committed.split("\n") for field in line.split()]
    _register(monkeypatch, "again", _list(tmp_path, *(f for f in fields if PACKAGE in f)))
    notes, rows = committed[: committed.index("file\t")], committed[committed.index("file\t") :]
    assert notes.startswith("# ") and Path("data/registry/again.tsv").read_text("utf-8") == rows


def test_files_of_another_set_keep_their_mirror_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photos: Path
) -> None:
    _register(monkeypatch, "photos", photos)
    union = tmp_path / "union"
    union.mkdir()
    (photos / "b.png").rename(union / "renamed.png")
    write_png(union / "new.png", np.zeros((5, 5), np.uint8))
    _register(monkeypatch, "union", union)
    places = {row.file: row.mirror for row in read_registry("union")}
    assert places == {"new.png": "union/new.png", "renamed.png": "photos/b.png"}


def test_every_fault_has_one_line_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photos: Path, url: str
) -> None:
    (photos / "copy.png").write_bytes((photos / "b.png").read_bytes())
    (photos / "page.png").write_text("<html>not found</html>")
    (photos / "empty.png").touch()
    (photos / "sub").mkdir()
    write_png(photos / "sub" / "b.png", np.full((4, 4), 7, np.uint8))
    (photos / "b.bmp").write_bytes((photos / "sub" / "b.png").read_bytes() + b"\0")
    path = _list(
        tmp_path,
        f"{url}/b.png",
        f"{url}/sub/b.png",
        f"{url}/copy.png",
        f"{url}/b.bmp",
        f"{url}/page.png",
        f"{url}/empty.png",
        f"{url}/lost.png",
        f"{NOWHERE}/dead.png",
        f"{url}/notes.txt",
        f"{url}/",
        "photos/a.png",
        "http://[/a.png",
        f"{url}/..%2F..%2Fa.png",
        "package:no_such_package/a.png",
        f"{url}/b.png",
    )
    expected = {
        2: "has the same name as ",
        3: "has the same content as ",
        4: "has the same name without the suffix as ",
        5: "is an HTML page",
        6: "is empty",
        7: "could not be fetched (HTTP 404)",
        8: "could not be fetched (ConnectionError)",
        9: "has no image suffix",
        10: "is not an address",
        11: "is not an address",
        12: "could not be fetched (InvalidURL)",
        13: "has the file name '../../a.png'",
        14: "could not be fetched (is not installed)",
        15: "has the same name as ",
    }
    lines = _refusals(monkeypatch, "mine", path)
    addresses = path.read_text("utf-8").splitlines()
    assert len(lines) == len(expected)
    for line, (number, said) in zip(lines, expected.items(), strict=True):
        assert line.startswith(f"{path}: line {number}: {addresses[number - 1]}: {said}")


def test_files_of_a_folder_must_equal_those_at_its_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, photos: Path
) -> None:
    served = tmp_path / "served"
    served.mkdir()
    for name, content in _files(photos).items():
        (served / name).write_bytes(content)
    (photos / "more.png").write_bytes((photos / "b.png").read_bytes() + b"\0")
    (served / "b.png").write_bytes((served / "b.png").read_bytes()[::-1])
    with serving_folder(served) as url:
        lines = _refusals(monkeypatch, "mine", photos, "--url", url)
    assert lines == [
        f"{photos}/b.png: {url}/b.png could not be fetched (wrong SHA-256)",
        f"{photos}/more.png: {url}/more.png could not be fetched (HTTP 404)",
    ]


def test_faults_of_a_folder_are_named(monkeypatch: pytest.MonkeyPatch, photos: Path) -> None:
    (photos / "copy.png").write_bytes((photos / "b.png").read_bytes())
    (photos / "sub").mkdir()
    (photos / "sub.png").mkdir()
    (photos / "tab\there.png").write_bytes(b"x")
    (photos / "notes.txt").write_bytes(b"x")
    lines = _refusals(monkeypatch, "mine", photos)
    assert [line.partition("; allowed")[0].removeprefix(f"{photos}/") for line in lines] == [
        f"copy.png: has the same content as {photos}/b.png",
        "notes.txt: has no image suffix",
        "sub: has no image suffix",
        "sub.png: is not a file",
        f"'{photos}/tab\\there.png': has the file name 'tab\\there.png'",
    ]


def test_files_that_are_not_images_are_accepted_with_any(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "digits"
    folder.mkdir()
    for name in ("labels.gz", "labels.txt"):
        (folder / name).write_text(name)
    assert len(_refusals(monkeypatch, "digits", folder)) == 2
    _register(monkeypatch, "digits", folder, "--any")
    assert [row.file for row in read_registry("digits")] == ["labels.gz", "labels.txt"]


class _Endless(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(b"x" * 1000)


@pytest.mark.timeout(30)
def test_endless_download_is_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(register, "LARGEST", 10**6)
    with serving(_Endless) as url:
        (line,) = _refusals(monkeypatch, "mine", _list(tmp_path, f"{url}/a.png"))
    assert line.endswith(f"{url}/a.png: could not be fetched (more than its 1000000 bytes)")


def test_existing_name_is_refused_and_force_replaces_all_but_its_notes(
    monkeypatch: pytest.MonkeyPatch, photos: Path
) -> None:
    _register(monkeypatch, "mine", photos)
    (photos / "b.png").unlink()
    assert _refusals(monkeypatch, "mine", photos) == [
        "data/registry/mine.tsv: exists already; --force replaces it"
    ]
    path = Path("data/registry/mine.tsv")
    path.write_text("# Mine.\n# Terms: none.\n" + path.read_text("utf-8"), "utf-8")
    _register(monkeypatch, "mine", photos, "--force")
    assert [row.file for row in read_registry("mine")] == ["a photo.png"]
    assert registry_notes("mine") == ["# Mine.", "# Terms: none."]


@pytest.mark.parametrize("name", ["", "a b", "../a", "a--b", "-a", "a.b", "x" * 41])
def test_name_that_params_yaml_would_refuse_is_refused(
    monkeypatch: pytest.MonkeyPatch, photos: Path, name: str
) -> None:
    with pytest.raises(InputError) as caught:
        register.check_name(name, taken=True)
    assert str(caught.value).startswith(f"NAME: found {name!r}; allowed: ")


def test_wrong_sources_are_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, photos: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for source, said in (
        (tmp_path / "lost", "No such file"),
        (photos / "b.png", "codec"),
        (_list(tmp_path, "# nothing"), "holds no address"),
        (tmp_path / "empty", "holds no file"),
    ):
        (line,) = _refusals(monkeypatch, "mine", source)
        assert line.startswith(f"{source}: ") and said in line
    (line,) = _refusals(monkeypatch, "mine", _list(tmp_path, "x"), "--url", "http://a.example")
    assert "--url: is only for a folder" in line
    for base in ("ftp://a.example", "photos", "package:skimage/data", "http://a b"):
        (line,) = _refusals(monkeypatch, "mine", photos, "--url", base)
        assert line.startswith(f"--url: found {base!r}; allowed: ")


def test_command_ends_with_a_line_for_each_fault_and_status_1(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text(name)
    command = [sys.executable, "-m", "tools.register", "register-test", str(folder)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1 and not ended.stdout
    assert [line.split(": ")[:2] for line in ended.stderr.splitlines()] == [
        ["error", str(folder / name)] for name in ("a.txt", "b.txt")
    ]
    assert not (ROOT / "data" / "registry" / "register-test.tsv").exists()
