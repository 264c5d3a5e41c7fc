"""Checkpoints of a training: after a kill at any moment, the same command goes on from the last.

They lie outside DVC's outputs, in .dvc/tmp of the repository (for an experiment in a temporary
folder: of the one it was started in), under a fingerprint of everything that the training
depends on. So another lambda, other data or other code never goes on from them.
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

SECONDS_BETWEEN = 15.0
KEPT = 2
OURS = ("srstudy", "stages", "__main__")

Arrays = dict[str, np.ndarray]


def fingerprint(values: Any, *data: Path) -> str:
    """A hash of values (as JSON), the contents of files, and all code of ours that is loaded."""
    whole = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    ours = [m for name, m in sorted(sys.modules.items()) if name.partition(".")[0] in OURS]
    code = [module.__file__ for module in ours if getattr(module, "__file__", None)]
    for path in (*data, *(Path(file) for file in code if file)):
        with path.open("rb") as content:  # piece by piece: a patch file may be larger than memory
            whole.update(hashlib.file_digest(content, "sha256").digest())
    return whole.hexdigest()[:32]


class Checkpoints:
    """The newest states of one training, each a file whose name holds the hash of its content."""

    def __init__(self, key: str, seconds: float = SECONDS_BETWEEN) -> None:
        root = Path(os.environ.get("DVC_ROOT", "."))
        self._folder = root / ".dvc/tmp/checkpoints" / key
        self._seconds = seconds
        self._saved = time.monotonic()

    def alone(self) -> AbstractContextManager[None]:
        """Refuse to train beside the same training of another folder, as of an experiment."""
        return locked(self._folder / "lock", "this training")

    def newest(self) -> Arrays | None:
        """The newest state that is whole; one that was cut off or changed is passed over."""
        for path in self._files():
            try:
                content = path.read_bytes()
            except OSError:
                continue  # as good as cut off
            if _name(path.name.partition("-")[0], content) == path.name:
                with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                    return dict(arrays)
        return None

    def due(self) -> bool:
        """Whether it is time to save again."""
        return time.monotonic() - self._saved >= self._seconds

    def save(self, step: int, arrays: Arrays) -> None:
        """Save the state after a step, and drop the oldest."""
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        content = buffer.getvalue()
        with whole_file(self._folder / _name(f"{step:08d}", content)) as partial:
            partial.write_bytes(content)
        for old in self._files()[KEPT:]:
            old.unlink(missing_ok=True)
        self._saved = time.monotonic()

    def clear(self) -> None:
        """The training is done, and its outputs are written."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*.npz"), reverse=True)


def _name(step: str, content: bytes) -> str:
    return f"{step}-{hashlib.sha256(content).hexdigest()[:32]}.npz"
