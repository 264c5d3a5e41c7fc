"""The MNIST warm-up with three seeds, as DVC experiments: `make mnist-seeds`.

One accuracy is one draw. Writes docs/mnist-seeds.csv.
"""

import json
from pathlib import Path

import pandas as pd

from tools.experiments import read_from, run_experiment

SEEDS = (1, 2, 3)
TABLE = Path("docs/mnist-seeds.csv")


def main() -> None:
    """Run what is missing, write and print the table."""
    rows = []
    for seed in SEEDS:
        name = f"mnist-seed-{seed}"
        run_experiment(name, {"mnist.seed": seed}, ["mnist"])
        rows.append({"seed": seed, **json.loads(read_from(name, "metrics/mnist.json"))["mnist"]})
    TABLE.parent.mkdir(exist_ok=True)
    pd.DataFrame(rows).to_csv(TABLE, index=False)
    print(TABLE.read_text("utf-8"))


if __name__ == "__main__":
    main()
