"""A tiny study in a folder of its own: this project's code, small parameters, real DVC runs."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from srstudy.common.scales import SCALES
from srstudy.common.yaml_file import load_yaml
from srstudy.training.settings import FRESH

ROOT = Path(__file__).resolve().parent.parent
TARGETS = ("compare", "report")


def every_scale(value: object) -> dict[str, object]:
    """One value at every scale, as params.yaml has it."""
    return {f"x{scale}": value for scale in SCALES}


SMALL = {
    "datasets": ["sample", "sample-test"],
    "own_images": {},
    "train_set": "sample",
    "test_sets": ["sample-test"],
    "downscaled_copies": [],
    "scales": [2, 4],
    "cascade_scales": [4],
    "lambda": 0.001,
    "start_from": FRESH,
    "pretrain_epochs": 1,
    "pretrain_steps": None,
    "epochs": every_scale(1),
    "steps": every_scale(None),
    "batch_size": every_scale(16),
    "patch_size": every_scale(96),
    "stride": every_scale(96),
    "network": "edsr",
}
# What a caller's environment may hold that must not reach the runs: a hook's GIT_DIR, make's
# flags, the DVC_ROOT of a stage, a mirror, a cluster.
FOREIGN = (
    *("GIT_", "DVC_", "MAKE", "MFLAGS", "SR_MIRROR", "SR_CLUSTER", "TF_CONFIG", "COLUMNS"),
    "PYTHONPATH",
)


@dataclass(frozen=True)
class Run:
    """A command that ended: its status, and what it said on both streams."""

    status: int
    text: str

    @property
    def stages(self) -> set[str]:
        """The stages that DVC did again: run, or brought back from its run-cache."""
        return set(re.findall(r"Running stage '([^']+)'", self.text)) | set(
            re.findall(r"Stage '([^']+)' is cached", self.text)
        )


@dataclass(frozen=True)
class Study:
    """A clone of the project; `shared` holds the home, DVC's cache and its site folder."""

    root: Path
    shared: Path

    @classmethod
    def of_working_tree(cls, root: Path, shared: Path) -> "Study":
        """The code as it lies in front of us, committed or not, with small parameters."""
        (shared / "home").mkdir(parents=True)
        study = cls(root, shared)
        clone = ["git", "clone", "--quiet", str(ROOT), str(root)]
        subprocess.run(clone, check=True, env=study.environment())
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        study("git", "rm", "-rq", ".")
        for name in filter(None, names.split("\0")):
            source, target = ROOT / name, root / name
            # The real study's results stay behind: the tiny one makes its own.
            if source.is_file() and name != "dvc.lock" and not name.startswith("metrics/"):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        study.set(**SMALL)
        sizes, mnist = study.params()["network_size"], study.params()["mnist"]
        study.set(network_size={**sizes, "edsr": TINY_EDSR}, mnist={**mnist, "seeds": []})
        study.share_cache()
        study.commit("tiny")
        return study

    @classmethod
    def finished(
        cls, factory: pytest.TempPathFactory, targets: Sequence[str] = TARGETS, **settings: Any
    ) -> "Study":
        """A study with these settings, run once and committed: tests change copies of it."""
        folder = factory.mktemp("tiny")
        study = cls.of_working_tree(folder / "study", folder / "shared")
        study.set(**settings)
        study.repro(*targets)
        study.commit("results")
        return study

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
        who = {f"GIT_{role}_NAME": "Tester" for role in ("AUTHOR", "COMMITTER")}
        mail = {f"GIT_{role}_EMAIL": "tester@localhost" for role in ("AUTHOR", "COMMITTER")}
        return {
            **kept,
            **who,
            **mail,
            "HOME": str(self.shared / "home"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DVC_SITE_CACHE_DIR": str(self.shared / "site"),
            "DVC_NO_ANALYTICS": "1",
            "COLUMNS": "120",
        }

    def try_(self, *command: str) -> Run:
        """A command in the study's folder, whatever its status."""
        with self.start(*command, text=True) as process:
            try:
                # The first run of all, on a slow machine with other tests beside it.
                said, _ = process.communicate(timeout=560)
            except BaseException:
                process.kill()
                raise
        return Run(process.returncode, said)

    def start(self, *command: str, **more: Any) -> "subprocess.Popen[Any]":
        """A command in the study's folder, not waited for; what it says on both streams is one."""
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        where = {"cwd": self.root, "env": self.environment(), "stdin": subprocess.DEVNULL}
        return subprocess.Popen(command, **{**where, **streams, **more})  # type: ignore[call-overload]

    def __call__(self, *command: str) -> Run:
        """A command that has to end well."""
        run = self.try_(*command)
        assert run.status == 0, f"{' '.join(command)}: status {run.status}\n{run.text}"
        return run

    def repro(self, *targets: str) -> Run:
        return self("dvc", "repro", *(targets or TARGETS))

    def experiment(self, *arguments: str) -> Run:
        return self("dvc", "exp", "run", *arguments)

    def start_queue(self, workers: int = 1) -> None:
        """Start DVC's workers. They keep what they say on, so that there is no end to read to."""
        command = ("dvc", "queue", "start", "--jobs", str(workers))
        assert self.start(*command, stdout=subprocess.DEVNULL).wait(timeout=120) == 0

    def wait_for_queue(self, seconds: float = 400) -> str:
        """What `dvc queue status` says when all tasks have ended."""
        end = time.monotonic() + seconds
        while True:
            status = self("dvc", "queue", "status").text
            if "Queued" not in status and "Running" not in status:
                return status
            assert time.monotonic() < end, status
            time.sleep(1)

    def end_queue(self) -> None:
        """Stop DVC's workers, and every process that works in the study: stages outlive a kill."""
        self.try_("dvc", "queue", "stop", "--kill")
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                inside = (entry / "cwd").readlink().is_relative_to(self.root)
                if inside and int(entry.name) != os.getpid():
                    os.kill(int(entry.name), signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue  # it has ended, or is not ours

    def copy(self, root: Path) -> "Study":
        """The same state in another folder; the cache stays shared, so that this costs little."""
        shutil.copytree(self.root, root, symlinks=True)
        return Study(root, self.shared)

    def clone(self, root: Path) -> "Study":
        """What a stranger gets: the commit, and nothing of DVC's."""
        self("git", "clone", "--quiet", str(self.root), str(root))
        return Study(root, self.shared)

    def share_cache(self) -> None:
        self("dvc", "config", "--local", "cache.dir", str(self.shared / "cache"))

    def commit(self, message: str) -> None:
        self("git", "add", "-A")
        self("git", "commit", "--quiet", "-m", message)

    def params(self) -> dict[str, Any]:
        return load_yaml(self.root / "params.yaml")

    def set(self, **values: Any) -> None:
        """Edit params.yaml, as by hand."""
        text = yaml.safe_dump({**self.params(), **values}, sort_keys=False)
        (self.root / "params.yaml").write_text(text)

    def summary(self) -> dict[str, Any]:
        return json.loads((self.root / "metrics/summary.json").read_text())

    def files(self, *folders: str) -> dict[str, str]:
        """Every file below the folders, with a hash of its bytes."""
        return {
            str(path.relative_to(self.root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for folder in folders
            for path in sorted((self.root / folder).rglob("*"))
            if path.is_file()
        }


def read_until(process: "subprocess.Popen[bytes]", words: bytes) -> bytes:
    """Read what a started command says until it says these words; all that it said so far."""
    assert process.stdout is not None
    said = b""
    while words not in said:
        piece = os.read(process.stdout.fileno(), 1 << 16)
        assert piece, said.decode()
        said += piece
    return said


TINY_EDSR = {"channels": 8, "blocks": 1, "equivariant": False}
