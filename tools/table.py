r"""The results of the study with published figures: for a page, a paper, or a program.

    python -m tools.table [--format markdown|latex|csv] [--metric ssim] [--rev my-branch]

There is a row for each test set and scale, and a column for each method: this study's (with bicubic
interpolation), then those with a published figure in a row (tools/published.yaml). By the printed
digits, the best in a row is bold, and the second best is in italics (Markdown) or underlined
(LaTeX, which needs \usepackage{booktabs}). CSV has a row for each figure, with its source and
without marks. Remarks are below the table; with CSV, on stderr.
"""

import argparse
import csv
import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from srstudy.common import choices
from srstudy.common.errors import InputError
from srstudy.common.running import run
from srstudy.degradations.shared.degradation import ROOM, degradation
from srstudy.scoring import chance
from srstudy.scoring.metrics import METRICS, Metric, first_metric
from srstudy.scoring.tables import markdown, of_metric, shown
from tools.published import PROTOCOL, figures
from tools.revisions import commit_of, text_at

SUMMARY, SEEDS = "metrics/summary.json", str(chance.TABLE)
OURS = "this study"
# Characters with a special meaning in LaTeX.
SPECIAL = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    **{"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"},
}


@dataclass(frozen=True)
class Table:
    """Figures by row (test set, scale) and method, as printed; "" if there is none.

    ours, others: the methods of this study and of others, in order; sources: the citation of each
    published figure, by test set, scale and method; remarks: the lines below the table.
    """

    metric: Metric
    ours: list[str]
    others: list[str]
    rows: dict[tuple[str, str], dict[str, str]]
    sources: dict[tuple[str, str, str], str]
    remarks: list[str]

    @property
    def methods(self) -> list[str]:
        """The methods of this study, then the others."""
        return self.ours + self.others

    def beside(self, others: Sequence[str]) -> "Table":
        """The same table with only some of the other methods, which alone are ranked with ours."""
        kept = [method for method in self.others if method in others]
        shown = {*self.ours, *kept}
        rows = {
            key: {method: text for method, text in row.items() if method in shown}
            for key, row in self.rows.items()
        }
        return replace(self, others=kept, rows=rows)


def main() -> None:
    """Print the table of the workspace or of a revision."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--format", choices=FORMATS, default="markdown")
    parser.add_argument("--metric", choices=METRICS, default=first_metric())
    parser.add_argument("--rev", help="commit, branch, tag or experiment; default: the files here")
    arguments = parser.parse_args()
    here = arguments.rev is None
    commit = None if here else commit_of(arguments.rev)
    table = table_of(arguments.metric, commit, "" if here else f"{arguments.rev}: ")
    from tools import provenance  # imports DVC, which takes seconds

    if provenance.stale([commit or "workspace"]):
        table.remarks.insert(
            0,
            "These scores do not belong to the params.yaml of this revision: to make the right "
            "ones, run `dvc repro summarize`.",
        )
    print(FORMATS[arguments.format](table), end="")
    if arguments.format == "csv":
        print(*table.remarks, sep="\n", end="\n" if table.remarks else "", file=sys.stderr)


def table_of(key: str, commit: str | None = None, where: str = "") -> Table:
    """The table of one of METRICS, from the files here (None) or of a commit.

    where: is printed before the file's name in an `InputError`.
    """
    text = text_at(commit, SUMMARY)
    if text is None:
        raise InputError(f"{where}{SUMMARY}: is missing; `dvc repro summarize` makes it")
    try:
        summary: dict[str, Any] = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{where}{SUMMARY}: is not JSON: {error}") from error
    seeds = text_at(commit, SEEDS)
    runs = None if seeds is None else chance.read_runs(seeds, f"{where}{SEEDS}")
    return compared(summary, key, runs, where)


def compared(
    summary: Mapping[str, Any], key: str, runs: pd.DataFrame | None = None, where: str = ""
) -> Table:
    """This study's means of a metric, with the published ones if they have the same protocol.

    summary: from metrics/summary.json; runs: from srstudy.scoring.chance, only for PSNR. If a
    method of the study has the name of a published one, like bicubic, its own figure is shown.
    """
    means, metric = of_metric(summary, key, Path(f"{where}{SUMMARY}")), METRICS[key]
    rows = {
        (test_set, scale): {method: shown(metric, value) for method, value in scores.items()}
        for test_set, scales in means.items()
        for scale, scores in scales.items()
    }
    ours = list(dict.fromkeys(method for row in rows.values() for method in row))
    literature = [f for f in figures(key) if (f.test_set, f.scale) in rows]
    theirs = [f for f in literature if f.method not in ours]
    protocol = str(summary.get("protocol"))
    remarks = [f"{_words(protocol)}."]
    if protocol != PROTOCOL and theirs:
        remarks.append(
            f"Published figures are left out: they are of the protocol `{PROTOCOL}`, these of "
            f"`{protocol}`."
        )
        theirs = []
    for figure in theirs:
        rows[figure.test_set, figure.scale][figure.method] = figure.text
    if runs is not None and key == "psnr" and protocol == chance.DEGRADATION:
        remarks.append(chance.sentence(runs))
    sources = {(f.test_set, f.scale, f.method): f.source for f in theirs}
    others = list(dict.fromkeys(figure.method for figure in theirs))
    return Table(metric, ours, others, rows, sources, list(filter(None, remarks)))


def _words(protocol: str) -> str:
    """The protocol in words; only its name if the degradation of another revision is not here."""
    known = protocol in choices.names(ROOM)
    return degradation(protocol).sentence() if known else f"Protocol: {protocol}"


def best(row: Mapping[str, str], lower_is_better: bool = False) -> tuple[set[str], set[str]]:
    """The methods with the best and the second best figure of a row; equal figures share a rank."""
    values = sorted({float(text) for text in row.values() if text}, reverse=not lower_is_better)
    first, second = (
        {method for method, text in row.items() if text and float(text) == value}
        for value in [*values, None, None][:2]
    )
    return first, second


def for_page(table: Table) -> str:
    """Markdown: this study's methods are bold in the heading."""
    heading = [f"**{method}**" for method in table.ours] + table.others
    lines = _marked(table, "**{}**".format, "*{}*".format)
    remarks = [
        "In a row, **bold** is best and *italics* second best. In the heading, bold is this study"
        + (
            "; the others are as published ([sources](tools/published.yaml))."
            if table.others
            else "."
        ),
        *table.remarks,
    ]
    return markdown([table.metric.title, *heading], lines) + "\n" + "\n\n".join(remarks) + "\n"


def for_paper(table: Table) -> str:
    """LaTeX, for the package booktabs; the sources are comments."""
    ours, others = len(table.ours), len(table.others)
    groups = [(OURS, 2, 1 + ours), ("published", 2 + ours, 1 + ours + others)]
    groups = [(words, start, end) for words, start, end in groups if end >= start]
    lines = [
        f"\\begin{{tabular}}{{l{'r' * (ours + others)}}}",
        r"\toprule",
        "".join(rf" & \multicolumn{{{end - start + 1}}}{{c}}{{{w}}}" for w, start, end in groups)
        + r" \\",
        " ".join(rf"\cmidrule(lr){{{start}-{end}}}" for _, start, end in groups),
        " & ".join(map(_escaped, [table.metric.title, *table.methods])) + r" \\",
        r"\midrule",
        *(
            " & ".join([_escaped(label), *cells]) + r" \\"
            for label, *cells in _marked(table, r"\textbf{{{}}}".format, r"\underline{{{}}}".format)
        ),
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par{{\footnotesize {_escaped(remark)}\par}}" for remark in table.remarks),
        *(
            f"% {', '.join(methods)}: {source}"
            for source, methods in _methods_by_source(table).items()
        ),
    ]
    return "\n".join(lines) + "\n"


def for_program(table: Table) -> str:
    """CSV: a row for each figure, with its source; missing figures have no row."""
    text, title = io.StringIO(), next(key for key, m in METRICS.items() if m is table.metric)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["test_set", "scale", "method", title, "source"])
    for (test_set, scale), row in table.rows.items():
        for method in table.methods:
            if row.get(method):
                source = table.sources.get((test_set, scale, method), OURS)
                writer.writerow([test_set, scale, method, row[method], source])
    return text.getvalue()


FORMATS = {"markdown": for_page, "latex": for_paper, "csv": for_program}


def _marked(
    table: Table, bold: Callable[[str], str], less: Callable[[str], str]
) -> list[list[str]]:
    """The rows with their labels; best and second best are marked."""
    lines = []
    for (test_set, scale), row in table.rows.items():
        first, second = best(row, table.metric.lower_is_better)
        marks = {**dict.fromkeys(first, bold), **dict.fromkeys(second, less)}
        cells = [marks.get(method, str)(row.get(method, "")) for method in table.methods]
        lines.append([f"{test_set} {scale}", *cells])
    return lines


def _methods_by_source(table: Table) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for (_, _, method), source in table.sources.items():
        if method not in found.setdefault(source, []):
            found[source].append(method)
    return found


def _escaped(text: str) -> str:
    return "".join(SPECIAL.get(character, character) for character in text)


if __name__ == "__main__":
    run(main)
