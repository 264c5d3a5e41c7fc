"""The parts of the report page: tables and charts as HTML text, the script's data as JSON."""

import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import pandas as pd

from srstudy.common.errors import InputError
from srstudy.report.charts import Line, line_chart
from srstudy.scoring.metrics import METRICS, Metric
from srstudy.scoring.tables import of_metric, shown

TEMPLATE = Path(__file__).with_name("report_page.html")
SCROLLED = '<div class="scroll" tabindex="0" role="region" aria-label="{label}">{content}</div>'


def fill_page(**parts: str) -> str:
    """The whole page, filled with its parts."""
    return Template(TEMPLATE.read_text("utf-8")).substitute(parts)


def read_csv(path: Path) -> pd.DataFrame:
    """The rows of a CSV file. `InputError` if the file is missing or broken."""
    try:
        return pd.read_csv(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        words = " ".join(str(error).split())
        raise InputError(f"{path}: cannot be read as CSV: {words}") from error


def script_data(value: Any) -> str:
    """JSON that is safe inside a script element, for any names in it."""
    return json.dumps(value, ensure_ascii=True).replace("<", "\\u003c")


def marked_up(words: str) -> str:
    """HTML of a sentence; text between backticks becomes code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(words))


def table(header: Sequence[str], rows: Sequence[Sequence[str]], best: Sequence[str] = ()) -> str:
    """An HTML table; best: for each row, the text of the cells to mark."""
    names = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header)
    lines = [f"<tr>{names}</tr>"]
    for number, (first, *cells) in enumerate(rows):
        texts = [f'<th scope="row">{escape(first)}</th>']
        for cell in cells:
            marked = bool(best) and cell != "" and cell == best[number]
            content = f"<strong>{escape(cell)}</strong>" if marked else escape(cell)
            texts.append(f"<td>{content}</td>")
        lines.append(f"<tr>{''.join(texts)}</tr>")
    return "<table>\n" + "\n".join(lines) + "\n</table>"


def score_tables(summary: Mapping[str, Any], path: Path, notes: Sequence[str] = ()) -> str:
    """The mean scores of metrics/summary.json: one table per metric, in the order of METRICS.

    A row per test set and scale, a column per method. If the best scores are equal as shown, all of
    them are marked. path: the file, for errors; notes: lines of plain text under the tables. Raises
    InputError if the file does not have a metric.
    """
    tables = []
    for key, metric in METRICS.items():
        content = _score_table(metric, of_metric(summary, key, path))
        tables.append(SCROLLED.format(label=escape(metric.title), content=content))
    return "\n".join([*tables, *(f"<p>{marked_up(note)}</p>" for note in notes)])


def _score_table(metric: Metric, means: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    methods = list(dict.fromkeys(m for s in means.values() for row in s.values() for m in row))
    rows, best = [], []
    for test_set, scales in means.items():
        for scale, scores in scales.items():
            values = [scores.get(method) for method in methods]
            rows.append([f"{test_set} {scale}", *(shown(metric, value) for value in values)])
            known = [value for value in values if value is not None]
            of_known = min if metric.lower_is_better else max
            best.append(shown(metric, of_known(known, default=None)))
    return table([metric.title, *methods], rows, best)


def step_counts(
    pretraining: str, curve: pd.DataFrame, validation: Mapping[str, Mapping[str, Any]]
) -> str:
    """A table of the trainings: steps and last validation PSNR; the pretraining comes first.

    validation: for each other training, the content of its file in metrics/validation/.
    """
    last = curve.iloc[-1]
    rows = [[pretraining, f"{last['step']:.0f}", f"{last['validation_psnr']:.2f}"]]
    rows += [
        [name, f"{result['steps']}", "" if result["psnr"] is None else f"{result['psnr']:.2f}"]
        for name, content in validation.items()
        for scale in content["validation"].values()
        for result in scale.values()
    ]
    return table(["training", "steps", "validation PSNR in dB"], rows)


def learning_curves(curves: Mapping[str, pd.DataFrame]) -> str:
    """One chart per scale: the validation PSNR of all its trainings over the steps.

    Infinite values (of images that are restored exactly) are left out.
    """
    groups: dict[str, list[Line]] = {}
    for name, curve in curves.items():
        title, _, setting = name.partition("-")
        points = curve[np.isfinite(curve["validation_psnr"])]
        steps, psnr = points["step"].tolist(), points["validation_psnr"].tolist()
        if steps:
            groups.setdefault(title, []).append(Line(setting or "pretraining", steps, psnr))
    return "\n".join(
        line_chart(title, "step", "validation PSNR in dB", lines) for title, lines in groups.items()
    )


def ablation_charts(runs: pd.DataFrame) -> str:
    """PSNR over lambda: one chart per budget and scale, one line per network."""
    charts = []
    for (budget, scale), mine in runs.groupby(["budget", "scale"], sort=False):
        lines = []
        for network, of_network in mine.groupby("network", sort=False):
            by = of_network.groupby("lambda")["psnr"].agg(["mean", "min", "max"])
            curve = by[by.index > 0]
            spread = list(zip(curve["min"], curve["max"], strict=True))
            lines.append(Line(str(network), list(curve.index), list(curve["mean"]), spread))
            if 0 in by.index:
                ends = [curve.index.min(), curve.index.max()]
                lines.append(Line("lambda = 0", ends, [by.loc[0, "mean"]] * 2, (), True))
        steps = " or ".join(str(steps) for steps in sorted(mine["steps"].unique()))
        title = f"x{scale}, {budget}: {steps} steps"
        charts.append(line_chart(title, "lambda", "validation PSNR in dB", lines, True))
    return "\n".join(charts)


def network_charts(dots: pd.DataFrame) -> list[str]:
    """PSNR over multiply-adds: one chart per scale, one dot with a name per network.

    dots: the rows of docs/networks-chart.csv, with test_set, scale, line (the source of the
    figures), name, multiply_adds in 10^9 and psnr in dB.
    """
    charts = []
    for (test_set, scale), mine in dots.groupby(["test_set", "scale"], sort=False):
        lines = [
            Line(
                str(of),
                of_line["multiply_adds"].tolist(),
                of_line["psnr"].tolist(),
                marks=of_line["name"].tolist(),
            )
            for of, of_line in mine.groupby("line", sort=False)
        ]
        title = f"{test_set} {scale}"
        charts.append(line_chart(title, "multiply-adds in 10^9", "PSNR in dB", lines, True))
    return charts
