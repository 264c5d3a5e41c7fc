"""Whether the scores of a revision are those of its own params, told from dvc.yaml and dvc.lock.

params.yaml may be edited and nothing run; an experiment may leave `summarize` out; a run may end
half-way. metrics/summary.json is then of other params than those beside it.
"""

from collections.abc import Iterable
from functools import cache

from dvc.dependency import ParamsDependency
from dvc.exceptions import DvcException
from dvc.output import Output
from dvc.repo import Repo
from dvc.stage import Stage
from dvc_data.hashfile.tree import Tree

from srstudy.common.progress import progress

SUMMARY = "metrics/summary.json"
# Of `validate`, which reads every param and always writes the same.
CHECKED = "data/params-checked"


def stale(revisions: Iterable[str]) -> set[str]:
    """Those of the revisions whose SUMMARY was not made from the params.yaml beside it.

    revisions: git SHAs, and "workspace" for the files as they lie there. For SUMMARY and all that
    it was made from, dvc.lock must record the command and params that dvc.yaml and params.yaml
    ask for, and each input as the output of the stage that makes it. It takes about a second for
    each revision. What it cannot see: code or images that changed and were not run again.
    """
    asked = list(dict.fromkeys(revisions))
    with Repo() as repo:
        return {
            revision
            for revision in progress(asked, "checking the scores", len(asked), "row")
            if not _is_own(repo, revision)
        }


def _is_own(repo: Repo, revision: str) -> bool:
    try:
        with repo.switch(revision):
            return _made_from_params(repo)
    except DvcException:
        return False  # nothing is known of what cannot be read


def _made_from_params(repo: Repo) -> bool:
    outputs = {repo.fs.relpath(out.fs_path, repo.root_dir): out for out in repo.index.outs}

    @cache
    def made(stage: Stage) -> bool:
        return not stage.cmd_changed and all(map(fits, stage.deps))

    def fits(dep: Output) -> bool:
        if isinstance(dep, ParamsDependency):
            return not dep.status()
        if not dep.hash_info:
            return False  # dvc.lock does not name it
        path = repo.fs.relpath(dep.fs_path, repo.root_dir)
        if path in outputs:
            out = outputs[path]
            return dep.hash_info == out.hash_info and (path == CHECKED or made(out.stage))
        below = {p: out for p, out in outputs.items() if p.startswith(f"{path}/")}
        if not below:
            return True  # code, or images from outside
        # A folder of the outputs of several stages.
        tree = Tree()
        for name, out in below.items():
            tree.add(tuple(name.removeprefix(f"{path}/").split("/")), None, out.hash_info)
        tree.digest()
        return dep.hash_info == tree.hash_info and all(made(out.stage) for out in below.values())

    summary = outputs.get(SUMMARY)
    return summary is not None and not summary.status() and made(summary.stage)
