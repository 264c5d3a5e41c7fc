"""The page and the chart of `make networks`: our networks beside their papers."""

from pathlib import Path

import pandas as pd

from srstudy.report.charts import Line, line_chart
from srstudy.scoring.tables import markdown
from tools.published import Cost, costs, figures

PAGE, CHART = Path("docs/networks.md"), Path("docs/networks.svg")
# Whose figures a network is set beside; a network that is not here was never published.
PAPERS = {
    "srcnn": "SRCNN",
    "fsrcnn": "FSRCNN",
    "espcn": "ESPCN",
    "vdsr": "VDSR",
    "edsr": "EDSR-baseline",
}
NO_COST = Cost(0, {})
# The page's colours are the report's own; a file of its own brings some along.
STYLE = """<style>
svg { background: #fff; } text { fill: #555; font: 14px sans-serif; text-anchor: middle; }
.title { fill: #111; font-weight: 600; } .y { text-anchor: end; } .key { text-anchor: start; }
.mark { font-size: 12px; } .grid { stroke: #ddd; } .curve { fill: none; stroke-width: 2; }
.curve.line0 { stroke: #0b62c4; } .curve.line1 { stroke: #b3530a; }
.curve.line2 { stroke: #6b6b6b; } .mark.line0 { fill: #0b62c4; }
.mark.line1 { fill: #b3530a; } .mark.line2 { fill: #6b6b6b; }
</style>"""


def page(rows: pd.DataFrame) -> str:
    """A table for each scale and test set, and what the networks cost."""
    texts = []
    for scale, of_scale in rows.groupby("scale"):
        sets = list(dict.fromkeys(of_scale["test_set"]))
        lines = []
        for (network, _), mine in of_scale.groupby(["network", "times"], sort=False):
            by, first = mine.set_index("test_set"), mine.iloc[0]
            cells = [
                _beside(str(network), name, f"x{scale}", by.loc[name, "psnr"]) for name in sets
            ]
            lines.append([str(network), f"{first['minutes']:g}", f"{first['steps']:,}", *cells])
        heading = [f"PSNR in dB, x{scale}", "minutes", "steps", *sets]
        texts.append(markdown(heading, lines))
    once = rows.drop_duplicates(["network", "scale"])
    cost = [
        [
            f"{row.network} x{row.scale}",
            f"{row.parameters / 1e3:,.0f}",
            f"{row.multiply_adds / 1e9:,.1f}",
            f"{row.megapixels_per_second:.2f}",
        ]
        for row in once.itertuples()
    ]
    heading = ["network", "parameters in thousands", "multiply-adds in 10^9", "HR megapixels/s"]
    machines = ", ".join(dict.fromkeys(rows["machine"]))
    return (
        "# Every network beside its paper\n\nPlain networks as large as they were published, "
        "trained on 290 images in equal time by this project's training ([tools/networks.py]"
        f"(../tools/networks.py)), on {machines}. Behind a figure: its distance from the paper's "
        "([sources](../tools/published.yaml)). Minutes and steps hold the pretraining at x2. Every "
        "figure: [networks.csv](networks.csv). Written by `make networks`.\n\n"
        + "\n".join(texts)
        + "\nMultiply-adds are for an output of 1280 x 720 pixels; speed is of restoring one in "
        f"float32 by TensorFlow.\n\n{markdown(heading, cost)}\n"
        f"![PSNR over multiply-adds]({CHART.name})\n\n"
        "Published: figures and costs of [tools/published.yaml](../tools/published.yaml).\n"
    )


def _beside(network: str, test_set: str, scale: str, psnr: float) -> str:
    paper = PAPERS.get(network)
    theirs = [
        float(figure.text)
        for figure in figures("psnr")
        if (figure.method, figure.test_set, figure.scale) == (paper, test_set, scale)
    ]
    return f"{psnr:.2f} ({psnr - theirs[0]:+.2f})" if theirs else f"{psnr:.2f}"


def chart(rows: pd.DataFrame, test_set: str = "set5") -> str:
    """The charts of both scales as one SVG file."""
    charts = lines_by_scale(rows, test_set)
    parts = [
        line_chart(
            f"{test_set} {scale}", "multiply-adds in 10^9", "PSNR in dB", lines, True
        ).replace("<svg ", f'<svg x="{480 * place}" width="460" height="350" ', 1)
        for place, (scale, lines) in enumerate(charts.items())
    ]
    size = f'viewBox="0 0 {480 * len(parts)} 350"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{STYLE}{"".join(parts)}</svg>\n'


def lines_by_scale(rows: pd.DataFrame, test_set: str) -> dict[str, list[Line]]:
    """PSNR over multiply-adds: ours in the shared time, in more, and the published."""
    found = {}
    for scale, mine in rows[rows["test_set"] == test_set].groupby("scale"):
        lines = []
        for times, of_time in mine.groupby("times"):
            label = "this study" if times == 1 else f"in {times} times the minutes"
            x = (of_time["multiply_adds"] / 1e9).tolist()
            names = of_time["network"].tolist()
            lines.append(Line(label, x, of_time["psnr"].tolist(), marks=names))
        published = {
            figure.method: (costs()[figure.method].multiply_adds[f"x{scale}"], float(figure.text))
            for figure in figures("psnr")
            if (figure.test_set, figure.scale) == (test_set, f"x{scale}")
            and f"x{scale}" in costs().get(figure.method, NO_COST).multiply_adds
        }
        x, y = (list(values) for values in zip(*published.values(), strict=True))
        lines.append(Line("published", x, y, marks=list(published)))
        found[f"x{scale}"] = lines
    return found
