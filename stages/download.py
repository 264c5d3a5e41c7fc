"""Stages `download` and `download-mnist`: a registered data set, files checked by their SHA-256.

python -m stages.download --dataset set5 --to data/raw/set5
"""

import argparse
from pathlib import Path

from srstudy.common.running import run
from srstudy.datasets.download import fetch


def main() -> None:
    """Fetch all files of the data set; the folder appears when all of them are right."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--to", required=True, type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    count = fetch(arguments.dataset, arguments.to)
    print(f"{arguments.to}: {count} files")


if __name__ == "__main__":
    run(main)
