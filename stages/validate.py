"""Stage `validate`: refuse every wrong value of params.yaml before any work.

    python -m stages.validate

Its output never changes, so that a changed parameter reruns this check, and of the stages after
it only those that read the parameter.
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
    """Check, then leave the mark that the download stages depend on."""
    try:
        read_study()
    except InputError:
        _make_seen_by_git(PARAMS_FILE)
        raise
    with whole_file(OUTPUT) as partial:
        partial.write_text("params.yaml was checked\n", encoding="utf-8")
    print("params.yaml: every value is allowed")


def _make_seen_by_git(path: Path) -> None:
    """Set the file's time to another second.

    Git knows a change by size and time, in whole seconds where DVC wrote its index. DVC checks the
    file out and puts the value of -S into it within one, so that a refused value of equal length
    would be invisible to `git status`, and `git restore` would leave it.
    """
    if path.is_file():
        found = path.stat()
        os.utime(path, (found.st_atime, found.st_mtime + 2))


if __name__ == "__main__":
    run(main)
