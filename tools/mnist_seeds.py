"""The MNIST warm-up with three seeds, as one DVC experiment: `make mnist-seeds`.

The accuracy of one seed is only one random result. Writes docs/mnist-seeds.csv.
"""

import json
from pathlib import Path

import pandas as pd

from srstudy.common.running import run
from tools.experiments import read_from, run_experiment
from tools.writing import write_table

SEEDS = (1, 2, 3)
NAME = "mnist-seeds"
SETTINGS = {"mnist.seeds": [*SEEDS]}
TABLE = Path("docs/mnist-seeds.csv")


def main() -> None:
    """Run the experiment if it is missing; write and print the table."""
    run_experiment(NAME, SETTINGS, ["mnist"])
    rows = []
    for seed in SEEDS:
        of_seed = f"seed-{seed}"
        scores = json.loads(read_from(NAME, f"metrics/mnist/{of_seed}.json"))["mnist"][of_seed]
        rows.append({"seed": seed, **scores})
    write_table(TABLE, pd.DataFrame(rows))
    print(TABLE.read_text("utf-8"))


if __name__ == "__main__":
    run(main)
