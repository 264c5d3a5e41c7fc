"""Does regularization help? An ablation over lambda, as DVC experiments: `make ablation`.

Short runs of equal steps: every lambda, two networks, two seeds, x2 and x4, scored only by the PSNR
on the held-out training images. Then the same with very few steps, as in the student project. Each
run is an experiment of the current commit (`dvc exp show` lists them), so that a stopped ablation
continues where it was. Writes docs/ablation.csv and docs/ablation.png.
"""

import itertools
import json
from pathlib import Path

import matplotlib
import pandas as pd

from srstudy.common.files import whole_file
from srstudy.common.running import run
from srstudy.training.settings import FRESH
from tools.experiments import at_scales, read_from, run_experiment
from tools.writing import write_table

LAMBDAS = (0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1)
NETWORKS = ("srcnn", "progressive")
SCALES = (2, 4)
SEEDS = {"short": (1, 2), "undertrained": (1,)}
# The whole schedule is here: so docs/ablation.csv does not depend on the defaults.
GROUND: dict[str, object] = {
    "network_size.progressive": "{channels: 32, blocks: 7, equivariant: false}",
    "start_from": FRESH,
    "pretrain_epochs": 0,
    "pretrain_steps": "null",
    "optimizer": "adam",
    "learning_rate": at_scales(0.002, SCALES),
    "final_rate_share": 0,
    "warmup_share": 0.02,
    "validation_share": 0.1,
    "batch_size": at_scales(16, SCALES),
    "patch_size": at_scales(64, SCALES),
    "epochs": at_scales(1, SCALES),
    "steps": at_scales("null", SCALES),
}
BUDGETS: dict[str, dict[str, object]] = {
    # From fresh weights, with Adam: the simplest conditions for the question.
    # A larger stride gives fewer patches, so an epoch has fewer steps.
    "short": {**GROUND, "stride": at_scales(40, SCALES)},
    "undertrained": {**GROUND, "stride": at_scales(96, SCALES)},
}
TABLE, CHART = Path("docs/ablation.csv"), Path("docs/ablation.png")


def main() -> None:
    """Run the missing experiments, collect the scores, write table and chart, print the means."""
    rows = []
    for budget, fixed in BUDGETS.items():
        for network, seed, weight in itertools.product(NETWORKS, SEEDS[budget], LAMBDAS):
            name = f"ablation-{budget}-{network}-s{seed}-l{weight:g}"
            changes = {**fixed, "network": network, "seed": seed, "lambda": weight}
            run_experiment(name, changes, [f"train-regularized@{scale}" for scale in SCALES])
            for scale in SCALES:
                text = read_from(name, f"metrics/validation/x{scale}-regularized.json")
                result = json.loads(text)["validation"][f"x{scale}"]["regularized"]
                key = {"budget": budget, "network": network, "scale": scale, "seed": seed}
                rows.append({**key, "lambda": weight, **result})
    runs = pd.DataFrame(rows)
    write_table(TABLE, runs)
    draw(runs)
    print(means(runs).to_string())


def means(runs: pd.DataFrame) -> pd.DataFrame:
    """The mean validation PSNR over seeds: a row for each setting, a column for each lambda."""
    keys = ["budget", "network", "scale"]
    return runs.pivot_table(index=keys, columns="lambda", values="psnr", sort=False).round(3)


def draw(runs: pd.DataFrame) -> None:
    """PSNR over lambda on a logarithmic axis, with a line for lambda = 0 and the range of seeds."""
    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    budgets, scales = list(BUDGETS), list(SCALES)
    figure, axes = plt.subplots(
        len(budgets), len(scales), figsize=(9, 6.4), squeeze=False, layout="constrained"
    )
    for (i, budget), (j, scale) in itertools.product(enumerate(budgets), enumerate(scales)):
        axis = axes[i][j]
        for network in NETWORKS:
            mine = runs.query("budget == @budget and scale == @scale and network == @network")
            by = mine.groupby("lambda")["psnr"].agg(["mean", "min", "max"])
            curve = by[by.index > 0]
            (drawn,) = axis.plot(curve.index, curve["mean"], "o-", label=network)
            axis.fill_between(
                curve.index, curve["min"], curve["max"], color=drawn.get_color(), alpha=0.25
            )
            axis.axhline(
                by.loc[0, "mean"], color=drawn.get_color(), ls=":", label=f"{network}, lambda = 0"
            )
        axis.set(xscale="log", title=f"x{scale}, {budget}", xlabel="lambda")
        axis.set_ylabel("validation PSNR in dB")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    with whole_file(CHART) as partial:
        figure.savefig(partial, dpi=110, metadata={"Software": None})
    plt.close(figure)


if __name__ == "__main__":
    run(main)
