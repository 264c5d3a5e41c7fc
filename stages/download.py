"""Stages `download` and `download-mnist`: fetch a registered data set and check each SHA-256.

python -m stages.download --dataset set5 --to data/raw/set5
"""

from srstudy.common.command_line import parse
from srstudy.common.running import run
from srstudy.datasets.download import fetch


def main() -> None:
    """Fetch all files of the data set; the folder appears only if all of them are correct."""
    arguments = parse(__doc__, "dataset", "to")
    count = fetch(arguments.dataset, arguments.to)
    print(f"{arguments.to}: {count} files")


if __name__ == "__main__":
    run(main)
