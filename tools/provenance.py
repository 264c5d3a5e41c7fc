"""Check whether the scores of a revision belong to its params, from dvc.yaml and dvc.lock.

params.yaml may be edited without a run; an experiment may not include `summarize`; a run may be
interrupted. Then metrics/summary.json belongs to other params than those in params.yaml.
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
# The output of `validate`, which reads every param and always writes the same bytes.
CHECKED = "data/params-checked"


def stale(revisions: Iterable[str]) -> set[str]:
    """The revisions whose SUMMARY was not made from their own params.yaml.

    revisions: git SHAs, or "workspace" for the files in the workspace. For SUMMARY and everything
    that it was made from, dvc.lock must record the command and params of dvc.yaml and params.yaml,
    and each input must be equal to the output of its stage. This takes about a second for each
    revision. It does not detect changes of code or images that were not run.
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
        return False  # a revision that cannot be read counts as stale


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
        # A folder with the outputs of several stages.
        tree = Tree()
        for name, out in below.items():
            tree.add(tuple(name.removeprefix(f"{path}/").split("/")), None, out.hash_info)
        tree.digest()
        return dep.hash_info == tree.hash_info and all(made(out.stage) for out in below.values())

    summary = outputs.get(SUMMARY)
    return summary is not None and not summary.status() and made(summary.stage)
