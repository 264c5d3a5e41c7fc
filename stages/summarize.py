"""Stage `summarize`: the table of every metric, for DVC, for git and for people.

    python -m stages.summarize

metrics/summary.json has the means (what `dvc exp show` shows), metrics/images/<test set>.json the
scores of every image, metrics/table.txt the table that is printed.
"""

from pathlib import Path

from srstudy.common.errors import InputError
from srstudy.common.files import read_json, whole_file, whole_folder, write_json
from srstudy.common.params import read
from srstudy.common.running import run
from srstudy.degradations.shared.degradation import degradation
from srstudy.degradations.shared.settings import SynthesisSettings
from srstudy.scoring.evaluation import ENSEMBLE, METHODS, SCORES, scores_file
from srstudy.scoring.metrics import METRICS
from srstudy.scoring.settings import SummarySettings
from srstudy.scoring.tables import by_image, for_people, frame, of_metric, summary


def main() -> None:
    """Gather the scores of params.yaml's scales and test sets; write metrics, print the table."""
    settings = read(SummarySettings)
    made_by = degradation(read(SynthesisSettings).degradation)

    wanted = [
        (test_set, scale, method, scores_file(scale, method, test_set))
        for test_set in settings.test_sets
        for scale in settings.scales
        for method in METHODS
    ]
    _remove_stale({path for *_, path in wanted})
    rows = [
        {
            **{"test_set": test_set, "scale": scale, "method": method, "image": image},
            **{key: of_metric(entry, key, path) for key in METRICS},
        }
        for test_set, scale, method, path in wanted
        for image, entry in read_json(path).items()
    ]
    if not rows:
        raise InputError(f"{SCORES}: holds no score; run `dvc repro evaluate`")
    scores = frame(rows)

    table = f"{for_people(scores)}\n\n{made_by.sentence()}\n"
    if scores["method"].str.endswith(ENSEMBLE).any():
        table += f"{ENSEMBLE}: self-ensemble, the mean over eight orientations of the LR image\n"
    with whole_folder(Path("metrics/images")) as partial:
        for test_set in settings.test_sets:
            content = {"protocol": made_by.sentence(), **by_image(scores, test_set)}
            write_json(partial / f"{test_set}.json", content)
    write_json(Path("metrics/summary.json"), {"protocol": made_by.name, **summary(scores)})
    with whole_file(Path("metrics/table.txt")) as partial:
        partial.write_text(table, encoding="utf-8")
    print(f"\n{table}\nmeans: metrics/summary.json; every image: metrics/images/")


def _remove_stale(wanted: set[Path]) -> None:
    """Remove scores of scales and test sets that params.yaml no longer has.

    This stage depends on the folder of scores, as DVC cannot name files from lists. Left in it,
    old files would make the recorded state of that folder differ from that of a fresh clone.
    """
    for path in SCORES.rglob("*.json"):
        if path not in wanted:
            path.unlink()


if __name__ == "__main__":
    run(main)
