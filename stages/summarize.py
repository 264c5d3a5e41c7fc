"""Stage `summarize`: the tables of all metrics, for DVC, for git and for readers.

    python -m stages.summarize

metrics/summary.json has the means (`dvc exp show` shows them), metrics/images/<test set>.json has
the scores of every image, metrics/table.txt has the printed table. Learning curves and other
results of an earlier study are removed from metrics/: a commit shows the results of one study.
"""

from pathlib import Path

from srstudy.common.files import read_json, whole_file, whole_folder, write_json
from srstudy.common.params import read
from srstudy.common.running import run
from srstudy.datasets.shared_pictures import SHARED, shared_file, shared_lines
from srstudy.degradations.shared.degradation import degradation
from srstudy.degradations.shared.settings import SynthesisSettings
from srstudy.mnist.settings import MnistSettings
from srstudy.scoring import chance
from srstudy.scoring.evaluation import ENSEMBLE, SCORES, methods_at, scores_file
from srstudy.scoring.leftovers import keep_only, remove_other_results, results_of
from srstudy.scoring.metrics import METRICS
from srstudy.scoring.missing import missing_scores
from srstudy.scoring.settings import MethodSettings, SummarySettings
from srstudy.scoring.tables import PROTOCOL, by_image, for_people, frame, of_metric, summary


def main() -> None:
    """Read the scores of all scales and test sets of params.yaml; write metrics, print a table."""
    settings, methods = read(SummarySettings), read(MethodSettings)
    made_by = degradation(read(SynthesisSettings).degradation)

    wanted = [
        (test_set, scale, method, scores_file(scale, method, test_set))
        for test_set in settings.test_sets
        for scale in settings.scales
        for method in methods_at(methods, scale)
    ]
    keep_only(SCORES, {path for *_, path in wanted})
    keep_only(SHARED, {shared_file(test_set) for test_set in settings.test_sets})
    rows = [
        {"test_set": test_set, "scale": scale, "method": method, "image": image}
        | {key: of_metric(entry, key, path) for key in METRICS}
        for test_set, scale, method, path in wanted
        for image, entry in read_json(path).items()
    ]
    scores = frame(rows)

    notes = [made_by.sentence()]  # the lines under the table
    if methods.self_ensemble:
        notes.append(f"{ENSEMBLE}: self-ensemble, the mean over eight orientations of the LR image")
    notes += missing_scores(scores) + shared_lines(settings.test_sets)
    notes += chance.notes(made_by.name, settings.scales)
    table = "\n".join([for_people(scores), "", *notes, ""])
    with whole_folder(Path("metrics/images")) as partial:
        for test_set in settings.test_sets:
            content = {PROTOCOL: made_by.sentence(), **by_image(scores, test_set)}
            write_json(partial / f"{test_set}.json", content)
    write_json(Path("metrics/summary.json"), {PROTOCOL: made_by.name, **summary(scores)})
    with whole_file(Path("metrics/table.txt")) as partial:
        partial.write_text(table, encoding="utf-8")
    mine = results_of(settings.scales, read(MnistSettings).mnist.seeds)
    for path in remove_other_results(mine):
        print(f"{path}: removed, because no stage of this study makes it; git still has it")
    print(f"\n{table}\nmeans: metrics/summary.json; every image: metrics/images/")


if __name__ == "__main__":
    run(main)
