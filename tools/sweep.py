"""Many experiments, on one machine or several: every point of a grid, or random draws.

    python -m tools.sweep GRID.yaml [--part I/N] [--share | --cluster ADDRESS]

GRID.yaml has keys of params.yaml with lists of values: docs/guide/experiments.md. Each point is a
DVC experiment of the current commit, named by its values; existing experiments are not run again.
If a point fails, it is named and the others continue. At the end, the results of all points are
written to GRID.csv and drawn in GRID.svg.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from srstudy.common.errors import InputError
from srstudy.common.files import whole_file
from srstudy.common.running import locked, run
from tools.commands import output
from tools.experiments import experiments, read_from, run_experiment
from tools.sweep_cluster import on_workers
from tools.sweep_points import Point, plain, read_sweep

# The inputs of a result. DVC would also use uncommitted changes, which other clones do not have.
INPUTS = ("params.yaml", "dvc.yaml", "data", "srstudy", "stages", "weights")
REMOTE = "origin"
SPREAD = 30  # an axis is logarithmic if largest / smallest value is at least this


def main() -> None:
    """Check every point, run the missing points, write the table and the chart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("grid", type=Path, metavar="GRID.yaml")
    parser.add_argument("--part", default="1/1", metavar="I/N", help="every N-th, from the I-th")
    parser.add_argument(
        "--share", action="store_true", help=f"use the git remote {REMOTE} and the DVC remote"
    )
    parser.add_argument("--cluster", metavar="ADDRESS", help="a Dask scheduler; includes --share")
    arguments = parser.parse_args()
    every = read_sweep(arguments.grid)
    points = part_of(every, arguments.part)
    if changed := output("git", "status", "--porcelain", "--", *INPUTS).splitlines():
        files = ", ".join(line[3:] for line in changed)
        raise InputError(f"{files}: changed after the commit of the experiments; commit it first")
    shared = arguments.share or arguments.cluster is not None
    if shared:
        experiments(REMOTE)  # refused before any work if the remote cannot be reached
    with locked(Path(".dvc/tmp/sweep.lock"), "a sweep in this clone"):
        if arguments.cluster is not None:
            failed = _on_cluster(arguments.cluster, arguments.grid, every, points)
        else:
            failed = _run(points, shared)
        fault = _pull_fault() if shared else ""
    rows = table(every)
    with whole_file(arguments.grid.with_suffix(".csv")) as partial:
        rows.to_csv(partial, index=False)
    with whole_file(arguments.grid.with_suffix(".svg")) as partial:
        draw(rows, every, partial)
    print(rows.to_string(index=False, na_rep="-"), flush=True)
    if failed:
        raise InputError(f"{len(failed)} of {len(points)} points failed: {', '.join(failed)}")
    if fault:
        raise InputError(f"results of other clones are missing: {fault}")


def _pull_fault() -> str:
    """Bring the results of other clones here, without their data; if that fails, return why.

    The table still comes, without them.
    """
    try:
        output("dvc", "exp", "pull", "--quiet", "--no-cache", "--rev", "HEAD", REMOTE)
    except InputError as error:
        return str(error)
    return ""


def part_of(points: Sequence[Point], part: str) -> list[Point]:
    """Every N-th point from the I-th; part: "I/N"."""
    number, _, count = part.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise InputError(f"--part: found {part!r}; allowed: I/N, whole numbers with 1 <= I <= N")
    return list(points[int(number) - 1 :: int(count)])


def _run(points: Sequence[Point], shared: bool) -> list[str]:
    """Run the points in this clone, one after the other; return the names of failed points."""
    failed = []
    # With --pull, data and models on the DVC remote are not made again.
    options = ["--pull"] if shared else []
    for number, point in enumerate(points, 1):
        print(f"{point.name}: {number} of {len(points)}", flush=True)
        try:
            # Checked before each point: another clone may have run it in the meantime.
            if shared and point.name in experiments(REMOTE):
                print(f"{point.name}: exists already")
                continue
            run_experiment(point.name, point.settings, [point.stage], options=options)
            if shared:
                output("dvc", "exp", "push", "--quiet", REMOTE, point.name)
        except InputError as error:
            print(f"error: {error}", file=sys.stderr, flush=True)
            failed.append(point.name)
    return failed


def _on_cluster(
    address: str, grid: Path, every: Sequence[Point], points: Sequence[Point]
) -> list[str]:
    """Run the missing points on the workers; return the names of failed points."""
    here, there = experiments(), experiments(REMOTE)
    failed = _run([point for point in points if point.name in here], shared=True)  # shares them
    away = [point for point in points if point.name not in [*here, *there]]
    parts = {point.name: f"{every.index(point) + 1}/{len(every)}" for point in away}
    return failed + on_workers(address, REMOTE, grid.read_text("utf-8"), parts)


def table(points: Sequence[Point]) -> pd.DataFrame:
    """A row for each point: the experiment, its values, the metric; empty if there is none yet."""
    here, rows = experiments(), []
    for point in points:
        found = json.loads(read_from(point.name, point.file)) if point.name in here else {}
        for key in point.metric.split("."):
            found = found.get(key, {})
        values = {key: plain(value) for key, value in point.values.items()}
        score = None if found == {} else found
        rows.append({"experiment": point.name, **values, point.metric: score})
    return pd.DataFrame(rows).astype({points[0].metric: float})


def draw(rows: pd.DataFrame, points: Sequence[Point], path: Path) -> None:
    """The metric over each key as SVG, with a dot for each point that has a result."""
    keys, metric = list(points[0].values), points[0].metric
    figure = Figure(figsize=(4.2 * len(keys), 3.6), layout="constrained")
    figure.supylabel(metric)
    all_axes = figure.subplots(1, len(keys), sharey=True, squeeze=False)[0]
    for key, axes in zip(keys, all_axes, strict=True):
        values = [point.values[key] for point in points]
        numbers = all(type(value) in (int, float) for value in values)
        axes.plot(values if numbers else rows[key], rows[metric], "o")
        axes.set_xlabel(key)
        if numbers and 0 < SPREAD * min(values) <= max(values):
            axes.set_xscale("log")
    # Letters stay text, and the same results give the same bytes.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "sweep"}):
        figure.savefig(path, format="svg", metadata={"Date": None})


if __name__ == "__main__":
    run(main)
