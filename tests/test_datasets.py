import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar

import pytest

from srstudy.common.errors import InputError
from srstudy.datasets import download
from srstudy.datasets.download import fetch
from srstudy.datasets.registry import (
    DIGITS,
    PACKAGE,
    read_registry,
    registered_names,
    registry_notes,
)
from srstudy.imagefiles.listing import list_images
from srstudy.imagefiles.reading import read_image
from tests.imports import ROOT
from tests.servers import NOWHERE, serving, serving_folder

CONTENT = {"a.bmp": b"first", "b.bmp": b"second"}
HEADER = "file\tbytes\tsha256\turl\tmirror"
REGISTRY = Path("data/registry/tiny.tsv")


def _row(name: str, content: bytes, url: str, mirror: str) -> str:
    return f"{name}\t{len(content)}\t{hashlib.sha256(content).hexdigest()}\t{url}\t{mirror}"


def _write(path: Path, *rows: str) -> None:
    path.write_text("\n".join([HEADER, *rows]) + "\n", "utf-8")


@pytest.fixture(autouse=True)
def _two_file_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project folder in which the data set `tiny` of two files is registered."""
    project = tmp_path / "project"
    (project / "data" / "registry").mkdir(parents=True)
    monkeypatch.chdir(project)
    _write(REGISTRY, *(_row(n, c, f"{NOWHERE}/{n}", f"tiny/{n}") for n, c in CONTENT.items()))
    monkeypatch.delenv("SR_MIRROR", raising=False)
    monkeypatch.setattr(download, "RETRIES", 0)
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)


def _mirror(folder: Path, content: dict[str, bytes]) -> Path:
    (folder / "tiny").mkdir(parents=True)
    for name, data in content.items():
        (folder / "tiny" / name).write_bytes(data)
    return folder


def _content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _refusal(folder: Path) -> str:
    """The one line of the message; there must be no folder, and nothing else next to it."""
    with pytest.raises(InputError) as caught:
        fetch("tiny", folder)
    assert not list(folder.parent.glob("*"))
    message = str(caught.value)
    assert "\n" not in message
    return message


class Misbehaving(BaseHTTPRequestHandler):
    """A server that answers depending on the word in the path: /WORD/tiny/a.bmp."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[str]] = []

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        _, word, *_, name = self.path.split("/")
        self.asked.append(self.path)
        content = CONTENT[name]
        self.close_connection = True
        if word == "drop":
            return  # no answer, and the connection is closed
        if word == "loop":
            self.send_response(302)
            self.send_header("Location", self.path)
        elif word.isdigit():
            self.send_response(int(word))
        else:
            self.send_response(200)
            longer = {"truncated": 9, "too-long": 9, "drip": 10**6}.get(word, 0)
            if word != "endless":
                self.send_header("Content-Length", str(len(content) + longer))
        self.end_headers()
        if word == "drip":
            with suppress(OSError):
                while True:
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.2)
        if word == "endless":
            with suppress(OSError):
                while True:
                    self.wfile.write(b"x" * 1000)
        if word in ("wrong", "too-long"):
            content = content[::-1]
        if word not in ("loop", "404", "500"):
            self.wfile.write(content + b"y" * 9 * (word == "too-long"))


@pytest.fixture
def misbehaving() -> Iterator[str]:
    Misbehaving.asked.clear()
    with serving(Misbehaving) as url:
        yield url


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("drop", "ConnectionError"),
        ("truncated", "ProtocolError"),
        ("500", "HTTP 500"),
        ("404", "HTTP 404"),
        ("drip", "Timeout"),
        ("wrong", "wrong SHA-256"),
        ("too-long", "more than its "),
        ("endless", "more than its "),
        ("loop", "TooManyRedirects"),
    ],
)
def test_faulty_server_gives_a_short_message_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, misbehaving: str, word: str, said: str
) -> None:
    monkeypatch.setenv("SR_MIRROR", f"{misbehaving}/{word}")
    monkeypatch.setattr(download, "WHOLE_S", 0.3)
    message = _refusal(tmp_path / "raw" / "tiny")
    assert f"{misbehaving}/{word}/tiny/" in message and f"({said}" in message
    assert f"{NOWHERE}/" in message  # the public address was tried after it


@pytest.mark.parametrize("word", ["500", "drop", "truncated", "drip", "wrong", "endless", "loop"])
def test_failed_download_is_tried_again_but_not_forever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, misbehaving: str, word: str
) -> None:
    monkeypatch.setenv("SR_MIRROR", f"{misbehaving}/{word}")
    monkeypatch.setattr(download, "WHOLE_S", 0.3)
    # Only one file, because the first one that fails would stop the other.
    REGISTRY.write_text("\n".join(REGISTRY.read_text().splitlines()[:2]) + "\n")
    monkeypatch.setattr(download, "RETRIES", 2)
    pauses: list[float] = []
    monkeypatch.setattr("pooch.core.time.sleep", pauses.append)
    _refusal(tmp_path / "raw" / "tiny")
    once = 31 if word == "loop" else 1  # requests follows 30 redirects
    assert Misbehaving.asked.count(f"/{word}/tiny/a.bmp") == 3 * once
    assert pauses and all(pause > 0 for pause in pauses)


@pytest.mark.timeout(30)
def test_interrupted_download_does_not_wait_for_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, misbehaving: str
) -> None:
    monkeypatch.setenv("SR_MIRROR", f"{misbehaving}/drip")
    REGISTRY.write_text(
        REGISTRY.read_text().replace("\t5\t", "\t5000\t").replace("\t6\t", "\t5000\t")
    )

    def interrupted(*_: object) -> Iterator[None]:
        while len(Misbehaving.asked) < len(CONTENT):
            time.sleep(0.01)
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(download, "progress", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch("tiny", tmp_path / "raw" / "tiny")
    assert len(Misbehaving.asked) == len(CONTENT)
    assert not list((tmp_path / "raw").iterdir())


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of an HTTP server on this machine, and the folder that it serves."""
    folder = tmp_path / "served"
    folder.mkdir()

    with serving_folder(folder) as url:
        yield url, folder


def test_folder_mirror_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SR_MIRROR", str(_mirror(tmp_path / "mirror", CONTENT)))
    assert fetch("tiny", tmp_path / "raw" / "tiny") == 2
    assert _content(tmp_path / "raw" / "tiny") == CONTENT


def test_mirror_with_wrong_bytes_is_refused_and_no_folder_appears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = _mirror(tmp_path / "mirror", {**CONTENT, "b.bmp": b"wrong!"})
    monkeypatch.setenv("SR_MIRROR", str(mirror))
    message = _refusal(tmp_path / "raw" / "tiny")
    assert "tiny/b.bmp" in message and f"{mirror}/tiny/b.bmp (wrong SHA-256)" in message


def test_message_about_a_missing_file_names_the_sources_and_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = _mirror(tmp_path / "mirror", {"a.bmp": CONTENT["a.bmp"]})
    monkeypatch.setenv("SR_MIRROR", str(mirror))
    message = _refusal(tmp_path / "raw" / "tiny")
    for part in (
        f"{mirror}/tiny/b.bmp (No such file or directory)",
        f"{NOWHERE}/b.bmp (ConnectionError)",
        "set SR_MIRROR to a folder or URL that holds tiny/b.bmp",
        "`make demo`",
    ):
        assert part in message


def test_without_a_mirror_only_the_public_address_is_tried(tmp_path: Path) -> None:
    message = _refusal(tmp_path / "raw" / "tiny")
    assert message.count("(ConnectionError)") == 1 and NOWHERE in message


def test_url_mirror_has_the_same_paths_as_a_folder_mirror(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: tuple[str, Path]
) -> None:
    url, folder = served
    _mirror(folder / "below", CONTENT)
    monkeypatch.setenv("SR_MIRROR", f"{url}/below/")
    assert fetch("tiny", tmp_path / "raw" / "tiny") == 2
    assert _content(tmp_path / "raw" / "tiny") == CONTENT


def test_url_mirror_with_wrong_or_missing_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: tuple[str, Path]
) -> None:
    url, folder = served
    monkeypatch.setenv("SR_MIRROR", url)
    _mirror(folder, {**CONTENT, "a.bmp": b"wrong"})
    assert f"{url}/tiny/a.bmp (wrong SHA-256)" in _refusal(tmp_path / "raw" / "tiny")
    (folder / "tiny" / "a.bmp").unlink()
    assert f"{url}/tiny/a.bmp (HTTP 404)" in _refusal(tmp_path / "raw" / "tiny")


def test_public_address_is_used_if_the_mirror_lacks_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: tuple[str, Path]
) -> None:
    url, folder = served
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    REGISTRY.write_text(REGISTRY.read_text().replace(NOWHERE, url))
    monkeypatch.setenv("SR_MIRROR", str(_mirror(tmp_path / "mirror", {"a.bmp": b"wrong"})))
    fetch("tiny", tmp_path / "raw" / "tiny")
    assert _content(tmp_path / "raw" / "tiny") == CONTENT


def test_relative_mirror_is_relative_to_dvc_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In `dvc exp run --temp`, the current folder is a copy in another place.
    _mirror(tmp_path / "main" / "mirror", CONTENT)
    monkeypatch.setenv("SR_MIRROR", "mirror")
    _refusal(tmp_path / "raw" / "tiny")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "main"))
    assert fetch("tiny", tmp_path / "raw" / "tiny") == 2


def test_fetching_again_replaces_the_old_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "raw" / "tiny"
    folder.mkdir(parents=True)
    (folder / "stale.bmp").touch()
    monkeypatch.setenv("SR_MIRROR", str(_mirror(tmp_path / "mirror", CONTENT)))
    fetch("tiny", folder)
    assert _content(folder) == CONTENT


def test_file_of_another_set_comes_from_the_mirror_path_of_that_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: tuple[str, Path]
) -> None:
    url, folder = served
    _mirror(folder, {"a.bmp": CONTENT["a.bmp"], "50% of b #1.bmp": CONTENT["b.bmp"]})
    _write(
        Path("data/registry/union.tsv"),
        _row("first.bmp", CONTENT["a.bmp"], "", "tiny/a.bmp"),
        _row("second.bmp", CONTENT["b.bmp"], "", "tiny/50% of b #1.bmp"),
    )
    for mirror in (str(folder), url):
        monkeypatch.setenv("SR_MIRROR", mirror)
        fetch("union", tmp_path / "raw" / "union")
        content = {"first.bmp": CONTENT["a.bmp"], "second.bmp": CONTENT["b.bmp"]}
        assert _content(tmp_path / "raw" / "union") == content


def test_file_without_public_address_comes_only_from_a_mirror(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(REGISTRY, _row("a.bmp", CONTENT["a.bmp"], "", "tiny/a.bmp"))
    message = _refusal(tmp_path / "raw" / "tiny")
    assert "tiny/a.bmp could not be fetched. It has no public address." in message
    assert "set SR_MIRROR to a folder or URL that holds tiny/a.bmp" in message
    monkeypatch.setenv("SR_MIRROR", str(_mirror(tmp_path / "mirror", CONTENT)))
    assert fetch("tiny", tmp_path / "raw" / "tiny") == 1


def test_mirror_in_the_home_of_an_unknown_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SR_MIRROR", "~no-such-user/mirror")
    assert "SR_MIRROR: found '~no-such-user/mirror'" in _refusal(tmp_path / "raw" / "tiny")


def _packaged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package with the file a.bmp, which ends any process that imports it."""
    package = folder / "site" / "photographs"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('was imported')")
    (package / "a.bmp").write_bytes(CONTENT["a.bmp"])
    monkeypatch.syspath_prepend(str(package.parent))


def test_file_of_a_package_is_copied_without_a_mirror_and_without_an_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _packaged(tmp_path, monkeypatch)
    monkeypatch.setenv("SR_MIRROR", str(tmp_path / "no-such-mirror"))
    _write(REGISTRY, _row("a.bmp", CONTENT["a.bmp"], "package:photographs/a.bmp", ""))
    assert fetch("tiny", tmp_path / "raw" / "tiny") == 1
    assert _content(tmp_path / "raw" / "tiny") == {"a.bmp": CONTENT["a.bmp"]}


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("package:photographs/a.bmp", "wrong SHA-256"),
        ("package:photographs/b.bmp", "No such file or directory"),
        ("package:no_such_package/b.bmp", "is not installed"),
    ],
)
def test_file_of_a_package_is_used_only_with_the_correct_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, said: str
) -> None:
    _packaged(tmp_path, monkeypatch)
    _write(REGISTRY, _row("b.bmp", CONTENT["b.bmp"], address, ""))
    message = _refusal(tmp_path / "raw" / "tiny")
    assert f"Tried: {address} ({said})" in message and "`make setup`" in message


def test_unknown_dataset_is_refused_with_a_list_of_known_ones(tmp_path: Path) -> None:
    (REGISTRY.parent / "another.tsv").touch()
    (REGISTRY.parent / ".hidden.tsv").touch()
    (REGISTRY.parent / "notes.txt").touch()
    for unknown in ("set15", "../registry/tiny"):
        with pytest.raises(InputError, match=r"is not known; allowed: another, tiny$"):
            fetch(unknown, tmp_path / "raw" / "set15")


def test_message_names_the_folder_if_there_is_no_registry_file(tmp_path: Path) -> None:
    REGISTRY.unlink()
    with pytest.raises(InputError, match="allowed: none, because data/registry has no file"):
        fetch("tiny", tmp_path / "raw" / "tiny")


def test_names_come_from_the_file_names_and_no_file_is_read() -> None:
    for number in range(3):
        (REGISTRY.parent / f"broken{number}.tsv").write_bytes(b"\xff")
    assert registered_names() == ["broken0", "broken1", "broken2", "tiny"]


def test_names_are_listed_without_importing_the_download_libraries() -> None:
    code = "import sys, srstudy.datasets.registry; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "srstudy.common.files" in loaded.split()
    assert not {"pooch", "requests", "numpy"} & set(loaded.split())


GOOD = _row("a.bmp", CONTENT["a.bmp"], f"{NOWHERE}/a.bmp", "tiny/a.bmp")
HASH = GOOD.split("\t")[2]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (GOOD.replace("a.bmp\t5", "../a.bmp\t5"), "found file '../a.bmp'"),
        (GOOD.replace("a.bmp\t5", "..\t5"), "found file '..'"),
        (GOOD.replace("a.bmp\t5", "/etc/a.bmp\t5"), "found file '/etc/a.bmp'"),
        (GOOD.replace("a.bmp\t5", "sub/a.bmp\t5"), "found file 'sub/a.bmp'"),
        (GOOD.replace("a.bmp\t5", ".a.bmp\t5"), "found file '.a.bmp'"),
        (GOOD.replace("a.bmp\t5", "a\0.bmp\t5"), r"found file 'a\x00.bmp'"),
        (GOOD.replace("a.bmp\t5", "\t5"), "found file ''"),
        (GOOD.replace("\t5\t", "\t0\t"), "found bytes '0'"),
        (GOOD.replace("\t5\t", "\t-5\t"), "found bytes '-5'"),
        (GOOD.replace("\t5\t", "\tfive\t"), "found bytes 'five'"),
        (GOOD.replace("\t5\t", f"\t{'5' * 5000}\t"), "found bytes '555"),
        (GOOD.replace(HASH, HASH[1:]), "found sha256 "),
        (GOOD.replace(HASH, HASH[1:] + "g"), "found sha256 "),
        (GOOD.replace(HASH, ""), "found sha256 ''"),
        (GOOD.replace("http://", "ftp://"), "found url 'ftp://"),
        (GOOD.replace(f"{NOWHERE}/a.bmp", "package:a/../b.bmp"), "found url 'package:a/../b.bmp'"),
        (GOOD.replace(f"{NOWHERE}/a.bmp", "package:a.b/c.bmp"), "found url 'package:a.b/c.bmp'"),
        (GOOD.replace("tiny/", "../"), "found mirror '../a.bmp'"),
        (GOOD.replace("\ttiny/", "\t/tiny/"), "found mirror '/tiny/a.bmp'"),
        (GOOD.replace("tiny/a.bmp", ""), "found no mirror"),
        (GOOD.rpartition("\t")[0], "found 4 columns"),
        (GOOD + "\tmore", "found 6 columns"),
        ("", "found 1 columns"),
        (GOOD.replace("/a.bmp", "/c.bmp"), "found 'a.bmp', also in line 2"),
    ],
)
def test_wrong_row_is_refused_with_file_and_line(tmp_path: Path, line: str, said: str) -> None:
    _write(REGISTRY, GOOD, line, GOOD.replace("a.bmp", "z.bmp"))
    message = _refusal(tmp_path / "raw" / "tiny")
    assert message.startswith(f"{REGISTRY}: line 3: {said}") and "; allowed: " in message
    assert len(message) < 250


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1: found the columns ''"),
        (b"file\tbytes\tsha256\turl\n", "line 1: found the columns "),
        (b"name,size\nx,1\n", "line 1: found the columns 'name,size'"),
        (HEADER.encode() + b"\n", "line 2: found no row"),
        (HEADER.encode() + b"\n\xe4.bmp", "line 2: found the byte 0xe4; allowed: UTF-8"),
    ],
)
def test_file_that_is_not_a_registry_is_refused_with_its_line(
    tmp_path: Path, content: bytes, said: str
) -> None:
    REGISTRY.write_bytes(content)
    assert _refusal(tmp_path / "raw" / "tiny").startswith(f"{REGISTRY}: {said}")


def test_notes_above_the_columns_are_skipped_but_counted_in_line_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SR_MIRROR", str(_mirror(tmp_path / "mirror", CONTENT)))
    notes = "# Two files.\n#\n# Terms: none.\n"
    REGISTRY.write_text(notes + REGISTRY.read_text("utf-8"), "utf-8")
    assert registry_notes("tiny") == ["# Two files.", "#", "# Terms: none."]
    assert fetch("tiny", tmp_path / "noted") == len(CONTENT)
    for content, said in (
        ("", "line 4: found the columns ''"),
        (f"{HEADER}\n", "line 5: found no row"),
        (f"{HEADER}\n# a note\n", "line 5: found 1 columns"),
    ):
        REGISTRY.write_text(notes + content, "utf-8")
        assert _refusal(tmp_path / "raw" / "tiny").startswith(f"{REGISTRY}: {said}")


def test_registry_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    REGISTRY.unlink()
    REGISTRY.mkdir()
    message = _refusal(tmp_path / "raw" / "tiny")
    assert message == f"{REGISTRY}: cannot be read: Is a directory"


def test_committed_data_sets_have_each_file_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    counts = {name: len(read_registry(name)) for name in registered_names()}
    expected = {"t91": 91, "set5": 5, "set14": 14, "mnist": 4, "sample": 7, "sample-test": 3}
    literature = {"bsd200": 200, "t291": 291, "t290": 290, "bsd100": 100, "urban100": 100}
    assert (expected | literature).items() <= counts.items()
    for name in counts:
        for row in read_registry(name):
            if row.url.startswith(PACKAGE):
                assert not row.mirror
                continue
            assert row.url.startswith("https://")
            # A mirror holds a file of several sets only once, under one of them.
            owner = row.mirror.partition("/")[0]
            assert (row.mirror, row.sha256) in {(r.mirror, r.sha256) for r in read_registry(owner)}
            assert owner != name or row.mirror == f"{name}/{row.file}"


def test_committed_data_sets_state_their_content_source_and_terms(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    page = (ROOT / "README.md").read_text("utf-8")
    for name in registered_names():
        what, *notes = registry_notes(name)
        assert what.startswith("# ")
        assert [n.split()[1] for n in notes if n.startswith(("# Source: ", "# Terms: "))] == [
            "Source:",
            "Terms:",
        ], name
        count = "70,000" if name == DIGITS else len(read_registry(name))
        assert f"\n| `{name}` | {count} | " in page


def test_t291_is_t91_and_bsd200_and_t290_lacks_the_picture_of_set5(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    assert read_registry("t291") == read_registry("t91") + read_registry("bsd200")
    assert read_registry("t290") == [r for r in read_registry("t291") if r.file != "302003.jpg"]


@pytest.mark.parametrize("dataset", ["sample", "sample-test"])
def test_embedded_photographs_are_those_of_the_registry_and_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dataset: str
) -> None:
    monkeypatch.chdir(ROOT)
    folder = tmp_path / "raw" / dataset
    rows = read_registry(dataset)
    assert {row.url for row in rows} == {f"package:skimage/data/{row.file}" for row in rows}
    assert fetch(dataset, folder) == len(rows)
    paths = list_images(folder)
    assert {path.name for path in paths} == {row.file for row in rows}
    assert [path.stat().st_size for path in paths] == [
        row.size for row in sorted(rows, key=lambda row: row.file)
    ]
    assert all(read_image(path).size for path in paths)


def test_embedded_training_and_test_photographs_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    train, test = ({row.sha256 for row in read_registry(n)} for n in ("sample", "sample-test"))
    assert train and test and not train & test
