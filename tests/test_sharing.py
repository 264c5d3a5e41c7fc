"""What the page on experiments says of sharing, against servers of this test's own on 127.0.0.1."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.documented import script_with
from tests.tiny import Run, Study

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

# A pipeline of the first stages: enough to share, in seconds.
STAGES = ("validate", "download", "synthesize-train")
SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
Configure = Callable[[Study], None]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The first stages of a study, with their results, and a bare repository as git remote."""
    folder = tmp_path_factory.mktemp("sharing")
    study = Study.of_working_tree(folder / "study", folder / "shared")
    study.set(scales=[2], cascade_scales=[], datasets=["sample"], test_sets=["sample"])
    graph = yaml.safe_load((study.root / "dvc.yaml").read_text())
    graph["stages"] = {name: graph["stages"][name] for name in STAGES}
    (study.root / "dvc.yaml").write_text(yaml.safe_dump(graph, sort_keys=False))
    study("dvc", "repro")
    study.commit("results")
    branch = study("git", "branch", "--show-current").text.strip()
    bare = ("git", "init", "--quiet", "--bare", "--initial-branch", branch)
    study(*bare, str(folder / "origin.git"))
    study("git", "remote", "set-url", "origin", str(folder / "origin.git"))
    study("git", "push", "--quiet", "--set-upstream", "origin", "HEAD")
    return study


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _descendants(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True).stdout
    parents = [tuple(map(int, line.split())) for line in listed.splitlines()]
    children = [child for child, parent in parents if parent == pid]
    return [*children, *(grandchild for child in children for grandchild in _descendants(child))]


class Server:
    """A server process; `stop` kills it and all that it has started."""

    def __init__(self, command: list[str], port: int, log: Path) -> None:
        self._command, self._port, self._log = command, port, log
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                # Bounded, should nobody be left to stop it.
                ["timeout", "600", *self._command],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
                return
            except OSError:
                assert self._process.poll() is None, self._log.read_text()
                time.sleep(0.1)
        raise AssertionError(f"no answer on port {self._port}")

    def stop(self) -> None:
        # OpenSSH gives each connection a session of its own: its processes are found by parent.
        for pid in (self._process.pid, *_descendants(self._process.pid)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.wait()


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Configure]]:
    """OpenSSH's server, and what points a study at it."""
    if SSHD is None:
        pytest.skip("sshd is not installed (Debian: openssh-server)")
    folder = tmp_path_factory.mktemp("ssh")
    for key in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)], check=True
        )
    port = _free_port()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd asks for it as root
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host'}\nPidFile none\n"
        f"AuthorizedKeysFile {folder / 'user.pub'}\nStrictModes no\nPermitRootLogin yes\n"
        "PasswordAuthentication no\nSubsystem sftp internal-sftp\n"
    )
    server = Server([SSHD, "-D", "-e", "-f", str(folder / "sshd_config")], port, folder / "log")

    def configure(study: Study) -> None:
        user = subprocess.run(["id", "-un"], capture_output=True, text=True).stdout.strip()
        url = f"ssh://{user}@127.0.0.1:{port}{folder / 'store'}"
        study("dvc", "remote", "modify", "home", "url", url)
        study("dvc", "remote", "modify", "--local", "home", "keyfile", str(folder / "user"))

    yield server, configure
    server.stop()


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Configure]]:
    """An S3 interface, and what points a study at it."""
    port = _free_port()
    log = tmp_path_factory.mktemp("s3") / "log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = Server(command, port, log)
    keys = {"access_key_id": "tester", "secret_access_key": "secret"}

    def configure(study: Study) -> None:
        import boto3

        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-east-1",
            aws_access_key_id=keys["access_key_id"],
            aws_secret_access_key=keys["secret_access_key"],
        )
        client.create_bucket(Bucket="studies")
        study("dvc", "remote", "modify", "home", "url", "s3://studies/sr")
        endpoint = f"http://127.0.0.1:{port}"
        study("dvc", "remote", "modify", "home", "endpointurl", endpoint)
        for key, value in keys.items():
            study("dvc", "remote", "modify", "--local", "home", key, value)

    yield server, configure
    server.stop()


@pytest.fixture(params=["ssh", "s3"])
def configure(request: pytest.FixtureRequest) -> Configure:
    """What points a study at a running server of either kind."""
    _, configure = request.getfixturevalue(request.param)
    return configure


@pytest.fixture
def work(study: Study, configure: Configure, tmp_path: Path) -> Study:
    """The study, pointed at the server."""
    work = study.copy(tmp_path / "work")
    configure(work)
    return work


def _colleague(study: Study, folder: Path, configure: Configure) -> Study:
    """A clone on another machine: another home, no cache of ours."""
    shared = folder / "elsewhere"
    (shared / "home").mkdir(parents=True)
    clone = Study(study.clone(folder / "clone").root, shared)
    configure(clone)
    return clone


def test_what_one_pushes_another_pulls(
    study: Study, work: Study, configure: Configure, tmp_path: Path
) -> None:
    work("dvc", "push")
    other = _colleague(study, tmp_path, configure)
    other("dvc", "pull")
    assert other.files("data/lr") == work.files("data/lr") != {}
    assert "up to date" in other("dvc", "repro").text


def test_run_cache_saves_another_the_work(
    study: Study, work: Study, configure: Configure, tmp_path: Path
) -> None:
    work("dvc", "push", "--run-cache")
    other = _colleague(study, tmp_path, configure)
    (other.root / "dvc.lock").unlink()
    other("dvc", "fetch", "--run-cache")
    run = other("dvc", "repro", "--pull")
    assert "Running stage" not in run.text and "is cached" in run.text, run.text
    assert other.files("data/lr") == work.files("data/lr")


def test_an_experiment_is_shared_with_its_data(
    study: Study, work: Study, configure: Configure, tmp_path: Path
) -> None:
    work.commit("remote")
    name = f"opencv-{uuid.uuid4().hex[:8]}"  # the other kind of remote has the same origin
    work("dvc", "exp", "run", "--name", name, "-S", "degradation=opencv")
    work("git", "push", "--quiet", "--force", "origin", "HEAD")
    work("dvc", "exp", "push", "origin", name)
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "home").mkdir(parents=True)
    other = Study(tmp_path / "clone", elsewhere)
    origin = work("git", "remote", "get-url", "origin").text.strip()
    work("git", "clone", "--quiet", origin, str(other.root))
    configure(other)
    other("dvc", "exp", "pull", "origin", name)
    other("dvc", "exp", "apply", name)
    assert other.params()["degradation"] == "opencv"
    assert other.files("data/lr") == work.files("data/lr") != study.files("data/lr")


def test_a_stranger_gets_what_git_holds_and_the_rest_after_a_push(
    study: Study, tmp_path: Path
) -> None:
    work = study.copy(tmp_path / "work")
    work("dvc", "remote", "modify", "home", "url", str(tmp_path / "store"))
    work.commit("remote")
    stranger = Study(tmp_path / "stranger", tmp_path / "elsewhere")
    for folder in (stranger.root, stranger.shared / "home"):
        folder.mkdir(parents=True)
    weights, model = script_with("docs/guide/experiments.md", "dvc get").splitlines()

    def get(command: str) -> Run:
        assert "https://example.org/sr-study.git" in command
        return stranger.try_(
            *("bash", "-euc"),
            command.replace("https://example.org/sr-study.git", work.root.as_uri()).replace(
                # These first stages train no model.
                "models/x2-plain.weights.h5",
                "data/params-checked",
            ),
        )

    assert get(weights).status == 0
    name = "weights/x2-plain.onnx"
    assert (stranger.root / "x2-plain.onnx").read_bytes() == (work.root / name).read_bytes()
    assert get(model).status != 0
    assert not (stranger.root / "params-checked").exists()
    work("dvc", "push")
    assert get(model).status == 0
    assert (stranger.root / "params-checked").is_file()


def test_push_to_a_server_that_dies_half_way_is_completed_by_the_next(
    study: Study, ssh: tuple[Server, Configure], tmp_path: Path
) -> None:
    server, configure = ssh
    work = study.copy(tmp_path / "work")
    # Enough files for the server to die among them.
    for number in range(400):
        (work.root / f"data/raw/sample/more-{number}.bin").write_bytes(os.urandom(20_000))
    work("dvc", "commit", "--force", "download@sample")
    configure(work)
    store = Path(work("dvc", "remote", "list").text.split()[1].partition("127.0.0.1:")[2])
    store = Path("/", *store.parts[1:])
    before = _count(store)
    push = work.start("dvc", "push", text=True)
    deadline = time.monotonic() + 100
    while _count(store) < before + 20 and time.monotonic() < deadline and push.poll() is None:
        time.sleep(0.01)
    server.stop()
    said, _ = push.communicate(timeout=200)
    assert push.returncode != 0 and "Traceback" not in said, said
    there = _count(store)
    assert before < there < before + 400, (before, there)
    server.start()
    work("dvc", "push")
    work.commit("more")
    other = _colleague(work, tmp_path, configure)
    other("dvc", "pull", "download@sample")
    assert other.files("data/raw/sample") == work.files("data/raw/sample")


def _count(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))
