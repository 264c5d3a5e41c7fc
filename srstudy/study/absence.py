"""The error message for a missing file or folder that params.yaml names."""

from pathlib import Path


def absence(path: str, kind: str) -> str:
    """The rest of the error line, after what was found; kind: "a file" or "a folder"."""
    # `dvc exp run --temp` and the queue run in a copy of the project with only git's files.
    copied = ".dvc/tmp/exps" in Path.cwd().as_posix()
    if copied and not Path(path).is_absolute():
        return (
            ", which is not in this temporary copy of the project: DVC copies what git tracks; "
            f"allowed: an absolute path, or {kind} in git"
        )
    return f"; allowed: {kind} that exists"
