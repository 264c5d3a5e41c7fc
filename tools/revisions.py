"""Files of the workspace, or of a commit, a branch, a tag or a DVC experiment in git."""

import subprocess
from pathlib import Path

from srstudy.common.errors import InputError


def commit_of(revision: str) -> str:
    """The SHA of a git revision or of a DVC experiment's name; else `InputError`.

    If experiments of several commits have the same name, that of the current commit is used.
    """
    head = _git("rev-parse", "HEAD") or ""
    listed = _git("for-each-ref", "--format=%(refname)", "refs/exps") or ""
    # refs/exps/<2 digits of a commit>/<the other 38>/<name>
    named = [name for name in listed.splitlines() if name.split("/")[4:] == [revision]]
    mine = [name for name in named if name.startswith(f"refs/exps/{head[:2]}/{head[2:]}/")]
    for name in (revision, *(mine or named[:1])):
        found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if found and (name == revision or mine or len(named) == 1):
            return found
    if named:
        raise InputError(
            f"{revision}: found {len(named)} experiments of that name, none of the current commit; "
            "allowed: the SHA of one of them (`dvc exp list --all-commits`)"
        )
    raise InputError(f"{revision}: git knows no such commit, branch, tag or experiment")


def text_at(commit: str | None, path: str) -> str | None:
    """The text of a file, in the workspace (commit None) or in a commit; None if it is missing."""
    if commit is None:
        return Path(path).read_text("utf-8") if Path(path).is_file() else None
    return _git("show", f"{commit}:{path}", strip=False)


def _git(*arguments: str, strip: bool = True) -> str | None:
    ended = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    if ended.returncode:
        return None
    return ended.stdout.strip() if strip else ended.stdout
