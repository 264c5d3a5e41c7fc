"""The effect of more training images, and of a leak: `make training-data`.

The plain network of the default recipe at x2, with the same number of steps on T91, on the 291
images of the literature, and on these without the image that is also in Set5, with several seeds.
Each run is a DVC experiment. Its rows are added to docs/data.csv when it is done, so that a stopped
study continues where it was. Writes docs/data.csv and docs/data.md.
"""

from pathlib import Path

import pandas as pd

from srstudy.common.running import run
from srstudy.scoring.chance import gains
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

TRAIN_SETS = ("t91", "t290", "t291")
SEEDS = (1, 2, 3)
SCALE, METHOD = 2, "plain"
LEAKED = ("set5", "woman_GT")  # bsd200/302003.jpg, shrunk to 0.72
QUESTIONS = (("t290", "t91", "199 more images"), ("t291", "t290", "the leak"))
TABLE, PAGE = Path("docs/data.csv"), Path("docs/data.md")


def main() -> None:
    """Run the missing experiments, write table and page."""
    names = [f"data-{train_set}-seed-{seed}" for seed in SEEDS for train_set in TRAIN_SETS]
    counts = dict.fromkeys(names, len(TEST_SETS) + 1)
    rows = gather(TABLE, counts, rows_of, columns=COLUMNS)
    write_text(PAGE, page(rows))
    print(PAGE.read_text("utf-8"))


def rows_of(name: str) -> Rows:
    """Train on one set with one seed; return a row for each test set and for the leaked image."""
    _, train_set, _, seed = name.split("-")
    ran = run_experiment(
        name, settings(train_set, int(seed)), [f"evaluate@{SCALE}-{METHOD}-{t}" for t in TEST_SETS]
    )
    found = {t: scores(name, SCALE, t, METHOD) for t in TEST_SETS}
    values = {t: mean(images) for t, images in found.items()}
    values["set5: woman"] = found[LEAKED[0]][LEAKED[1]]
    key = {"seed": int(seed), "scale": SCALE, "method": train_set}
    where = {"machine": machine_if(ran)}
    return [{**key, "set": test_set, "psnr": psnr, **where} for test_set, psnr in values.items()]


def settings(train_set: str, seed: int) -> dict[str, object]:
    """The changes to params.yaml for one training set and seed."""
    return {
        "seed": seed,
        "train_set": train_set,
        **EACH_RUN,
        "scales": [SCALE],
        "cascade_scales": [],
        "mnist.seeds": [],
        "datasets": [train_set, *TEST_SETS],
        "test_sets": [*TEST_SETS],
    }


def page(rows: pd.DataFrame) -> str:
    """Means with their standard deviations, and the differences."""
    sets = list(dict.fromkeys(rows["set"]))
    lines = []
    for test_set in sets:
        by = rows[rows["set"] == test_set].groupby("method")["psnr"]
        cells = [f"{by.mean()[t]:.3f} ± {by.std()[t]:.3f}" for t in TRAIN_SETS]
        lines.append([test_set, *cells])
    answers = []
    for one, other, what in QUESTIONS:
        for test_set in sets:
            gain = next(gains(rows[rows["set"] == test_set], one, other).itertuples())
            ends = f"{gain.low:+.3f} to {gain.high:+.3f}" if gain.seeds > 1 else ""
            answers.append([f"{what} ({one} - {other})", test_set, f"{gain.mean:+.3f}", ends])
    return (
        "# What the training images are worth\n\nThe plain network of the default recipe at "
        f"x{SCALE}, in the same steps on three training sets, {rows['seed'].nunique()} seeds: mean "
        "and standard deviation over the seeds. `t291` is T91 and the 200 training images of "
        "BSDS300, as in the literature; one of these, 302003, is Set5's `woman`, and `t290` is "
        "t291 without it. Every run: [data.csv](data.csv). Written by `make "
        f"training-data`{on_machines(rows)}.\n\n{markdown(['PSNR in dB', *TRAIN_SETS], lines)}\n"
        f"{markdown(['difference in dB', 'set', 'mean', '95 % interval'], answers)}"
    )


if __name__ == "__main__":
    run(main)
