"""Stage `report`: the study as one page, report/index.html, which needs no other file.

    python -m stages.report

It shows a table for each metric, the scores of every image, pictures of each test set side by side,
learning curves, the ablation over lambda, the networks compared with their papers, the pipeline and
its parameters. It has no dates and no times: equal studies give equal bytes.
"""

from html import escape
from pathlib import Path

import yaml

from srstudy.common.command_line import parse
from srstudy.common.files import read_json, whole_file
from srstudy.common.params import read
from srstudy.common.running import run
from srstudy.datasets.shared_pictures import shared_lines
from srstudy.degradations.shared.degradation import degradation
from srstudy.report.dag import draw, edges
from srstudy.report.gallery import GALLERY, MOST_IMAGES, SIDE, gallery, gallery_folder
from srstudy.report.image_tables import image_tables
from srstudy.report.page import (
    ablation_charts,
    fill_page,
    learning_curves,
    marked_up,
    network_charts,
    read_csv,
    score_tables,
    script_data,
    step_counts,
)
from srstudy.report.settings import ReportSettings
from srstudy.scoring import chance
from srstudy.scoring.evaluation import SETTINGS
from srstudy.scoring.leftovers import keep_only
from srstudy.scoring.missing import missing_scores
from srstudy.scoring.tables import of_images

SUMMARY = Path("metrics/summary.json")


def main() -> None:
    """Read scores, pictures, curves and the graph; write the page."""
    parse(__doc__)
    settings = read(ReportSettings)
    test_sets, scales = settings.test_sets, settings.scales
    keep_only(GALLERY, {gallery_folder(scale, name) for scale in scales for name in test_sets})
    names = [f"x{scale}-{setting}" for scale in scales for setting in SETTINGS]
    images = {name: read_json(Path(f"metrics/images/{name}.json")) for name in test_sets}
    # The lines under the tables.
    notes = missing_scores(of_images(images)) + shared_lines(test_sets)
    notes += chance.notes(settings.degradation, scales)
    found = chance.verdict(chance.measured())

    pretraining = f"pretraining, x{scales[0]}"
    curves = {pretraining: read_csv(Path("metrics/curves/pretrained.csv"))}
    curves |= {name: read_csv(Path(f"metrics/curves/{name}.csv")) for name in names}
    validation = {name: read_json(Path(f"metrics/validation/{name}.json")) for name in names}
    stages = yaml.safe_load(Path("dvc.yaml").read_text("utf-8"))["stages"]
    words = {name: stage.get("do", stage)["desc"] for name, stage in stages.items()}

    page = fill_page(
        title="Super-resolution study",
        subtitle=escape(
            f"Network {settings.network}, trained on {settings.train_set}, tested on "
            f"{', '.join(test_sets)}; lambda {settings.lambda_:g} where regularized"
        ),
        tables=score_tables(read_json(SUMMARY), SUMMARY, notes),
        images=image_tables(images),
        protocol=marked_up(degradation(settings.degradation).sentence()),
        most=str(MOST_IMAGES),
        side=str(SIDE),
        curves=learning_curves(curves),
        steps=step_counts(pretraining, curves[pretraining], validation),
        verdict=escape(found and f"{found} Every seed: {chance.TABLE}."),
        ablation=ablation_charts(read_csv(Path("docs/ablation.csv"))),
        networks="\n".join(network_charts(read_csv(Path("docs/networks-chart.csv")))),
        graph=draw(edges(stages), words),
        parameters=escape(Path("params.yaml").read_text("utf-8")),
        data=script_data([gallery(*of_set) for of_set in images.items()]),
    )
    output = Path("report/index.html")
    with whole_file(output) as partial:
        partial.write_text(page, "utf-8")
    print(f"{output}: {', '.join(test_sets)}, {output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    run(main)
