"""The page and the chart of `make networks`: our networks compared with their papers."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from srstudy.report.page import network_charts
from srstudy.scoring.tables import markdown
from tools.published import Cost, costs, figures

PAGE, CHART = Path("docs/networks.md"), Path("docs/networks.svg")
DOTS = Path("docs/networks-chart.csv")  # also used by the report
OURS, LONGER = "this study", "trained longer"
# The published method of each network; a network that is not here was never published.
PAPERS = {
    "srcnn": "SRCNN",
    "fsrcnn": "FSRCNN",
    "espcn": "ESPCN",
    "vdsr": "VDSR",
    "edsr": "EDSR-baseline",
}
NO_COST = Cost(0, {})
# HR megapixels of VDSR's published training: 9,960 batches of 64 patches of 41 x 41 pixels
# (80 epochs; section 5.1 of the paper, whose citation is in tools/published.yaml).
VDSR_SEEN = 9960 * 64 * 41**2 / 1e6
# In the report, the style of the page gives the colours; a separate file needs its own style.
STYLE = """<style>
svg { background: #fff; } text { fill: #555; font: 14px sans-serif; text-anchor: middle; }
.title { fill: #111; font-weight: 600; } .y { text-anchor: end; } .key { text-anchor: start; }
.mark { font-size: 12px; } .grid { stroke: #ddd; } .curve { fill: none; stroke-width: 2; }
.curve.line0 { stroke: #0b62c4; } .curve.line1 { stroke: #b3530a; }
.curve.line2 { stroke: #6b6b6b; } .mark.line0 { fill: #0b62c4; }
.mark.line1 { fill: #b3530a; } .mark.line2 { fill: #6b6b6b; }
</style>"""


def page(rows: pd.DataFrame) -> str:
    """A table for each scale and test set, and the cost of the networks."""
    texts = []
    for scale, of_scale in rows.groupby("scale"):
        sets = list(dict.fromkeys(of_scale["test_set"]))
        lines = []
        for (network, _), mine in of_scale.groupby(["network", "times"], sort=False):
            by, first = mine.set_index("test_set"), mine.iloc[0]
            cells = [
                _beside(str(network), name, f"x{scale}", by.loc[name, "psnr"]) for name in sets
            ]
            budget = [f"{first['minutes']:g}", f"{first['steps']:,}"]
            budget.append(f"{first['megapixels_seen']:,.0f}")
            lines.append([str(network), *budget, *cells])
        heading = [f"PSNR in dB, x{scale}", "minutes", "steps", "HR megapixels seen", *sets]
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
    return (
        "# Every network beside its paper\n\nPlain networks as large as they were published, "
        "trained on 290 images in equal time by this project's training ([tools/networks.py]"
        f"(../tools/networks.py)), on {machines(rows)}. Behind a figure: its distance from the "
        "paper's ([sources](../tools/published.yaml)). Minutes, of the steps alone, and steps hold "
        "the pretraining at x2. Every figure: [networks.csv](networks.csv). Written by `make "
        "networks`.\n\n"
        + "\n".join(texts)
        + unequal(rows)
        + vdsr_distance(rows)
        + "\nMultiply-adds are for an output of 1280 x 720 pixels; speed is of restoring one in "
        f"float32 by TensorFlow.\n\n{markdown(heading, cost)}\n"
        f"![PSNR over multiply-adds]({CHART.name})\n\n"
        f"Its dots: [{DOTS.name}]({DOTS.name}). Published: figures and costs of "
        "[tools/published.yaml](../tools/published.yaml).\n"
    )


def vdsr_distance(rows: pd.DataFrame) -> str:
    """Why VDSR is worse than its paper, if both trainings at x2 are done; else ""."""
    mine = rows[(rows["network"] == "vdsr") & (rows["scale"] == 2) & (rows["test_set"] == "set5")]
    if len(mine) != 2:
        return ""
    told = [
        f"{row.megapixels_seen:,.0f} megapixels {_beside('vdsr', 'set5', 'x2', row.psnr)} dB"
        for row in mine.sort_values("times").itertuples()
    ]
    return (
        "\nVDSR computes all of its 20 layers at the size of HR, so that it sees few pixels in the "
        f"same time. Its paper trained on {VDSR_SEEN:,.0f} HR megapixels (9,960 batches of 64 "
        f"patches of 41 x 41). Here, on Set5 x2: after {told[0]}, after {told[1]}.\n"
    )


def _beside(network: str, test_set: str, scale: str, psnr: float) -> str:
    paper = PAPERS.get(network)
    theirs = [
        float(figure.text)
        for figure in figures("psnr")
        if (figure.method, figure.test_set, figure.scale) == (paper, test_set, scale)
    ]
    return f"{psnr:.2f} ({psnr - theirs[0]:+.2f})" if theirs else f"{psnr:.2f}"


def machines(rows: pd.DataFrame) -> str:
    """The machine of the trainings; if there are several, each with the networks that it trained.

    Equal minutes are then not equal work, because a slower machine trains for fewer steps.
    """
    networks = rows.groupby("machine", sort=False)["network"].unique()
    if len(networks) == 1:
        return str(networks.index[0])
    most = networks.map(len).idxmax()
    others = [f"{' and '.join(names)} on {where}" for where, names in networks.drop(most).items()]
    return f"{most} ({', '.join(others)}, where equal minutes are another number of steps)"


def unequal(rows: pd.DataFrame) -> str:
    """The longer runs whose minutes are not the intended multiple of the shorter run's minutes."""
    found = []
    for network, mine in rows.groupby("network", sort=False):
        minutes = mine.groupby("times")["minutes"].sum()
        for times in minutes.index.drop(1, errors="ignore"):
            ratio = minutes[times] / minutes[1] if 1 in minutes else times
            if abs(ratio / times - 1) > 0.2:
                found.append(f"{network} {ratio:.1f}")
    if not found:
        return ""
    return (
        "\nThe longer runs were meant to have four times the minutes of the shorter ones. A run "
        "had fewer if other programs were running while the time of its steps was measured: "
        f"{', '.join(found)} times.\n"
    )


def points(rows: pd.DataFrame, test_set: str = "set5") -> pd.DataFrame:
    """The dots of the charts, one per row: ours in equal time, in more time, and the published.

    Columns: test_set, scale, line, name, multiply_adds (in 10^9), psnr (in dB).
    """
    mine = rows[rows["test_set"] == test_set]
    found = pd.DataFrame(
        {
            "test_set": mine["test_set"].tolist(),
            "scale": [f"x{scale}" for scale in mine["scale"]],
            "line": [OURS if n == 1 else LONGER for n in mine["times"]],
            "name": mine["network"].tolist(),
            "multiply_adds": (mine["multiply_adds"] / 1e9).tolist(),
            "psnr": mine["psnr"].tolist(),
        }
    )
    published = [
        [test_set, f.scale, "published", f.method, adds[f.scale], float(f.text)]
        for f in figures("psnr")
        if f.test_set == test_set and f.scale in set(found["scale"])
        if f.scale in (adds := costs().get(f.method, NO_COST).multiply_adds)
    ]
    return pd.concat([found, pd.DataFrame(published, columns=found.columns)], ignore_index=True)


def chart(dots: pd.DataFrame) -> str:
    """The charts of all scales as one SVG file; dots: from `points`."""
    return side_by_side(network_charts(dots))


def side_by_side(charts: Sequence[str]) -> str:
    """Charts from `line_chart`, in one SVG file."""
    parts = [
        drawn.replace("<svg ", f'<svg x="{480 * place}" width="460" height="350" ', 1)
        for place, drawn in enumerate(charts)
    ]
    size = f'viewBox="0 0 {480 * len(parts)} 350"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{STYLE}{"".join(parts)}</svg>\n'
