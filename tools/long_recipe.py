"""The three plain networks, larger and pretrained for longer: `make long`.

One DVC experiment, `long`, that leaves the workspace as it is; `dvc exp apply long` brings its
parameters, models and curves into it. Writes docs/long-recipe.md.
"""

import json
import time
from pathlib import Path

from srstudy.common.running import run
from srstudy.scoring.tables import markdown
from tools.bench import machine
from tools.experiments import at_scales, experiments, read_from, read_output, run_experiment
from tools.published import figures

NAME = "long"
SCALES = (2, 4, 8)
TEST_SETS = ("set5", "set14")
SETTINGS: dict[str, object] = {
    "loss": "charbonnier",
    "network_size.progressive": "{channels: 48, blocks: 12, equivariant: true}",
    "validation_share": 0.02,
    "pretrain_epochs": 10,
    "epochs": at_scales(1, SCALES),
    "learning_rate": "{x2: 0.002, x4: 0.0003, x8: 0.0003}",
    "final_rate_share": 1,
    "warmup_share": 0.02,
}
# The default's budget is in steps, which this one's takes the place of.
NO_STEPS: dict[str, object] = {"pretrain_steps": "null", "steps": at_scales("null", SCALES)}
REPORT = Path("docs/long-recipe.md")


def main() -> None:
    """Run the experiment where it is missing, print and write its table."""
    start, there = time.monotonic(), NAME in experiments()
    stages = [f"evaluate@{scale}-plain-{test}" for scale in SCALES for test in TEST_SETS]
    run_experiment(NAME, {**SETTINGS, **NO_STEPS}, stages)
    minutes = (time.monotonic() - start) / 60
    where = "" if there else f"It took {minutes:.0f} minutes on {machine()}. "
    changes = [f"- `{key}`: {value}" for key, value in SETTINGS.items()]
    REPORT.write_text(
        "# The long recipe\n\nThe plain networks of x2, x4 and x8 with these changes to "
        "[params.yaml](../params.yaml):\n\n" + "\n".join(changes) + f"\n\n{where}Written by "
        f"`make long`.\n\n{table()}",
        encoding="utf-8",
    )
    print(REPORT.read_text("utf-8"))


def table() -> str:
    """A row for each test set and scale: ours, by this recipe and the default, and the others'."""
    default = json.loads(Path("metrics/summary.json").read_text("utf-8"))["psnr"]
    published = {(f.test_set, f.scale, f.method): f.text for f in figures("psnr")}
    others = ("VDSR", "LapSRN")
    rows = []
    for test_set in TEST_SETS:
        for scale in SCALES:
            name = f"x{scale}"
            theirs = (published.get((test_set, name, method), "") for method in others)
            values = [mean_psnr(test_set, scale), default[test_set][name]["plain"]]
            cells = [*(f"{value:.2f}" for value in values), *theirs]
            rows.append([f"{test_set} {name}", steps(scale), *cells])
    return markdown(["PSNR in dB", "steps after pretraining", "**long**", "default", *others], rows)


def steps(scale: int) -> str:
    """Those of the network itself; the ones before, at x2, are shared by all."""
    scores = json.loads(read_from(NAME, f"metrics/validation/x{scale}-plain.json"))
    return f"{scores['validation'][f'x{scale}']['plain']['steps']:,}"


def mean_psnr(test_set: str, scale: int) -> float:
    """Over the images of a test set, of the experiment's plain network."""
    scores = json.loads(read_output(NAME, f"data/scores/x{scale}/{test_set}/plain.json"))
    return sum(image["psnr"] for image in scores.values()) / len(scores)


if __name__ == "__main__":
    run(main)
