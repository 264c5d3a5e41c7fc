"""The experiments side by side: what differs, and one metric on the first test set.

    python -m tools.compare [--metric ssim]

Or `make compare METRIC=ssim`. Of what `dvc exp show` has, in few columns: the scores and params
that are not the same in every row. Cascades are left out.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from srstudy.common.errors import InputError
from srstudy.common.params import read
from srstudy.common.running import run
from srstudy.scoring.metrics import METRICS, first_metric
from srstudy.scoring.settings import SummarySettings

WIDTH = 120  # of a terminal; what is wider goes on in a second table
GAP = "  "
MISSING = "-"

Row = dict[str, str]  # column to cell


def main() -> None:
    """Ask DVC for the experiments of the current commit; print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--metric", default=first_metric())
    metric = parser.parse_args().metric
    if metric not in METRICS:
        raise InputError(f"METRIC: found {metric!r}; allowed: {', '.join(METRICS)}")
    test_set = read(SummarySettings).test_sets[0]
    command = ["dvc", "exp", "show", "--json"]
    shown = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if shown.returncode:
        sys.exit(shown.returncode)
    print(compared(json.loads(shown.stdout), metric, test_set))


def compared(commits: Sequence[dict[str, Any]], metric: str, test_set: str) -> str:
    """What `dvc exp show --json` told, as tables of at most WIDTH columns.

    A row for the workspace, the commit and each of its experiments; a column for each score of
    the metric on the test set and for each param, where rows differ. Rows without any score, as
    of a queued run, are no difference.
    """
    states = list(_states(commits))
    scores = [_scores(state, metric, test_set) if done else {} for _, state, done in states]
    params = [_flat(_content(state, "params", "params.yaml")) for _, state, _ in states]
    rows = [one | other for one, other in zip(scores, params, strict=True)]
    numbers = _differing([row for row in scores if row])
    names = _padded(f"{METRICS[metric].title} on {test_set}", [name for name, *_ in states])
    tables, lines = [], names
    for column in (*numbers, *_differing(params)):
        cells = _padded(column, [row.get(column, MISSING) for row in rows], column in numbers)
        if lines is not names and len(lines[0] + GAP + cells[0]) > WIDTH:
            tables.append(lines)
            lines = names
        lines = [line + GAP + cell for line, cell in zip(lines, cells, strict=True)]
    return "\n\n".join("\n".join(line.rstrip() for line in table) for table in [*tables, lines])


def _differing(rows: Sequence[Row]) -> list[str]:
    """The columns that are not the same in all rows, in order of arrival."""
    columns = dict.fromkeys(column for row in rows for column in row)
    return [column for column in columns if len({row.get(column) for row in rows}) > 1]


def _states(commits: Sequence[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """For each row its name, what DVC knows of its state, and whether it has run to its end."""
    for commit in commits:
        yield commit["name"] or commit["rev"][: len("workspace")], commit, True
        experiments = commit["experiments"] or []
        for number, experiment in enumerate(experiments, 1):
            (state, *_) = experiment["revs"]
            branch = "└──" if number == len(experiments) else "├──"
            name = f"{branch} {state['rev'][:7]}" + (f" [{state['name']}]" if state["name"] else "")
            # Until its end a run has the scores of the commit it started from.
            doing = (experiment["executor"] or {"state": "success"})["state"]
            done = doing == "success"
            yield name if done else f"{name} {doing}", state, done


def _scores(state: dict[str, Any], metric: str, test_set: str) -> Row:
    means = _content(state, "metrics", "metrics/summary.json").get(metric, {}).get(test_set, {})
    digits = METRICS[metric].digits + 1  # experiments differ by less than tables show
    return {
        f"{scale}.{method}": f"{value:.{digits}f}"
        for scale, methods in means.items()
        for method, value in methods.items()
        if value is not None and not method.endswith("-cascade")
    }


def _content(state: dict[str, Any], kind: str, path: str) -> dict[str, Any]:
    """A params or metrics file as a state has it; empty where it has none that can be read."""
    return (state["data"] or {}).get(kind, {}).get(path, {}).get("data") or {}


def _flat(params: dict[str, Any], prefix: str = "") -> Row:
    """Nested params by their dotted names; a long list is cut."""
    row: Row = {}
    for key, value in params.items():
        if isinstance(value, dict) and value:
            row |= _flat(value, f"{prefix}{key}.")
        else:
            text = str(value)
            row[f"{prefix}{key}"] = text if len(text) <= WIDTH // 3 else f"{text[: WIDTH // 3]} ..."
    return row


def _padded(head: str, cells: Sequence[str], right: bool = False) -> list[str]:
    """A column of equally wide cells below its head."""
    width = max(map(len, (head, *cells)))
    return [cell.rjust(width) if right else cell.ljust(width) for cell in (head, *cells)]


if __name__ == "__main__":
    run(main)
