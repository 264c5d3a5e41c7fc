"""Checkpoints of a training: after a kill at any time, the same command resumes from the last one.

They are not outputs of DVC. They lie in .dvc/tmp of the repository; an experiment in a temporary
folder uses the repository where it was started. A fingerprint of everything that the training
depends on names their folder. So a training with another lambda, other data or other code never
uses them.
"""

import hashlib
import io
import json
import os
import shutil
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from srstudy.common.files import whole_file
from srstudy.common.running import locked

SECONDS_BETWEEN = 15.0  # two saved states: a kill loses about this much work
KEPT = 2  # states: if the newest is damaged (power failure), the one before is used
OURS = ("srstudy", "stages", "__main__")  # the first part of the names of this project's modules

Arrays = dict[str, np.ndarray]


def fingerprint(values: Any, *data: Path) -> str:
    """A hash of values (as JSON), of files' contents, and of all loaded code of this project."""
    whole = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    ours = [m for name, m in sorted(sys.modules.items()) if name.partition(".")[0] in OURS]
    code = [module.__file__ for module in ours if getattr(module, "__file__", None)]
    for path in (*data, *(Path(file) for file in code if file)):
        with path.open("rb") as content:  # in pieces: a patch file may be larger than memory
            whole.update(hashlib.file_digest(content, "sha256").digest())
    return whole.hexdigest()[:32]


class Checkpoints:
    """The newest states of one training. Each is a file; its name has the hash of its content."""

    def __init__(self, key: str, seconds: float = SECONDS_BETWEEN) -> None:
        root = Path(os.environ.get("DVC_ROOT", "."))
        self._folder = root / ".dvc/tmp/checkpoints" / key
        self._seconds = seconds
        self._saved = time.monotonic()

    def alone(self) -> AbstractContextManager[None]:
        """Refuse to run while the same training runs in another folder, such as an experiment's."""
        return locked(self._folder / "lock", "this training")

    def newest(self) -> Arrays | None:
        """The newest complete state; truncated or changed files are ignored."""
        for path in self._files():
            try:
                content = path.read_bytes()
            except OSError:
                continue  # treated like a truncated file
            if _name(path.name.partition("-")[0], content) == path.name:
                with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                    return dict(arrays)
        return None

    def due(self) -> bool:
        """Whether it is time to save the next state."""
        return time.monotonic() - self._saved >= self._seconds

    def save(self, step: int, arrays: Arrays) -> None:
        """Save the state after a step; delete all but the newest KEPT states.

        The step's digits in the name are padded, so that names sort by step.
        """
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        content = buffer.getvalue()
        with whole_file(self._folder / _name(f"{step:012d}", content)) as partial:
            partial.write_bytes(content)
        for old in self._files()[KEPT:]:
            old.unlink(missing_ok=True)
        self._saved = time.monotonic()

    def clear(self) -> None:
        """Delete all states. Call this when the training's outputs are written."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*.npz"), reverse=True)


def _name(step: str, content: bytes) -> str:
    return f"{step}-{hashlib.sha256(content).hexdigest()[:32]}.npz"
