from xml.etree import ElementTree

import pytest

from srstudy.report.charts import Line, line_chart


def _texts(svg: str) -> list[str]:
    return [e.text or "" for e in ElementTree.fromstring(svg).iter("text")]


def test_chart_is_complete_svg_with_labels_and_round_numbers() -> None:
    lines = [Line("plain <a>", [0, 50, 100], [30.0, 31.0, 31.2]), Line("other", [0, 100], [30, 31])]
    svg = line_chart("x2 & more", "step", "PSNR in dB", lines)
    texts = _texts(svg)
    assert {"x2 & more", "step", "PSNR in dB", "plain <a>", "other"} <= set(texts)
    assert {"0", "20", "100", "30", "31"} <= set(texts)
    assert svg == line_chart("x2 & more", "step", "PSNR in dB", lines)


def test_curve_passes_through_its_values() -> None:
    svg = line_chart("", "", "", [Line("a", [0, 1, 2], [1.0, 3.0, 2.0])])
    (curve,) = ElementTree.fromstring(svg).iter("polyline")
    places = [tuple(map(float, pair.split(","))) for pair in curve.attrib["points"].split()]
    (x0, y0), (x1, y1), (x2, y2) = places
    assert x0 < x1 < x2 and x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert y1 < y2 < y0 and y0 - y2 == pytest.approx(y2 - y1, abs=0.2)  # up is less


def test_logarithmic_axis_has_powers_of_ten_at_equal_distances() -> None:
    line = Line("a", [1e-5, 1e-3, 1.0], [1.0, 2.0, 3.0], [(0.5, 1.5), (1.5, 2.5), (2.5, 3.5)])
    svg = line_chart("", "", "", [line], logarithmic=True)
    assert {"1e-05", "0.0001", "0.001", "0.01", "0.1", "1"} <= set(_texts(svg))
    assert len(list(ElementTree.fromstring(svg).iter("polygon"))) == 1


def test_single_point_can_be_seen() -> None:
    svg = line_chart("", "", "", [Line("a", [5], [7.0])])
    assert "nan" not in svg and len(list(ElementTree.fromstring(svg).iter("circle"))) == 1


def test_dashed_line_has_the_colour_of_the_line_before_it() -> None:
    lines = [Line(name, [0, 1], [0, 1], (), name != name.upper()) for name in "AaB"]
    svg = ElementTree.fromstring(line_chart("", "", "", lines))
    kinds = [e.attrib["class"] for e in svg.iter("polyline")]
    assert kinds == ["curve line0", "curve line0 dashed", "curve line1"]


def test_legend_is_below_all_curves() -> None:
    lines = [Line(name, [0, 1], [1.0, 0.0]) for name in "abc"]
    svg = ElementTree.fromstring(line_chart("", "", "", lines))
    curves = [
        float(p.split(",")[1]) for e in svg.iter("polyline") for p in e.attrib["points"].split()
    ]
    keys = [float(e.attrib["y"]) for e in svg.iter("text") if e.attrib.get("class") == "key"]
    assert len(keys) == 3 and min(keys) > max(curves)
    assert max(keys) < float(svg.attrib["viewBox"].split()[3])


@pytest.mark.parametrize("label", ["in 4 times the minutes", "regularized"])
def test_labels_of_the_legend_end_inside_the_chart_and_before_the_next_label(label: str) -> None:
    lines = [Line(name, [0, 1], [1.0, 0.0]) for name in ("plain", label, "other")]
    svg = ElementTree.fromstring(line_chart("", "", "", lines))
    right = float(svg.attrib["viewBox"].split()[2])
    keys = [e for e in svg.iter("text") if e.attrib.get("class") == "key"]
    for key in keys:
        row = [float(e.attrib["x"]) for e in keys if e.attrib["y"] == key.attrib["y"]]
        left = float(key.attrib["x"])
        # At 14 pixels, a letter of a usual font is 8.5 pixels wide at most, in the mean of a word.
        assert left + 8.5 * len(key.text or "") <= min([x for x in row if x > left] + [right])
    assert float(svg.attrib["viewBox"].split()[3]) > max(float(e.attrib["y"]) for e in keys)


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(ValueError, match="curves: nothing to draw"):
        line_chart("curves", "", "", [])


def test_marked_points_are_dots_with_names_inside_the_chart() -> None:
    line = Line("papers", [1, 10, 1000], [30.0, 31.0, 32.0], marks=["a", "b", "c"])
    svg = ElementTree.fromstring(line_chart("", "", "", [line], logarithmic=True))
    # And one in the legend, where a line would be drawn.
    assert len(list(svg.iter("circle"))) == 3 + 1 and not list(svg.iter("polyline"))
    marks = [e for e in svg.iter("text") if e.attrib.get("class") == "mark line0"]
    assert [e.text for e in marks] == ["a", "b", "c"]
    sides = ["start", "start", "end"]
    assert [e.attrib["style"] for e in marks] == [f"text-anchor: {side}" for side in sides]
