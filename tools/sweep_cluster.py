"""Points of a sweep on the workers of a Dask cluster, each in its own clone of the study."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from srstudy.common.errors import InputError
from srstudy.datasets.scheduler import connected
from tools.commands import output

HOW = "start workers: dask worker ADDRESS --nthreads 1"
LINES = 30  # of the output of a point that failed
# What a worker runs, with the git remote, the commit, the text of the sweep's file, and a part. It
# works in the first clone that no other worker holds, and holds it by file 9 until it ends. All
# clones of a machine have one DVC cache. If git has a lock in the clone, a kill left it.
WORK = """
exec 2>&1
folder=~/.cache/sr-study/clones/$HOSTNAME/${1//[^[:alnum:]]/-}
mkdir -p "$folder"
cd "$folder"
for n in {1..99}; do exec 9>$n.lock; flock -n 9 && break; done
flock -n 9
[ -d $n ] || { rm -rf new-$n; git clone -q --no-checkout "$1" new-$n; mv new-$n $n; }
cd $n
rm -f .git/*.lock
git fetch -q origin
git checkout -qf --detach "$2"
# DVC commits each experiment.
[ "$(git config user.email)" ] ||
    export GIT_{AUTHOR,COMMITTER}_NAME=sr-study GIT_{AUTHOR,COMMITTER}_EMAIL=sr-study@localhost
[ -f .dvc/config.local ] || dvc config --local cache.dir "$folder/cache"
echo "$3" > ../$n.yaml
exec python -m tools.sweep ../$n.yaml --part "$4" --share
"""


def on_workers(address: str, remote: str, grid: str, parts: Mapping[str, str]) -> list[str]:
    """Run points on the workers, which share them; return the names of the failed points.

    grid: the text of the sweep's file; parts: I/N of each point, by its name. If a worker is
    killed, Dask gives its point to another one. `InputError` as from `connected`, or if the git
    remote lacks the current commit.
    """
    url = output("git", "remote", "get-url", remote).strip()
    commit = output("git", "rev-parse", "HEAD").strip()
    if not output("git", "branch", "--remotes", "--contains", commit, "--list", f"{remote}/*"):
        raise InputError(f"--cluster: the git remote {remote} lacks this commit; run: git push")

    def work(*words: str) -> str:
        """On a worker, which may not have this module: return the end of the output after a fault.

        Dask sends the code of a function that is inside another one.
        """
        prctl = getattr(ctypes.CDLL(None), "prctl", lambda *_: 0)  # only Linux has it
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # with the worker's Python
        ended = subprocess.run(
            ["bash", "-euc", WORK, "sweep", *words],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            env=os.environ | {"PATH": path},
            preexec_fn=lambda: prctl(1, signal.SIGKILL),  # PR_SET_PDEATHSIG: ends with the worker
        )
        lines = ended.stdout.splitlines()[-LINES:]
        return "\n".join([*lines, f"exit status {ended.returncode}"]) if ended.returncode else ""

    failed = []
    with connected(address, "--cluster", HOW) as client:
        from distributed import as_completed

        workers = len(client.scheduler_info(n_workers=-1)["workers"])
        print(f"{address}: {len(parts)} points, {workers} workers", flush=True)
        futures = {
            client.submit(work, url, commit, grid, part, pure=False): name
            for name, part in parts.items()
        }
        for future in as_completed(futures):
            # Otherwise all workers of the point were killed, or the scheduler ended.
            good = future.status == "finished"
            fault = future.result() if good else f"Dask gave up: {future.status}"
            name = futures[future]
            print(f"error: {name}: {fault}" if fault else f"{name}: done", flush=True)
            failed += [name] if fault else []
    return failed
