"""The results of a sweep: a table, printed and as CSV, and a chart of the metric over each key."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd

from srstudy.common.files import whole_file
from tools.sweep_points import Point, Sweep, plain

SPREAD = 30  # an axis is logarithmic if largest / smallest value is at least this


def table(sweep: Sweep, scores: Mapping[str, float | None], failed: Sequence[str]) -> pd.DataFrame:
    """A row for each point, in order: experiment, the values, the metric, and the state.

    scores: of the existing experiments, by name; None for one without a finite score. The state of
    the others is `failed` or `not run yet`.
    """
    rows = [
        {
            "experiment": point.name,
            **{key: plain(value) for key, value in point.values.items()},
            sweep.metric: scores.get(point.name),
            "state": _state(point, scores, failed),
        }
        for point in sweep.points
    ]
    return pd.DataFrame(rows).astype({sweep.metric: float})


def _state(point: Point, scores: Mapping[str, float | None], failed: Sequence[str]) -> str:
    if point.name in scores:
        return "done"
    return "failed" if point.name in failed else "not run yet"


def write(rows: pd.DataFrame, sweep: Sweep, path: Path) -> Path | None:
    """Write the table as CSV, and the chart as SVG in the same folder; return the chart's path.

    If there is no score, no chart is written, and an older chart is removed.
    """
    with whole_file(path) as partial:
        rows.to_csv(partial, index=False)
    chart = path.with_suffix(".svg")
    places = [place for place, score in enumerate(rows[sweep.metric]) if pd.notna(score)]
    if not places:
        chart.unlink(missing_ok=True)
        return None
    with whole_file(chart) as partial:
        scores = [float(rows[sweep.metric][place]) for place in places]
        _draw([sweep.points[place].values for place in places], scores, sweep.metric, partial)
    return chart


def _draw(
    values: Sequence[Mapping[str, Any]], scores: Sequence[float], metric: str, path: Path
) -> None:
    """For each key: a dot for each point, and the means at equal values, for numbers as a line."""
    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    keys = list(values[0])
    # Letters stay text, and the same results give the same bytes.
    with plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": "sweep"}):
        figure, all_axes = plt.subplots(
            1, len(keys), figsize=(4.2 * len(keys), 3.6), sharey=True, squeeze=False
        )
        for key, axes in zip(keys, all_axes[0], strict=True):
            chosen = [point[key] for point in values]
            axes.set_xlabel(key)
            means_as: dict[str, Any] = {"linewidth": 1}
            if not all(type(value) in (int, float) for value in chosen):
                means_as = {"linestyle": "none", "marker": "_", "markersize": 24}
                names = list(dict.fromkeys(map(plain, chosen)))
                chosen = [names.index(plain(value)) for value in chosen]
                axes.set_xticks(range(len(names)), names)
            elif 0 < SPREAD * min(chosen) <= max(chosen):
                axes.set_xscale("log")
            axes.plot(chosen, scores, "o", markersize=4)
            means = pd.Series(scores).groupby(chosen).mean()
            if len(means) < len(scores):
                axes.plot(means.index, means, **means_as)
        all_axes[0][0].set_ylabel(metric)
        figure.tight_layout()
        figure.savefig(path, format="svg", metadata={"Date": None})
        plt.close(figure)
