"""The strongest plain networks of an evening's training on two cores: 290 images, `make long`.

It pretrains at x2 in parts, then trains a network for each scale (tools/parts.py). Writes
docs/long-recipe.csv and .md, docs/long/, weights/long/, weights/*-clean.onnx and their card.
"""

import pandas as pd

from srstudy.common.running import run
from tools.experiments import at_scales
from tools.parts import Part, Study
from tools.parts_page import beside_published, card, page, scored, shown
from tools.repeats import ON_290

SCALES = (2, 3, 4, 8)
GROUND: dict[str, object] = {
    **ON_290,
    "patch_size": "{x2: 64, x3: 66, x4: 128, x8: 128}",
    "stride": "{x2: 24, x3: 24, x4: 48, x8: 48}",
    "network": "progressive",
    "network_size.progressive": "{channels: 64, blocks: 12, equivariant: true}",
    "loss": "charbonnier",
    "batch_size": "{x2: 16, x3: 16, x4: 8, x8: 8}",
    "warmup_share": 0.02,
    "epochs": at_scales("null", SCALES),
}
# The same patch width in LR pixels as at the other scales: with a smaller one, the receptive field
# reaches beyond the patch.
WIDE_X3: dict[str, object] = {
    "patch_size": "{x2: 64, x3: 96, x4: 128, x8: 128}",
    "stride": "{x2: 24, x3: 36, x4: 48, x8: 48}",
    "batch_size": "{x2: 16, x3: 8, x4: 8, x8: 8}",
}
PARTS = {
    "pretrained-1": Part(2, None, 3300),
    "pretrained-2": Part(2, "pretrained-1", 3300, seed=2),
    "pretrained-3": Part(2, "pretrained-2", 3300, rate=0.0007, seed=3),
    "x2": Part(2, "pretrained-3", 1600, rate=0.0004, last=0.0, seed=4),
    "pretrained-x3": Part(3, "pretrained-3", 3000, rate=0.001, seed=4, own=WIDE_X3),
    "x3": Part(
        3, "pretrained-x3", 1600, rate=0.0004, last=0.0, seed=5, own={**WIDE_X3, "loss": "mse"}
    ),
    "x4": Part(4, "pretrained-3", 900, rate=0.0007, last=0.0, seed=4, own={"loss": "mse"}),
    "x8": Part(8, "pretrained-3", 300, rate=0.0004, last=0.0, seed=4),
}
STUDY = Study("long", "clean", GROUND, PARTS)


def main() -> None:
    """Run the missing parts, write table, page and card."""
    STUDY.run(page_of, card_of)


def page_of(rows: pd.DataFrame) -> str:
    """docs/long-recipe.md."""
    intro = (
        "# The long recipe\n\nThe strongest plain networks that an evening on two cores trains: "
        f"`{STUDY.name}`, single pass; `default` is the plain network of "
        "[params.yaml](../params.yaml) ([four-sets.md](four-sets.md)). Written by `make long`; the "
        "same as CSV: [long-recipe.csv](long-recipe.csv)."
    )
    end = " How this was found: [recipe.md](guide/recipe.md)."
    return page(STUDY, rows, intro, beside_published(STUDY, scored(rows)), end)


def card_of(rows: pd.DataFrame) -> str:
    """weights/clean.md: the networks of `upscale --model clean`, and their scores."""
    intro = (
        "# Weights of the long recipe\n\n`upscale --model clean`, which is also what it "
        "chooses for images that were compressed without loss. Written by `make long`."
    )
    data = (
        f"LR made by the `{shown(GROUND['degradation'])}` degradation: bicubic, without noise or "
        "compression. Photographs that were compressed hard, are noisy or blurred are enlarged "
        "with their faults."
    )
    return card(STUDY, scored(rows), intro, data)


if __name__ == "__main__":
    run(main)
