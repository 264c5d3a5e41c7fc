"""Stage `report`: the study as one page, report/index.html, which needs nothing but itself.

    python -m stages.report --test-set set5

A table for each metric, the first test set's pictures side by side, learning curves, the ablation
over lambda, the pipeline and its parameters. No dates and no times: equal studies are equal bytes.
"""

from html import escape
from pathlib import Path

import pandas as pd
import yaml

from srstudy.common.command_line import parse
from srstudy.common.files import read_json, whole_file
from srstudy.common.params import read
from srstudy.common.progress import progress
from srstudy.common.running import run
from srstudy.datasets.shared_pictures import shared_lines
from srstudy.degradations.shared.degradation import degradation
from srstudy.imagefiles.listing import list_images
from srstudy.imagefiles.reading import read_image
from srstudy.images.pairs import crop_to_multiple
from srstudy.report.dag import draw, edges
from srstudy.report.page import (
    SIDE,
    Gallery,
    ablation_charts,
    fill_page,
    learning_curves,
    marked_up,
    score_tables,
    script_data,
    step_counts,
)
from srstudy.report.settings import ReportSettings
from srstudy.scoring.evaluation import RESTORED, SETTINGS, images_folder, methods_at
from srstudy.scoring.leftovers import keep_only
from srstudy.scoring.metrics import first_metric
from srstudy.scoring.tables import of_metric

SUMMARY = Path("metrics/summary.json")
MOST_IMAGES = 8  # of a test set; the page stays small enough to send


def main() -> None:
    """Read scores, pictures, curves and the graph; write the page."""
    test_set = parse(__doc__, "test_set").test_set
    settings = read(ReportSettings)
    methods = {scale: methods_at(settings, scale) for scale in settings.scales}
    wanted = [(scale, method) for scale, found in methods.items() for method in found]
    keep_only(
        RESTORED, {images_folder(*pair, name) for name in settings.test_sets for pair in wanted}
    )
    names = [f"x{scale}-{setting}" for scale in settings.scales for setting in SETTINGS]

    images, first = Path(f"metrics/images/{test_set}.json"), first_metric()
    scores, gallery, paths = read_json(images), Gallery(), list_images(Path("data/raw") / test_set)
    shown = paths[:MOST_IMAGES]
    for path in progress(shown, "report", len(shown), "image"):
        for scale in settings.scales:
            by_method = of_metric(scores[f"x{scale}"][path.stem], first, images)
            versions = {
                method: (
                    read_image(images_folder(scale, method, test_set) / f"{path.stem}.png"),
                    by_method[method],
                )
                for method in methods[scale]
            }
            truth = crop_to_multiple(read_image(path), scale)
            gallery.add(path.stem, scale, truth, versions)

    pretraining = f"pretraining, x{settings.scales[0]}"
    curves = {pretraining: pd.read_csv("metrics/curves/pretrained.csv")}
    curves |= {name: pd.read_csv(f"metrics/curves/{name}.csv") for name in names}
    validation = {name: read_json(Path(f"metrics/validation/{name}.json")) for name in names}
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
        tables=score_tables(read_json(SUMMARY), SUMMARY),
        protocol=marked_up(degradation(settings.degradation).sentence()),
        shared=escape("\n".join(shared_lines(settings.test_sets))),
        note=escape(
            f"Images of {test_set}{rest}. Of an image larger than {SIDE} x {SIDE} pixels, the part "
            "around the crop is shown."
        ),
        curves=learning_curves(curves),
        steps=step_counts(pretraining, curves[pretraining], validation),
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
