"""The page and the chart of `make speed`: the quality and the speed of each model."""

from pathlib import Path

import pandas as pd

from srstudy.report.charts import Line, line_chart
from srstudy.scoring.tables import markdown
from tools.networks_page import side_by_side

PAGE, CHART = Path("docs/speed.md"), Path("docs/speed.svg")
BICUBIC, FSRCNN, OURS = "bicubic", "FSRCNN", "this study"
NETWORK, COMMAND = "network", "command"


def page(rows: pd.DataFrame) -> str:
    """A table for each scale, from the rows of docs/speed.csv."""
    machines = ", ".join(dict.fromkeys(rows["machine"]))
    parts = [
        "# Quality over speed\n\nThe models of `upscale`, bicubic interpolation, and FSRCNN by "
        "OpenCV's dnn_superres: PSNR on Set5 of clean LR images, and HR megapixels a second, the "
        "median of five rounds, in each of which all of them take their turn. *Network*: on a luma "
        "plane of 1 HR megapixel; *command*: the whole program on one photograph in colour, from "
        "its start to the written PNG. FSRCNN has random weights, which its speed does not depend "
        "on, and its published PSNR "
        f"([sources](../tools/published.yaml)). All in one run, on {machines}. The same as CSV: "
        "[speed.csv](speed.csv). Written by `make speed`.\n"
    ]
    heading = ["PSNR in dB", "network, MP/s", "over FSRCNN's", "command, MP/s", "over FSRCNN's"]
    for scale, of_scale in rows.groupby("scale"):
        speeds = of_scale.set_index(["model", "what"])["megapixels_per_second"]
        lines = []
        for model, mine in of_scale.groupby("model", sort=False):
            cells = [f"{float(mine['psnr'].iloc[0]):.2f}"]
            for what in (NETWORK, COMMAND):
                speed = speeds.get((model, what))
                known = [f"{speed:.2f}", f"{speed / speeds[FSRCNN, what]:.2f}"] if speed else []
                cells += known or ["", ""]
            lines.append([str(model), *cells])
        parts.append(markdown([f"Set5 x{scale}", *heading], lines))
    parts.append(f"![PSNR over speed]({CHART.name})\n")
    return "\n".join(parts)


def chart(rows: pd.DataFrame) -> str:
    """PSNR over the speed of the network alone, a chart for each scale, as one SVG file."""
    charts = []
    for scale, mine in rows[rows["what"] == NETWORK].groupby("scale"):
        apart = mine["model"].where(mine["model"].isin([BICUBIC, FSRCNN]), OURS)
        lines = [
            Line(
                str(label),
                of_label["megapixels_per_second"].tolist(),
                of_label["psnr"].astype(float).tolist(),
                marks=of_label["model"].tolist(),
            )
            for label, of_label in mine.groupby(apart, sort=False)
        ]
        charts.append(
            line_chart(f"Set5 x{scale}", "HR megapixels a second", "PSNR in dB", lines, True)
        )
    return side_by_side(charts)
