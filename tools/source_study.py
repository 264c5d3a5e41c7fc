"""The student project's own setting, compared with its own figures: `make source-study`.

SRCNN on 32-pixel patches of T91, x2, OpenCV's degradation, no cropped border; then a small
`progressive` in the same setting. These are two DVC experiments, source-srcnn and
source-progressive, which do not change the workspace. Writes docs/source-study.md.
"""

import json
from pathlib import Path

from srstudy.common.running import run
from srstudy.scoring.tables import markdown
from srstudy.training.settings import FRESH
from tools.experiments import read_from, run_experiment
from tools.published import student
from tools.writing import write_text

# The whole schedule is here: so docs/source-study.md does not depend on the defaults.
SETTING: dict[str, object] = {
    "degradation": "opencv",
    "scales": "[2]",
    "cascade_scales": "[]",
    "datasets": "[t91,set5]",
    "test_sets": "[set5]",
    "downscaled_copies": "[]",
    "start_from": FRESH,
    "pretrain_epochs": 0,
    "pretrain_steps": "null",
    "steps": "{x2: null}",
    "learning_rate": "{x2: 0.002}",
    "final_rate_share": 0,
    "warmup_share": 0.02,
    "validation_share": 0.1,
}
NETWORKS: dict[str, dict[str, object]] = {
    "srcnn": {
        "network": "srcnn",
        "patch_size": "{x2: 32}",
        "stride": "{x2: 16}",
        "batch_size": "{x2: 64}",
        "epochs": "{x2: 12}",
    },
    "progressive": {
        "network": "progressive",
        "network_size.progressive": "{channels: 32, blocks: 7, equivariant: false}",
        "batch_size": "{x2: 16}",
        "epochs": "{x2: 5}",
    },
}
REPORT = Path("docs/source-study.md")


def main() -> None:
    """Run both experiments, print and write the tables."""
    tables = []
    for network, settings in NETWORKS.items():
        name = f"source-{network}"
        run_experiment(name, {**SETTING, **settings}, ["summarize", "compare"])
        images = json.loads(read_from(name, "metrics/images/set5.json"))["x2"]
        tables.append(f"## {network}\n\n{table(student(), images)}")
    text = (
        "# The student project's setting\n\nSet5 x2, PSNR in dB: theirs -> ours. OpenCV's "
        "degradation, full-range luma, nothing cropped. Written by `make source-study`.\n\n"
    )
    write_text(REPORT, text + "\n".join(tables))
    print(REPORT.read_text("utf-8"))


def table(printed: dict[str, dict[str, float]], images: dict[str, dict]) -> str:
    """A row for each image and their mean: the student's figure and ours, for each method."""
    methods = list(printed)
    pairs = {
        image.removesuffix("_GT"): [
            (printed[method][image.removesuffix("_GT")], scores["psnr"][method])
            for method in methods
        ]
        for image, scores in images.items()
    }
    columns = zip(*pairs.values(), strict=True)
    pairs["mean"] = [
        (sum(a for a, _ in c) / len(c), sum(b for _, b in c) / len(c)) for c in columns
    ]
    rows = [
        [image, *(f"{theirs:.2f} -> {ours:.2f}" for theirs, ours in row)]
        for image, row in pairs.items()
    ]
    return markdown(["image", *methods], rows)


if __name__ == "__main__":
    run(main)
