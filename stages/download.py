"""Stage `download`: bring one known dataset into data/raw, every file checked by its SHA-256.

python -m stages.download set5
"""

import argparse
from pathlib import Path

from stages.core.datasets import fetch
from stages.core.running import run


def main() -> None:
    """Fetch all files of the dataset; data/raw/<dataset> appears when all of them are right."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset")
    dataset = parser.parse_args().dataset

    folder = Path("data/raw") / dataset
    count = fetch(dataset, folder)
    print(f"{folder}: {count} files")


if __name__ == "__main__":
    run(main)
