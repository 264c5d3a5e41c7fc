"""Stage `report`: the study as one page, report/index.html, which needs nothing but itself.

    python -m stages.report --test-set set5

The PSNR table, the first test set's pictures side by side, learning curves, the ablation over
lambda, the pipeline and its parameters. No dates and no times: equal studies are equal bytes.
"""

import argparse
from html import escape
from pathlib import Path

import pandas as pd
import yaml

from stages.core.dag import draw, edges
from stages.core.degradation import crop_to_multiple
from stages.core.evaluation import METHODS, images_folder
from stages.core.files import read_json, whole_file
from stages.core.images import list_images, read_image
from stages.core.page import (
    SIDE,
    Gallery,
    ablation_charts,
    fill_page,
    learning_curves,
    marked_up,
    psnr_table,
    script_data,
    table,
)
from stages.core.progress import progress
from stages.core.protocol import Protocol
from stages.core.running import run
from stages.core.settings.reader import read
from stages.core.settings.report import ReportSettings

SETTINGS = ("plain", "regularized")
MOST_IMAGES = 8  # of a test set; the page stays small enough to send


def main() -> None:
    """Read scores, pictures, curves and the graph; write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--test-set", required=True)
    test_set = parser.parse_args().test_set
    settings = read(ReportSettings)
    names = [f"x{scale}-{setting}" for scale in settings.scales for setting in SETTINGS]

    scores = read_json(Path(f"metrics/images/{test_set}.json"))
    gallery, paths = Gallery(), list_images(Path("data/raw") / test_set)
    shown = paths[:MOST_IMAGES]
    for path in progress(shown, "report", len(shown), "image"):
        for scale in settings.scales:
            psnr = scores[f"x{scale}"][path.stem]["psnr"]
            versions = {
                method: (
                    read_image(images_folder(scale, method, test_set) / f"{path.stem}.png"),
                    psnr[method],
                )
                for method in METHODS
                if method in psnr
            }
            truth = crop_to_multiple(read_image(path), scale)
            gallery.add(path.stem, scale, truth, versions)

    pretraining = f"pretraining, x{settings.scales[0]}"
    curves = {pretraining: pd.read_csv("metrics/curves/pretrained.csv")}
    curves |= {name: pd.read_csv(f"metrics/curves/{name}.csv") for name in names}
    validation = {name: read_json(Path(f"metrics/validation/{name}.json")) for name in names}
    last = curves[pretraining].iloc[-1]
    steps = [[pretraining, f"{last['step']:.0f}", f"{last['validation_psnr']:.2f}"]]
    steps += [
        [name, f"{result['steps']}", f"{result['psnr']:.2f}"]
        for name, content in validation.items()
        for scale in content["validation"].values()
        for result in scale.values()
    ]
    stages = yaml.safe_load(Path("dvc.yaml").read_text("utf-8"))["stages"]
    words = {name: stage.get("do", stage)["desc"] for name, stage in stages.items()}
    left = len(paths) - len(shown)
    rest = f"; {left} more are not shown" if left else ""

    page = fill_page(
        title="Super-resolution study",
        subtitle=escape(
            f"Network {settings.network}, trained on {settings.train_set}, tested on "
            f"{', '.join(settings.test_sets)}; lambda {settings.lambda_:g} where regularized"
        ),
        table=psnr_table(read_json(Path("metrics/summary.json"))["psnr"]),
        protocol=marked_up(Protocol(settings.degradation).sentence()),
        note=escape(
            f"Images of {test_set}{rest}. Of an image larger than {SIDE} x {SIDE} pixels, the part "
            "around the crop is shown."
        ),
        curves=learning_curves(curves),
        steps=table(["training", "steps", "validation PSNR in dB"], steps),
        ablation=ablation_charts(pd.read_csv("docs/ablation.csv")),
        graph=draw(edges(stages), words),
        parameters=escape(Path("params.yaml").read_text("utf-8")),
        data=script_data(gallery.data),
    )
    output = Path("report/index.html")
    with whole_file(output) as partial:
        partial.write_text(page, "utf-8")
    print(f"{output}: {len(shown)} images, {output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    run(main)
