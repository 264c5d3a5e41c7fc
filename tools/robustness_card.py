"""What a card of weights says of compressed and noisy photographs: its rows of photographs.csv."""

from pathlib import Path

import pandas as pd

from srstudy.scoring.tables import markdown
from tools.parts import Study
from tools.repeats import read_rows
from tools.robustness import SCALES, digits

PHOTOGRAPHS = Path("docs/photographs.csv")
COLUMNS = ("scale", "set", "case", "gain", "gain_rgb", "below", "images")


def robustness(study: Study) -> str:
    """A section with the results of a study's networks, or with the commands that make them."""
    found = rows_of(study)
    heading = "## Robustness\n\n"
    if found.empty:
        return (
            f"{heading}{PHOTOGRAPHS} has no rows of these networks yet: `make robustness` makes "
            f"them, and `make {study.name}` then writes them here.\n"
        )
    lines = [
        [
            *(f"x{r.scale}", r.set, r.case, f"{r.gain:+.2f}", f"{r.gain_rgb:+.2f}"),
            f"{r.below} of {r.images}",
        ]
        for r in found.itertuples()
    ]
    names = ["scale", "test set", "case", "gain of luma", "gain of RGB", "images below bicubic"]
    return (
        f"{heading}Gain over bicubic interpolation of the same LR image, in dB of PSNR, and the "
        "number of images whose luma is worse. Cases and other models: "
        f"[photographs.md](../docs/photographs.md).\n\n{markdown(names, lines)}"
    )


def rows_of(study: Study) -> pd.DataFrame:
    """The rows of the networks that a study has now, not of those that were trained before."""
    columns = {*COLUMNS, "model", "weights"}
    found = read_rows(PHOTOGRAPHS, columns) if PHOTOGRAPHS.is_file() else pd.DataFrame()
    if found.empty:
        return found
    now = {scale: digits(path) for scale in SCALES if (path := study.network(scale)).is_file()}
    return found[(found["model"] == study.model) & (found["weights"] == found["scale"].map(now))]
