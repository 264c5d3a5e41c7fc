"""The experiments side by side: their differences, and one metric on the first test set.

    python -m tools.compare [--metric ssim]

Or `make compare METRIC=ssim`. It shows a part of `dvc exp show` in few columns: the scores and
params that differ between rows. Cascades are left out.

A row shows only its own scores. For a run that did not succeed, DVC has the scores of the workspace
from which it was queued; here its row shows its state instead (for DVC, a killed `--temp` run is
still running). A row is stale if its params were changed and nothing was run after that, or if its
run did not include `summarize`: see tools/provenance.py.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from srstudy.common.errors import InputError
from srstudy.common.params import read
from srstudy.common.running import run
from srstudy.scoring.metrics import METRICS, first_metric
from srstudy.scoring.settings import SummarySettings
from tools import provenance
from tools.provenance import SUMMARY

WIDTH = 120  # characters; a wider table is continued in a second table
GAP = "  "
MISSING = "-"
STALE = "stale"
LEGEND = (
    f"{STALE}: dvc.lock does not record scores of these params; `dvc repro summarize` makes them"
)

Row = dict[str, str]  # column to cell


def main() -> None:
    """Ask DVC for the experiments of the current commit; print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--metric", default=first_metric())
    metric = parser.parse_args().metric
    if metric not in METRICS:
        raise InputError(f"METRIC: found {metric!r}; allowed: {', '.join(METRICS)}")
    test_set = read(SummarySettings).test_sets[0]
    commits = _experiments()
    print(compared(commits, metric, test_set, provenance.stale(scored(commits))))


def _experiments() -> list[dict[str, Any]]:
    """The content of `dvc exp show`; if that fails twice, its error ends this command too."""
    command = ["dvc", "exp", "show", "--json"]
    for _ in range(2):
        shown = subprocess.run(command, capture_output=True, text=True, check=False)
        if not shown.returncode:
            return json.loads(shown.stdout)
        # A run that ends removes its folder, perhaps while DVC reads it.
    print(shown.stderr, end="", file=sys.stderr)
    sys.exit(shown.returncode)


def scored(commits: Sequence[dict[str, Any]]) -> list[str]:
    """The revisions of `dvc exp show --json` that have scores and ended successfully."""
    return [
        state["rev"]
        for _, state, doing in _states(commits)
        if not doing and _content(state, "metrics", SUMMARY)
    ]


def compared(
    commits: Sequence[dict[str, Any]], metric: str, test_set: str, stale: Collection[str]
) -> str:
    """The output of `dvc exp show --json`, as tables at most WIDTH characters wide.

    There is a row for the workspace, the commit and each of its experiments, with the state of an
    experiment that did not succeed. There is a column for each score of the metric on the test set
    and for each param, if rows differ. Rows without scores, such as queued runs, do not count as
    different.

    stale: the revisions whose scores do not belong to their params; these are not shown.
    """
    states = [
        (name, state, doing or (STALE if state["rev"] in stale else ""))
        for name, state, doing in _states(commits)
    ]
    scores = [{} if doing else _scores(state, metric, test_set) for _, state, doing in states]
    params = [_flat(_content(state, "params", "params.yaml")) for _, state, _ in states]
    rows = [one | other for one, other in zip(scores, params, strict=True)]
    numbers = _differing([row for row in scores if row])
    title = f"{METRICS[metric].title} on {test_set}"
    names = _padded(title, [f"{name} {doing}".rstrip() for name, _, doing in states])
    tables, lines = [], names
    for column in (*numbers, *_differing(params)):
        cells = _padded(column, [row.get(column, MISSING) for row in rows], column in numbers)
        if lines is not names and len(lines[0] + GAP + cells[0]) > WIDTH:
            tables.append(lines)
            lines = names
        lines = [line + GAP + cell for line, cell in zip(lines, cells, strict=True)]
    texts = ["\n".join(line.rstrip() for line in table) for table in [*tables, lines]]
    return "\n\n".join([*texts, LEGEND] if STALE in [doing for *_, doing in states] else texts)


def _differing(rows: Sequence[Row]) -> list[str]:
    """The columns that differ between rows, in the order of their first row."""
    columns = dict.fromkeys(column for row in rows for column in row)
    return [column for column in columns if len({row.get(column) for row in rows}) > 1]


def _states(commits: Sequence[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """For each row: its name, its data from DVC, and its state, which is empty after success."""
    for commit in commits:
        yield commit["name"] or commit["rev"][: len("workspace")], commit, ""
        experiments = commit["experiments"] or []
        for number, experiment in enumerate(experiments, 1):
            (state, *_) = experiment["revs"]
            branch = "└──" if number == len(experiments) else "├──"
            name = f"{branch} {state['rev'][:7]}" + (f" [{state['name']}]" if state["name"] else "")
            doing = (experiment["executor"] or {"state": "success"})["state"]
            yield name, state, "" if doing == "success" else doing


def _scores(state: dict[str, Any], metric: str, test_set: str) -> Row:
    means = _content(state, "metrics", SUMMARY).get(metric, {}).get(test_set, {})
    digits = METRICS[metric].digits + 1  # experiments differ by less than tables show
    return {
        f"{scale}.{method}": f"{value:.{digits}f}"
        for scale, methods in means.items()
        for method, value in methods.items()
        if value is not None and not method.endswith("-cascade")
    }


def _content(state: dict[str, Any], kind: str, path: str) -> dict[str, Any]:
    """The content of a params or metrics file of a state; empty if it cannot be read."""
    return (state["data"] or {}).get(kind, {}).get(path, {}).get("data") or {}


def _flat(params: dict[str, Any], prefix: str = "") -> Row:
    """Nested params with dotted names; a long value is cut."""
    row: Row = {}
    for key, value in params.items():
        if isinstance(value, dict) and value:
            row |= _flat(value, f"{prefix}{key}.")
        else:
            text = str(value)
            row[f"{prefix}{key}"] = text if len(text) <= WIDTH // 3 else f"{text[: WIDTH // 3]} ..."
    return row


def _padded(head: str, cells: Sequence[str], right: bool = False) -> list[str]:
    """A column of cells of equal width below its head."""
    width = max(map(len, (head, *cells)))
    return [cell.rjust(width) if right else cell.ljust(width) for cell in (head, *cells)]


if __name__ == "__main__":
    run(main)
