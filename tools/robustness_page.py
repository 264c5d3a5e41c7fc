"""The page of `make robustness`: a table for each scale, set of images and kind of PSNR."""

from pathlib import Path

import pandas as pd

from srstudy.scoring.tables import markdown
from tools.photo_cases import CASES

BICUBIC = "bicubic"
PICTURE = Path("docs/photographs.png")  # from tools/robustness_picture.py
# The suffixes of the columns, and their words in the tables.
KINDS = {"": "luma", "_rgb": "RGB"}


def page(rows: pd.DataFrame, pictured: bool) -> str:
    """The tables of photographs.csv as Markdown; pictured: whether there is a picture."""
    parts = [
        "# Photographs that are compressed or noisy\n\nWhat networks gain over bicubic "
        "interpolation of the same LR image, in dB of PSNR; the line of `bicubic` has its PSNR. LR "
        "by MATLAB's bicubic imresize, then compressed as JPEG (quality 95 to 30, chroma at half "
        "the size) or with Gaussian noise on each colour (sigma 2 to 10 of 255): "
        "[tools/photo_cases.py](../tools/photo_cases.py). In brackets: on how many images the "
        "network is worse than bicubic interpolation. Luma of BT.601, 16..235; a border of `scale` "
        "pixels is left out; mean over the images. Every figure: "
        "[photographs.csv](photographs.csv). Written by `make robustness`.\n"
    ]
    for scale, of_scale in rows.groupby("scale"):
        parts.append(f"## x{scale}\n")
        for name, of_set in of_scale.groupby("set", sort=False):
            for kind, words in KINDS.items():
                heading = [f"{name}, {int(of_set['images'].iloc[0])} images: {words}", *CASES]
                lines = [
                    [str(model), *(_cell(row, kind) for row in mine.to_dict("records"))]
                    for model, mine in of_set.groupby("model", sort=False)
                ]
                parts.append(markdown(heading, lines))
    if pictured:
        parts.append(
            f"## Crops\n\n![Crops at x2, JPEG 50 and noise 10]({PICTURE.name})\n\nAt x2, shown at "
            "twice their size: [tools/robustness_picture.py](../tools/robustness_picture.py).\n"
        )
    return "\n".join(parts)


def _cell(row: dict[str, object], kind: str) -> str:
    if row["model"] == BICUBIC:
        return f"{row[f'psnr{kind}']:.2f}"
    below = f" ({row['below']})" if row["below"] and not kind else ""
    return f"{row[f'gain{kind}']:+.2f}{below}"
