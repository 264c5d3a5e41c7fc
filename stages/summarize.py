"""Stage `summarize`: the PSNR table, for DVC, for git and for people.

    python -m stages.summarize

metrics/summary.json has the means (what `dvc exp show` shows), metrics/images/<test set>.json the
scores of every image, metrics/table.txt the table that is printed.
"""

from pathlib import Path

import pandas as pd

from stages.core.errors import InputError
from stages.core.evaluation import ENSEMBLE, METHODS, SCORES, scores_file
from stages.core.files import read_json, whole_file, whole_folder, write_json
from stages.core.protocol import Protocol
from stages.core.running import run
from stages.core.settings.data import SummarySettings, SynthesisSettings
from stages.core.settings.reader import read
from stages.core.tables import for_people, means, nested


def main() -> None:
    """Gather the scores of params.yaml's scales and test sets; write metrics, print the table."""
    settings = read(SummarySettings)
    protocol = Protocol(read(SynthesisSettings).degradation)

    wanted = [
        (test_set, scale, method, scores_file(scale, method, test_set))
        for test_set in settings.test_sets
        for scale in settings.scales
        for method in METHODS
    ]
    _remove_stale({path for *_, path in wanted})
    rows = [
        {"test_set": test_set, "scale": scale, "method": method, "image": image, **entry}
        for test_set, scale, method, path in wanted
        for image, entry in read_json(path).items()
    ]
    if not rows:
        raise InputError(f"{SCORES}: holds no score; run `dvc repro evaluate`")
    scores = pd.DataFrame(rows).astype({"psnr": float, "ssim": float})

    summary = {"psnr": nested(means(scores, "psnr"), 4), "ssim": nested(means(scores, "ssim"), 5)}
    table = f"{for_people(scores)}\n\n{protocol.sentence()}\n"
    if scores["method"].str.endswith(ENSEMBLE).any():
        table += f"{ENSEMBLE}: self-ensemble, the mean over eight orientations of the LR image\n"
    with whole_folder(Path("metrics/images")) as partial:
        for test_set in settings.test_sets:
            write_json(partial / f"{test_set}.json", _by_image(scores, test_set, protocol))
    write_json(Path("metrics/summary.json"), {"protocol": protocol.degradation, **summary})
    with whole_file(Path("metrics/table.txt")) as partial:
        partial.write_text(table, encoding="utf-8")
    print(f"\n{table}\nmeans: metrics/summary.json; every image: metrics/images/")


def _remove_stale(wanted: set[Path]) -> None:
    """Remove scores of scales and test sets that params.yaml no longer has.

    This stage depends on the folder of scores, as DVC cannot name files from lists. Left in it,
    old files would make the recorded state of that folder differ from that of a fresh clone.
    """
    for path in SCORES.glob("*.json"):
        if path not in wanted:
            path.unlink()


def _by_image(scores: pd.DataFrame, test_set: str, protocol: Protocol) -> dict:
    content: dict = {"protocol": protocol.sentence()}
    for row in scores[scores["test_set"] == test_set].itertuples():
        entry = content.setdefault(f"x{row.scale}", {}).setdefault(row.image, {})
        for key in ("psnr", "ssim"):
            value = getattr(row, key)
            entry.setdefault(key, {})[row.method] = None if pd.isna(value) else round(value, 4)
    return content


if __name__ == "__main__":
    run(main)
