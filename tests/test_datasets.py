import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from stages.core import datasets
from stages.core.datasets import EMBEDDED, fetch, read_registry, registered_names
from stages.core.errors import InputError
from stages.core.images import list_images, read_image
from tests.imports import ROOT

CONTENT = {"a.bmp": b"first", "b.bmp": b"second"}
# Port 9 (discard) of this machine: refused at once, and nothing leaves the machine.
NOWHERE = "http://127.0.0.1:9/public"


@pytest.fixture(autouse=True)
def _two_file_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project folder whose registry has the dataset `tiny` of two files."""
    rows = [
        f"tiny\t{name}\t{len(content)}\t{hashlib.sha256(content).hexdigest()}\t{NOWHERE}/{name}"
        for name, content in CONTENT.items()
    ]
    project = tmp_path / "project"
    (project / "data").mkdir(parents=True)
    text = "\n".join(["dataset\tfile\tbytes\tsha256\turl", *rows]) + "\n"
    (project / "data" / "registry.tsv").write_text(text)
    monkeypatch.chdir(project)
    monkeypatch.delenv("SR_MIRROR", raising=False)
    monkeypatch.setattr(datasets, "RETRIES", 0)
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
    """The refusal's one line; the folder must not have appeared, nor anything beside it."""
    with pytest.raises(InputError) as caught:
        fetch("tiny", folder)
    assert not folder.exists() and not list(folder.parent.iterdir())
    message = str(caught.value)
    assert "\n" not in message
    return message


class Misbehaving(BaseHTTPRequestHandler):
    """Answers each file by the word in its path: /WORD/tiny/a.bmp."""

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
            return  # not a word, and the connection closed
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
    server = ThreadingHTTPServer(("127.0.0.1", 0), Misbehaving)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


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
def test_misbehaving_server_is_given_up_with_a_word_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, misbehaving: str, word: str, said: str
) -> None:
    monkeypatch.setenv("SR_MIRROR", f"{misbehaving}/{word}")
    monkeypatch.setattr(datasets, "WHOLE_S", 0.3)
    message = _refusal(tmp_path / "raw" / "tiny")
    assert f"{misbehaving}/{word}/tiny/" in message and f"({said}" in message
    assert f"{NOWHERE}/" in message  # the public address was tried after it


@pytest.mark.parametrize("word", ["500", "drop", "truncated", "drip", "wrong", "endless", "loop"])
def test_failed_download_is_tried_again_and_not_forever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, misbehaving: str, word: str
) -> None:
    monkeypatch.setenv("SR_MIRROR", f"{misbehaving}/{word}")
    monkeypatch.setattr(datasets, "WHOLE_S", 0.3)
    # Both files to the end: the first that fails would stop the other.
    registry = Path("data/registry.tsv")
    registry.write_text("\n".join(registry.read_text().splitlines()[:2]) + "\n")
    monkeypatch.setattr(datasets, "RETRIES", 2)
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
    registry = Path("data/registry.tsv")
    registry.write_text(
        registry.read_text().replace("\t5\t", "\t5000\t").replace("\t6\t", "\t5000\t")
    )

    def interrupted(*_: object) -> Iterator[None]:
        while len(Misbehaving.asked) < len(CONTENT):
            time.sleep(0.01)
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(datasets, "progress", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch("tiny", tmp_path / "raw" / "tiny")
    assert len(Misbehaving.asked) == len(CONTENT)
    assert not list((tmp_path / "raw").iterdir())


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of an HTTP server on this machine, and the folder that it serves."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()
    thread.join()


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


def test_missing_file_names_what_was_tried_and_what_helps(
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


def test_without_a_mirror_the_public_address_alone_is_tried(tmp_path: Path) -> None:
    message = _refusal(tmp_path / "raw" / "tiny")
    assert message.count("(ConnectionError)") == 1 and NOWHERE in message


def test_url_mirror_is_asked_for_the_same_names(
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


def test_public_address_helps_out_where_the_mirror_lacks_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: tuple[str, Path]
) -> None:
    url, folder = served
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    registry = Path("data/registry.tsv")
    registry.write_text(registry.read_text().replace(NOWHERE, url))
    monkeypatch.setenv("SR_MIRROR", str(_mirror(tmp_path / "mirror", {"a.bmp": b"wrong"})))
    fetch("tiny", tmp_path / "raw" / "tiny")
    assert _content(tmp_path / "raw" / "tiny") == CONTENT


def test_relative_mirror_is_meant_from_the_project_of_dvc_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In `dvc exp run --temp` the current folder is a copy elsewhere.
    _mirror(tmp_path / "main" / "mirror", CONTENT)
    monkeypatch.setenv("SR_MIRROR", "mirror")
    _refusal(tmp_path / "raw" / "tiny")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "main"))
    assert fetch("tiny", tmp_path / "raw" / "tiny") == 2


def test_fetching_again_replaces_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "raw" / "tiny"
    folder.mkdir(parents=True)
    (folder / "stale.bmp").touch()
    monkeypatch.setenv("SR_MIRROR", str(_mirror(tmp_path / "mirror", CONTENT)))
    fetch("tiny", folder)
    assert _content(folder) == CONTENT


@pytest.mark.parametrize("dataset", EMBEDDED)
def test_embedded_photographs_are_exactly_those_named_and_can_be_read(
    tmp_path: Path, dataset: str
) -> None:
    folder = tmp_path / "raw" / dataset
    assert fetch(dataset, folder) == len(EMBEDDED[dataset])
    paths = list_images(folder)
    assert {path.name for path in paths} == set(EMBEDDED[dataset])
    assert all(read_image(path).size for path in paths)


def test_embedded_training_and_test_photographs_differ() -> None:
    assert not set(EMBEDDED["sample"]) & set(EMBEDDED["sample-test"])


def test_unknown_dataset_is_refused_with_those_known(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'set15' is not known; allowed: tiny, sample"):
        fetch("set15", tmp_path / "raw" / "set15")


def test_missing_or_foreign_registry_is_refused_by_name() -> None:
    Path("data/registry.tsv").write_text("name,size\nx,1\n")
    with pytest.raises(InputError, match=r"data/registry\.tsv: is no registry"):
        registered_names()
    Path("data/registry.tsv").unlink()
    with pytest.raises(InputError, match=r"data/registry\.tsv: is no registry"):
        registered_names()


def test_committed_registry_names_every_file_once_with_a_hash_and_an_address() -> None:
    rows = read_registry(ROOT / "data" / "registry.tsv")
    counts = {name: sum(row.dataset == name for row in rows) for name in ("t91", "set5", "set14")}
    assert counts == {"t91": 91, "set5": 5, "set14": 14}
    assert len({(row.dataset, row.file) for row in rows}) == len(rows)
    assert all(len(row.sha256) == 64 and set(row.sha256) <= set("0123456789abcdef") for row in rows)
    assert all(row.url.startswith("https://") and Path(row.file).name == row.file for row in rows)
