"""Stage `validate`: check every value of params.yaml before any other work.

    python -m stages.validate

Its output never changes. So a changed parameter reruns this check, and after it only the stages
that read the parameter.
"""

import os
from pathlib import Path

from srstudy.common.errors import InputError
from srstudy.common.files import whole_file
from srstudy.common.params import PARAMS_FILE
from srstudy.common.running import run
from srstudy.study.settings import read_study

OUTPUT = Path("data/params-checked")


def main() -> None:
    """Check, then write the file on which the download stages depend."""
    try:
        read_study()
    except InputError:
        _make_seen_by_git(PARAMS_FILE)
        raise
    with whole_file(OUTPUT) as partial:
        partial.write_text("params.yaml was checked\n", encoding="utf-8")
    print("params.yaml: every value is allowed")


def _make_seen_by_git(path: Path) -> None:
    """Set the file's modification time to another second.

    Git detects a change by size and time, in whole seconds if DVC wrote the index. DVC checks out
    the file and writes the value of -S into it within one second. So `git status` would not show
    a refused value of equal length, and `git restore` would not undo it.
    """
    if path.is_file():
        found = path.stat()
        os.utime(path, (found.st_atime, found.st_mtime + 2))


if __name__ == "__main__":
    run(main)
