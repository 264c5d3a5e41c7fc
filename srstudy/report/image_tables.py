"""The report page's tables with one row per image, which the page's script can sort."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from srstudy.report.gains import BASELINE, gains, in_words
from srstudy.report.svg import element
from srstudy.scoring.metrics import METRICS, Metric
from srstudy.scoring.tables import scales_of, shown

WIDTH, HEIGHT, EDGE = 130, 16, 5  # of the drawing of a gain, in pixels


def image_tables(contents: Mapping[str, Mapping[str, Any]]) -> str:
    """One section per test set with one table per scale, as HTML.

    contents: those of metrics/images/<test set>.json. A row has the gain over bicubic, as a number
    (first network) and as a drawing (all methods), and every metric for every method. Each cell
    with a number has its full value as `data-value`.
    """
    return "\n".join(
        f'<section class="set" data-set="{escape(test_set)}">\n'
        + "\n".join(_table(test_set, *of_scale) for of_scale in scales_of(content).items())
        + "\n</section>"
        for test_set, content in contents.items()
    )


def _table(test_set: str, scale: str, images: Mapping[str, Any]) -> str:
    methods = list(next(iter(next(iter(images.values())).values())))
    gain = {name: gains(entry) for name, entry in images.items()}
    known = [value for row in gain.values() for value in row.values() if value is not None]
    ends = min([0.0, *known]), max([0.0, *known])
    rows = []
    for name, entry in images.items():
        cells = [_gain_cell(gain[name], ends)]
        for key, metric in METRICS.items():
            cells += _cells(metric, [entry[key].get(method) for method in methods])
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>')
    label = escape(f"{test_set} {scale}, every image")
    return (
        f'<div class="of-scale" data-scale="{scale}">\n<h3>{escape(test_set)} {scale}</h3>\n'
        f'<div class="scroll tall" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="sortable">\n<thead>{_heads(methods)}</thead>\n<tbody>\n'
        + "\n".join(rows)
        + "\n</tbody></table></div>\n</div>"
    )


def _heads(methods: Sequence[str]) -> str:
    """Two rows: the metrics, then the methods. A head that sorts has its column's number."""
    network = next(method for method in methods if method != BASELINE)
    names = ["image", f"gain of {network}"]
    first = [
        f'<th scope="col" rowspan="2" data-column="{column}">{escape(name)}</th>'
        for column, name in enumerate(names)
    ]
    second, column = [], len(first)
    for metric in METRICS.values():
        span = f'scope="colgroup" colspan="{len(methods)}"'
        first.append(f"<th {span}>{escape(metric.title)}</th>")
        for method in methods:
            second.append(f'<th scope="col" data-column="{column}">{escape(method)}</th>')
            column += 1
    return f"<tr>{''.join(first)}</tr><tr>{''.join(second)}</tr>"


def _cells(metric: Metric, values: Sequence[float | None]) -> list[str]:
    """The scores of one image for every method; the best are marked."""
    known = [value for value in values if value is not None]
    best = shown(metric, (min if metric.lower_is_better else max)(known, default=None))
    cells = []
    for value in values:
        text = shown(metric, value)
        words = f"<strong>{text}</strong>" if text and text == best else text
        cells.append(f'<td data-value="{value}">{words}</td>' if text else "<td></td>")
    return cells


def _gain_cell(gain: Mapping[str, float | None], ends: tuple[float, float]) -> str:
    """The first method's gain as a number, a line from 0 and a dot; the others as strokes."""
    known = {method: value for method, value in gain.items() if value is not None}
    low, high = ends
    first = next(iter(gain.values()))

    def across(value: float) -> float:
        share = (value - low) / ((high - low) or 1.0)
        return round(EDGE + share * (WIDTH - 2 * EDGE), 1)

    zero, middle = across(0.0), HEIGHT / 2
    words = ", ".join(f"{method} {in_words(value)}" for method, value in known.items())
    parts = [
        element("title", escape(words)),
        element("path", class_="zero", d=f"M{zero} 0V{HEIGHT}"),
        *(
            element("path", class_="stroke", d=f"M{across(value)} 2V{HEIGHT - 2}")
            for value in list(known.values())[first is not None :]
        ),
    ]
    if first is not None:
        parts.append(element("path", class_="bar", d=f"M{zero} {middle:g}H{across(first)}"))
        parts.append(element("circle", cx=across(first), cy=f"{middle:g}", r=4))
    drawn = element("svg", *parts, class_="gain", role="img", viewBox=f"0 0 {WIDTH} {HEIGHT}")
    number = "<td>" if first is None else f'<td data-value="{first:.6g}">'
    return f"{number}{drawn}{in_words(first)}</td>"
