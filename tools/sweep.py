"""Many experiments, on one machine or several: every point of a grid, or random draws.

    python -m tools.sweep GRID.yaml [--part I/N] [--share | --cluster ADDRESS] [-o TABLE.csv]

GRID.yaml has keys of params.yaml with lists of values: docs/guide/experiments.md. Each point is a
DVC experiment of the current commit, named by its values; existing experiments are not run again.
If a point fails, it is named and the others continue. At the end, it writes a table and a chart.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from srstudy.common.errors import InputError
from srstudy.common.running import locked, run
from tools.experiments import read_from, run_experiment
from tools.sweep_cluster import CLONES, on_workers
from tools.sweep_metric import file_of
from tools.sweep_page import table, write
from tools.sweep_points import Point, Sweep, read_sweep

# The inputs of a result. DVC would also use uncommitted changes, which other clones do not have.
INPUTS = ("params.yaml", "dvc.yaml", "data", "srstudy", "stages", "weights")
REMOTE = "origin"


def main() -> None:
    """Check every point, run the missing points, write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("grid", type=Path, metavar="GRID.yaml")
    parser.add_argument("--part", default="1/1", metavar="I/N", help="every N-th, from the I-th")
    parser.add_argument(
        "--share", action="store_true", help=f"use the git remote {REMOTE} and the DVC remote"
    )
    parser.add_argument("--cluster", metavar="ADDRESS", help="a Dask scheduler; includes --share")
    parser.add_argument("--clones", default=CLONES, help="the workers' folder (%(default)s)")
    parser.add_argument("-o", "--output", type=Path, metavar="TABLE.csv", help="(GRID.csv)")
    arguments = parser.parse_args()
    sweep = read_sweep(arguments.grid)
    mine = part_of(sweep.points, arguments.part)
    output = arguments.output or arguments.grid.with_suffix(".csv")
    if output.suffix != ".csv" or output == arguments.grid:
        raise InputError(f"-o: found {output}; allowed: another name than the grid's, with .csv")
    shared = arguments.share or bool(arguments.cluster)
    _refuse_uncommitted()
    with locked(Path(".dvc/tmp/sweep.lock"), "a sweep in this clone"):
        if shared:
            _pull(mine)
        if arguments.cluster:
            failed = _on_cluster(arguments, sweep, mine)
        else:
            failed = _here(sweep, mine, shared)
        if shared:
            _pull(sweep.points)  # the results of other clones
    rows = table(sweep, scores(sweep), failed)
    chart = write(rows, sweep, output)
    print(rows.to_string(index=False, na_rep="-"))
    print(f"{output}" + (f", {chart}" if chart else ""))
    if failed:
        raise InputError(f"{len(failed)} of {len(mine)} points failed: {', '.join(failed)}")


def part_of(points: Sequence[Point], part: str) -> list[Point]:
    """Every N-th point from the I-th; part: "I/N"."""
    number, _, count = part.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise InputError(f"--part: found {part!r}; allowed: I/N, whole numbers with 1 <= I <= N")
    return list(points[int(number) - 1 :: int(count)])


def scores(sweep: Sweep) -> dict[str, float | None]:
    """The metric of each point whose experiment is here; None if it has no finite score."""
    here = _names()
    found: dict[str, float | None] = {}
    for point in sweep.points:
        if point.name in here:
            value = json.loads(read_from(point.name, file_of(sweep.metric)))
            for key in sweep.metric.split("."):
                value = value.get(key, {})
            found[point.name] = value if isinstance(value, int | float) else None
    return found


def _here(sweep: Sweep, points: Sequence[Point], shared: bool) -> list[str]:
    """Run the points in this clone, one after the other; return the names of failed points."""
    failed = []
    for number, point in enumerate(points, 1):
        print(f"{point.name}: {number} of {len(points)}", flush=True)
        try:
            # Checked before each point: another clone may have run it in the meantime.
            there = _pull([point]) if shared else []
            # With --pull, data and models on the DVC remote are not made again.
            options = ["--pull"] if shared else []
            run_experiment(point.name, point.settings, sweep.targets, options=options)
            if shared and point.name not in there:
                _dvc("exp", "push", "--quiet", REMOTE, point.name)
        except InputError as error:
            print(f"error: {error}", file=sys.stderr, flush=True)
            failed.append(point.name)
    return failed


def _on_cluster(arguments: argparse.Namespace, sweep: Sweep, points: Sequence[Point]) -> list[str]:
    """Give each point that is not shared yet to a worker; return the names of failed points."""
    _dvc("fetch", "--quiet", REMOTE, program="git")
    holders = ("for-each-ref", "--contains", "HEAD", f"refs/remotes/{REMOTE}")
    if not _dvc(*holders, program="git"):
        raise InputError(f"--cluster: the git remote {REMOTE} lacks this commit; run: git push")
    there, here = _names(REMOTE), _names()
    for name in (point.name for point in points):
        if name in here and name not in there:
            _dvc("exp", "push", "--quiet", REMOTE, name)
    order = {
        "url": _dvc("remote", "get-url", REMOTE, program="git").strip(),
        "commit": _dvc("rev-parse", "HEAD", program="git").strip(),
        "who": {f"user.{key}": _who(key) for key in ("name", "email")},
        "clones": arguments.clones,
        "grid": arguments.grid.read_text("utf-8"),
    }
    every = [point.name for point in sweep.points]
    orders = {
        name: {**order, "name": name, "part": f"{every.index(name) + 1}/{len(every)}"}
        for name in (point.name for point in points)
        if name not in there and name not in here
    }
    failed = []

    def done(name: str, fault: str) -> None:
        if fault:
            failed.append(name)
            print(f"error: {name}: {fault}", file=sys.stderr, flush=True)
        else:
            print(f"{name}: done", flush=True)

    on_workers(arguments.cluster, orders, done)
    return failed


def _who(key: str) -> str:
    """The name or e-mail address of git's user."""
    name, _, rest = _dvc("var", "GIT_AUTHOR_IDENT", program="git").partition(" <")
    return name if key == "name" else rest.partition(">")[0]


def _names(*remote: str) -> list[str]:
    """The names of the experiments of the current commit, here or on a git remote."""
    head = _dvc("rev-parse", "HEAD", program="git").strip()
    place = f"refs/exps/{head[:2]}/{head[2:]}/"
    if remote:
        listed = _dvc("ls-remote", *remote, f"{place}*", program="git")
    else:
        listed = _dvc("for-each-ref", "--format=%(objectname)\t%(refname)", place, program="git")
    return [line.partition(place)[2] for line in listed.splitlines()]


def _pull(points: Sequence[Point]) -> list[str]:
    """Pull the points that are on the git remote but not here, without their data.

    Returns the names of the experiments of the current commit on the remote.
    """
    there = _names(REMOTE)
    missing = {point.name for point in points} & {*there} - {*_names()}
    if missing:
        _dvc("exp", "pull", "--quiet", "--no-cache", REMOTE, *sorted(missing))
    return there


def _refuse_uncommitted() -> None:
    changed = _dvc("status", "--porcelain", "--", *INPUTS, program="git").splitlines()
    if changed:
        files = ", ".join(line[3:] for line in changed)
        raise InputError(
            f"{files}: changed after the commit of the experiments; commit the change first"
        )


def _dvc(*words: str, program: str = "dvc") -> str:
    """The output of a command of DVC or git; if it fails, `InputError` has its last line."""
    ended = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    if ended.returncode:
        said = ended.stderr.strip().splitlines() or ["no message"]
        raise InputError(f"{program} {words[0]} {words[1]}: failed: {said[-1]}")
    return ended.stdout


if __name__ == "__main__":
    run(main)
