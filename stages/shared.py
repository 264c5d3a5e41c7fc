"""Stage `shared`: find the images of a test set whose picture is also in the training set.

    python -m stages.shared --dataset t91 --test-set set5

The score of such an image is not the score of an unseen picture. No image is removed: the table and
the report name these images, and the study continues.
"""

from pathlib import Path

from srstudy.common.command_line import parse
from srstudy.common.files import write_json
from srstudy.common.running import run
from srstudy.datasets.shared_pictures import lines_of, shared_file, shared_pictures

RAW = Path("data/raw")


def main() -> None:
    """Compare all images of both folders; write the pairs, print a warning for each."""
    arguments = parse(__doc__, "dataset", "test_set")
    train_set, test_set = arguments.dataset, arguments.test_set
    pairs = shared_pictures(RAW / train_set, RAW / test_set)
    output = shared_file(test_set)
    write_json(output, pairs)
    for line in lines_of(pairs, test_set):
        print(f"warning: {line}")
    print(f"{output}: pictures in both {train_set} and {test_set}: {len(pairs)}")


if __name__ == "__main__":
    run(main)
