"""Small networks for `upscale --model fast`, at x2 and x4, on 290 images: `make fast`.

One network for each scale, from fresh weights: it is pretrained with a constant learning rate, then
trained while the rate falls to 0 (tools/parts.py). Writes docs/fast-recipe.csv and .md, docs/fast/,
weights/fast/, weights/*-fast.onnx and their card. The speed of other sizes: tools/fast_tried.py.
"""

import pandas as pd

from srstudy.common.running import run
from tools.experiments import at_scales
from tools.parts import Part, Study
from tools.parts_page import beside_published, card, page, scored, shown
from tools.repeats import ON_290

SCALES = (2, 4)
NETWORK = "sesr"
GROUND: dict[str, object] = {
    **ON_290,
    "patch_size": "{x2: 64, x4: 128}",
    "stride": "{x2: 24, x4: 48}",
    "network": NETWORK,
    "loss": "charbonnier",
    "batch_size": "{x2: 16, x4: 8}",
    "warmup_share": 0.02,
    "epochs": at_scales("null", SCALES),
}
# Their speed: docs/fast-tried.csv; other sizes, by held-out images: docs/fast-sizes.csv.
SIZES = {
    2: {"channels": 24, "layers": 8, "ends": 3},
    4: {"channels": 24, "layers": 7, "ends": 3},
}
RATE = 0.004


def size(scale: int) -> dict[str, object]:
    """The change to params.yaml that gives the network of a scale."""
    entries = ", ".join(f"{key}: {value}" for key, value in SIZES[scale].items())
    return {f"network_size.{NETWORK}": f"{{{entries}}}"}


PARTS = {
    "pretrained-x2": Part(2, None, 12_000, RATE, own=size(2)),
    "x2": Part(2, "pretrained-x2", 8000, RATE, last=0.0, seed=2, own=size(2)),
    "pretrained-x4": Part(4, None, 24_000, RATE, own=size(4)),
    "x4": Part(4, "pretrained-x4", 16_000, RATE, last=0.0, seed=2, own={**size(4), "loss": "mse"}),
}
STUDY = Study("fast", "fast", GROUND, PARTS)


def main() -> None:
    """Run the missing parts, write table, page and card."""
    STUDY.run(page_of, card_of)


def page_of(rows: pd.DataFrame) -> str:
    """docs/fast-recipe.md."""
    intro = (
        "# The fast recipe\n\nSmall networks, each trained for one scale alone: "
        f"`{STUDY.name}`, single pass; `default` is the plain network of "
        "[params.yaml](../params.yaml) ([four-sets.md](four-sets.md)). Written by `make fast`; the "
        "same as CSV: [fast-recipe.csv](fast-recipe.csv). How fast other sizes are: "
        "[fast-tried.csv](fast-tried.csv)."
    )
    return page(STUDY, rows, intro, beside_published(STUDY, scored(rows)))


def card_of(rows: pd.DataFrame) -> str:
    """weights/fast.md: the networks of `upscale --model fast`, and their scores."""
    intro = (
        "# Weights of the fast recipe\n\n`upscale --model fast`: for clean photographs, where time "
        "counts more than the last tenths of a decibel. Written by `make fast`."
    )
    data = (
        f"LR made by the `{shown(GROUND['degradation'])}` degradation: bicubic, without noise or "
        "compression. Photographs that were compressed hard, are noisy or blurred are enlarged "
        "with their faults."
    )
    return card(STUDY, scored(rows), intro, data)


if __name__ == "__main__":
    run(main)
