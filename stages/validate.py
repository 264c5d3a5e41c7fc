"""Stage `validate`: refuse every wrong value of params.yaml before any work.

    python -m stages.validate

Its output never changes, so that a changed parameter reruns this check, and of the stages after
it only those that read the parameter.
"""

from pathlib import Path

from srstudy.common.files import whole_file
from srstudy.common.running import run
from srstudy.study.settings import read_study

OUTPUT = Path("data/params-checked")


def main() -> None:
    """Check, then leave the mark that the download stages depend on."""
    read_study()
    with whole_file(OUTPUT) as partial:
        partial.write_text("params.yaml was checked\n", encoding="utf-8")
    print("params.yaml: every value is allowed")


if __name__ == "__main__":
    run(main)
