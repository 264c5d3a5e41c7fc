"""The study's networks on the four test sets of the literature: `make four-sets`.

One DVC experiment with the networks that `dvc repro` has trained: nothing is trained again. Writes
docs/four-sets.json, in the form of metrics/summary.json, and docs/four-sets.md.
"""

import json
from pathlib import Path

from srstudy.common.running import run
from srstudy.scoring import chance
from tools.experiments import read_from, run_experiment
from tools.readme import CLASS
from tools.repeats import TEST_SETS
from tools.table import compared, for_page
from tools.writing import write_text

NAME = "four-sets"
SETTINGS: dict[str, object] = {
    "datasets": ["t91", *TEST_SETS],
    "test_sets": [*TEST_SETS],
    "cascade_scales": [],
    "mnist.seeds": [],
}
RESULTS, PAGE = Path("docs/four-sets.json"), Path("docs/four-sets.md")


def main() -> None:
    """Score the networks if that is missing; write summary and page."""
    run_experiment(NAME, SETTINGS, ["summarize"])
    write_text(RESULTS, read_from(NAME, "metrics/summary.json"))
    write_text(PAGE, page())
    print(PAGE.read_text("utf-8"))


def page() -> str:
    """The tables of both metrics, with the published figures."""
    summary = json.loads(RESULTS.read_text("utf-8"))
    runs = chance.measured()
    tables = [for_page(compared(summary, key, runs).beside(CLASS)) for key in ("psnr", "ssim")]
    text = "\n".join(tables).replace("](tools/", "](../tools/")
    return (
        "# Four test sets\n\nThe networks of the committed study, trained on T91, on Set5, Set14, "
        "BSD100 and Urban100. The same as JSON: [four-sets.json](four-sets.json). Written by `make "
        f"four-sets`.\n\n{text}"
    )


if __name__ == "__main__":
    run(main)
