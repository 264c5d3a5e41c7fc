"""Line charts as SVG text: small, with the same bytes every time, in the colours of the page."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from srstudy.report.marks import Box, places
from srstudy.report.svg import element, points, text

WIDTH, HEIGHT = 420, 300  # without the legend
LEFT, RIGHT, TOP, BOTTOM = 74, 12, 30, 46
TICKS = 5
# The legend: entries per row, the height of a row, and the longest label that fits in half a row.
KEYS, KEY_ROW, SHORT = 2, 20, 16


@dataclass(frozen=True)
class Line:
    """A curve; spread: the lowest and highest value at each x, drawn as a band.

    dashed: the line is dashed and has the colour of the line before it; marks: names of the points,
    which are then drawn as dots without a line.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    spread: Sequence[tuple[float, float]] = ()
    dashed: bool = False
    marks: Sequence[str] = ()


def line_chart(
    title: str, x_label: str, y_label: str, lines: Sequence[Line], logarithmic: bool = False
) -> str:
    """An SVG element with the lines, axes with round numbers, and a legend below.

    The n-th solid line has the CSS class `line<n>`; the page defines its colour. logarithmic: the x
    axis is logarithmic. Raises ValueError if there is nothing to draw.
    """
    xs = [_position(x, logarithmic) for line in lines for x in line.x]
    bounds = [value for line in lines for pair in line.spread for value in pair]
    ys = [y for line in lines for y in line.y] + bounds
    if not xs:
        raise ValueError(f"{title}: nothing to draw")
    low, high = _widened(min(ys), max(ys))
    first, last = _widened(min(xs), max(xs), 0.0)

    def across(x: float) -> float:
        share = (_position(x, logarithmic) - first) / (last - first)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def up(y: float) -> float:
        return round(HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    upright = f"translate(14 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)"
    parts = [
        text(title, WIDTH / 2, 18, class_="title"),
        text(x_label, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8),
        text(y_label, 0, 0, transform=upright),
    ]
    for tick in _round_numbers(low, high):
        parts.append(element("path", class_="grid", d=f"M{LEFT} {up(tick)}H{WIDTH - RIGHT}"))
        parts.append(text(f"{tick:g}", LEFT - 6, up(tick) + 4, class_="y"))
    for tick in _powers(first, last) if logarithmic else _round_numbers(first, last):
        parts.append(text(f"{tick:g}", across(tick), HEIGHT - BOTTOM + 18))
    colour, columns = -1, KEYS if all(len(line.label) <= SHORT for line in lines) else 1
    marked: list[tuple[str, str, tuple[float, float]]] = []
    for number, line in enumerate(lines):
        colour += not line.dashed
        kind = f"line{colour}{' dashed' if line.dashed else ''}"
        curve = [(across(x), up(y)) for x, y in zip(line.x, line.y, strict=True)]
        ends = zip(line.x, line.spread, strict=bool(line.spread))
        band = [(across(x), up(least), up(most)) for x, (least, most) in ends]
        parts += _drawn(line, kind, curve, band)
        parts += _key(line, kind, *divmod(number, columns))
        marked += [(mark, kind, dot) for mark, dot in zip(line.marks, curve, strict=False)]
    inside = Box(LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM)
    beside = places([dot for *_, dot in marked], [mark for mark, *_ in marked], inside)
    for (mark, kind, _), (x, y, anchor) in zip(marked, beside, strict=True):
        parts.append(text(mark, x, y, class_=f"mark {kind}", style=f"text-anchor: {anchor}"))
    box = f"0 0 {WIDTH} {HEIGHT + math.ceil(len(lines) / columns) * KEY_ROW}"
    return element("svg", *parts, class_="chart", role="img", viewBox=box, aria_label=title)


def _drawn(
    line: Line,
    kind: str,
    curve: Sequence[tuple[float, float]],
    band: Sequence[tuple[float, float, float]],
) -> list[str]:
    """The elements of a line: its band, its curve and its dots, in pixels.

    band: x and the heights of the lowest and of the highest value.
    """
    parts = []
    if band:
        # Along the highest values, and back along the lowest.
        outline = [(x, most) for x, _, most in band] + [(x, least) for x, least, _ in band[::-1]]
        parts.append(element("polygon", class_=f"band {kind}", points=points(outline)))
    if not line.marks:
        parts.append(element("polyline", class_=f"curve {kind}", points=points(curve)))
    # A line with only one point would be invisible.
    for x, y in curve if line.marks or len(curve) == 1 else []:
        parts.append(element("circle", class_=f"curve {kind}", cx=x, cy=y, r=2))
    return parts


def _key(line: Line, kind: str, row: int, column: int) -> list[str]:
    """The elements of an entry of the legend: a dot or a dash, and the label."""
    left = LEFT + column * (WIDTH - LEFT - RIGHT) / KEYS
    place = HEIGHT + 14 + row * KEY_ROW
    if line.marks:
        dot = {"cx": left + 12, "cy": place - 5, "r": 2}
        sample = element("circle", class_=f"curve {kind}", **dot)
    else:
        sample = element("path", class_=f"curve {kind}", d=f"M{left} {place - 5}h24")
    return [sample, text(line.label, left + 30, place, class_="key")]


def _position(x: float, logarithmic: bool) -> float:
    return math.log10(x) if logarithmic else x


def _widened(low: float, high: float, share: float = 0.05) -> tuple[float, float]:
    extra = (high - low) * share or (0.0 if high > low else 0.5)
    return low - extra, high + extra


def _round_numbers(low: float, high: float) -> list[float]:
    """About TICKS multiples of 1, 2 or 5 times a power of ten."""
    raw = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    return [round(i * step, 10) for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _powers(first: float, last: float) -> list[float]:
    return [10.0**power for power in range(math.ceil(first - 1e-9), math.floor(last + 1e-9) + 1)]
