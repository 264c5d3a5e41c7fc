"""Stage `download`: bring one registered data set into data/raw, every file checked by its SHA-256.

python -m stages.download --dataset set5
"""

from pathlib import Path

from srstudy.common.command_line import parse
from srstudy.common.running import run
from srstudy.datasets.download import fetch


def main() -> None:
    """Fetch all files of the data set; data/raw/<dataset> appears when all of them are right."""
    dataset = parse(__doc__, "dataset").dataset
    folder = Path("data/raw") / dataset
    count = fetch(dataset, folder)
    print(f"{folder}: {count} files")


if __name__ == "__main__":
    run(main)
