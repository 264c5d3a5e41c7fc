"""What is to be said of a file or folder that params.yaml names and that is not there."""

from pathlib import Path


def absence(path: str, kind: str) -> str:
    """How the line goes on after what was found; kind: a file, or a folder."""
    # Where `dvc exp run --temp` and the queue run. They copy what git tracks, and no more.
    copied = ".dvc/tmp/exps" in Path.cwd().as_posix()
    if copied and not Path(path).is_absolute():
        return (
            ", which is not in this temporary copy of the project: DVC copies what git tracks; "
            f"allowed: an absolute path, or {kind} in git"
        )
    return f"; allowed: {kind} that exists"
