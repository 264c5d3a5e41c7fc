"""How large are chance differences? The default recipe with several seeds: `make seeds`.

Each seed, with its own pretraining, is a DVC experiment. Its rows are added to docs/seeds.csv when
it is done, so that a stopped study continues where it was. Writes docs/seeds.csv and docs/seeds.md.
"""

from pathlib import Path

import pandas as pd

from srstudy.common.running import run
from srstudy.scoring.chance import gains, sentence, verdict
from srstudy.scoring.tables import markdown
from tools.experiments import run_experiment
from tools.repeats import (
    COLUMNS,
    EACH_RUN,
    TEST_SETS,
    Rows,
    gather,
    machine_if,
    mean,
    on_machines,
    scores,
)
from tools.writing import write_text

SEEDS = {2: (1, 2, 3, 4, 5), 4: (1, 2, 3)}
METHODS = ("plain", "regularized")
TABLE, PAGE = Path("docs/seeds.csv"), Path("docs/seeds.md")


def main() -> None:
    """Run the missing experiments, write table and page."""
    seeds = sorted({seed for some in SEEDS.values() for seed in some})
    counts = {f"seed-{s}": len(scales_of(s)) * len(METHODS) * len(TEST_SETS) for s in seeds}
    rows = gather(TABLE, counts, rows_of, columns=COLUMNS)
    write_text(PAGE, page(rows))
    print(PAGE.read_text("utf-8"))


def scales_of(seed: int) -> list[int]:
    """The scales for which a seed is trained."""
    return [scale for scale, seeds in SEEDS.items() if seed in seeds]


def rows_of(name: str) -> Rows:
    """Run one seed; return a row for each scale, test set and method."""
    seed = int(name.partition("-")[2])
    keys = [(s, t, m) for s in scales_of(seed) for t in TEST_SETS for m in METHODS]
    ran = run_experiment(name, settings(seed), [f"evaluate@{s}-{m}-{t}" for s, t, m in keys])
    where = {"machine": machine_if(ran)}
    return [
        {"seed": seed, "scale": s, "set": t, "method": m}
        | {"psnr": mean(scores(name, s, t, m)), **where}
        for s, t, m in keys
    ]


def settings(seed: int) -> dict[str, object]:
    """The changes to params.yaml for one seed."""
    return {
        "seed": seed,
        "train_set": "t91",
        **EACH_RUN,
        "scales": scales_of(seed),
        "cascade_scales": [],
        "mnist.seeds": [],
        "datasets": ["t91", *TEST_SETS],
        "test_sets": [*TEST_SETS],
    }


def page(rows: pd.DataFrame) -> str:
    """Means with their standard deviations, and the paired differences of the two settings."""
    lines = []
    for (scale, test_set), mine in rows.groupby(["scale", "set"], sort=False):
        by = mine.groupby("method")["psnr"]
        cells = [f"{by.mean()[m]:.3f} ± {by.std()[m]:.3f}" for m in METHODS]
        lines.append([f"{test_set} x{scale}", str(mine["seed"].nunique()), *cells])
    means = markdown(["PSNR in dB", "seeds", *METHODS], lines)
    pairs = []
    for test_set in TEST_SETS:
        for gain in gains(rows[rows["set"] == test_set]).itertuples():
            ends = f"{gain.low:+.4f} to {gain.high:+.4f}" if gain.seeds > 1 else ""
            pairs.append(
                [f"{test_set} x{gain.Index}", f"{gain.seeds:.0f}", f"{gain.mean:+.4f}", ends]
            )
    differences = markdown(
        ["regularized - plain, same seed, in dB", "seeds", "mean", "95 % interval"], pairs
    )
    return (
        "# How large is chance?\n\nThe default recipe of [params.yaml](../params.yaml) with "
        "several seeds, pretraining included: mean and standard deviation over the seeds. Every "
        f"run: [seeds.csv](seeds.csv). Written by `make seeds`{on_machines(rows)}.\n\n{means}\n"
        f"{sentence(rows)}\n\n{differences}\n{verdict(rows)}\n"
    )


if __name__ == "__main__":
    run(main)
