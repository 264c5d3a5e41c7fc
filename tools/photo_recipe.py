"""Networks for photographs that are compressed as JPEG or noisy: `make photo`.

The pretrained network of the long recipe is pretrained further on LR images of the `photo`
degradation; then a network is trained for each scale (tools/parts.py). Writes docs/photo-recipe.csv
and .md, docs/photo/, weights/photo/, weights/*-photo.onnx and their card.
"""

from pathlib import Path

import pandas as pd

from srstudy.common.running import run
from srstudy.scoring.tables import markdown
from tools.experiments import at_scales
from tools.parts import METHOD, Part, Study
from tools.parts_page import card, page, scored, shown
from tools.repeats import ON_290

SCALES = (2, 4)
BICUBIC = "bicubic"
GROUND: dict[str, object] = {
    **ON_290,
    "degradation": "photo",
    "strengths.photo": "{compressed: 0.75, quality: [15, 85], noisy: 0.5, noise: [0, 15]}",
    "strength_seed": 1,
    "patch_size": "{x2: 64, x4: 128}",
    "stride": "{x2: 24, x4: 48}",
    "network": "progressive",
    "network_size.progressive": "{channels: 64, blocks: 12, equivariant: true}",
    "loss": "charbonnier",
    "batch_size": "{x2: 16, x4: 8}",
    "warmup_share": 0.02,
    "epochs": at_scales("null", SCALES),
}
LONG = Path("weights/long/pretrained-3.weights.h5")
# With the strengths of `GROUND`, x2 lost too much at clean LR and at weak compression.
WEAKER = {
    "strengths.photo": "{compressed: 0.7, quality: [20, 92], noisy: 0.4, noise: [0, 13]}",
}
PARTS = {
    "pretrained-photo": Part(2, LONG, 2000, rate=0.001),
    "x2": Part(2, "pretrained-photo", 1200, rate=0.0007, last=0.0, seed=2, own=WEAKER),
    "x4": Part(4, "pretrained-photo", 450, rate=0.0007, last=0.0, seed=2),
}
STUDY = Study("photo", "photo", GROUND, PARTS, beside=(BICUBIC,))


def main() -> None:
    """Run the missing parts, write table, page and card."""
    STUDY.run(page_of, card_of)


def page_of(rows: pd.DataFrame) -> str:
    """docs/photo-recipe.md."""
    intro = (
        "# The photo recipe\n\nNetworks for photographs that are compressed as JPEG or noisy, "
        "beside bicubic interpolation of the same LR images. They are those of the `photo` "
        "degradation: of test sets at its one stated strength, of training images at strengths "
        "that are drawn for each. Published figures are of clean LR images, so they are not shown. "
        "How the networks do at other strengths: [photographs.md](photographs.md). Written by "
        "`make photo`; the same as CSV: [photo-recipe.csv](photo-recipe.csv)."
    )
    end = (
        " A held-out image has the strengths that its training draws for it: so compare the PSNR "
        "of held-out images only within a curve."
    )
    return page(STUDY, rows, intro, beside_bicubic(scored(rows)), end)


def beside_bicubic(scored: pd.DataFrame) -> str:
    """PSNR and SSIM of bicubic and of the networks, a line for each test set and scale."""
    lines = []
    for (scale, test_set), rows in scored.groupby(["scale", "test_set"], sort=False):
        by = rows.set_index("method")
        psnr = [by.loc[method, "psnr"] for method in (BICUBIC, METHOD)]
        ssim = [f"{by.loc[method, 'ssim']:.4f}" for method in (BICUBIC, METHOD)]
        told = [*(f"{value:.2f}" for value in psnr), f"{psnr[1] - psnr[0]:+.2f}", *ssim]
        lines.append([f"{test_set} x{scale}", *told])
    heading = ["", "bicubic, PSNR in dB", STUDY.model, "gain", "bicubic, SSIM", STUDY.model]
    return markdown(heading, lines)


def card_of(rows: pd.DataFrame) -> str:
    """weights/photo.md: the networks of `upscale --model photo`, and their scores."""
    intro = (
        "# Weights of the photo recipe\n\n`upscale --model photo`: for photographs that are "
        "compressed as JPEG or noisy. Written by `make photo`."
    )
    data = (
        "LR made by the `photo` degradation: bicubic, then noise and JPEG compression of strengths "
        f"that are drawn for each image, {strengths()}. Their meaning: "
        "[params.yaml](../params.yaml). For clean photographs: [clean.md](clean.md)."
    )
    return card(STUDY, scored(rows), intro, data)


def strengths() -> str:
    """The strengths that the network of each scale was trained with, in words."""
    key = "strengths.photo"
    own = {name: part.own.get(key, GROUND[key]) for name, part in PARTS.items()}
    return "; ".join(f"at x{scale}: {shown(own[f'x{scale}'])}" for scale in SCALES)


if __name__ == "__main__":
    run(main)
