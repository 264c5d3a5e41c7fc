"""Removes results of an earlier study from the folders in which this study collects its results."""

import re
import shutil
import subprocess
from collections.abc import Collection, Sequence
from pathlib import Path

from srstudy.scoring.evaluation import SETTINGS

RESULTS = ("metrics/curves", "metrics/validation", "metrics/mnist")
NAMES = re.compile(rf"(x\d+-({'|'.join(SETTINGS)})|seed-\d+(-curve|-confusion)?)\.(csv|json)")
OF_SEED = (".json", "-curve.csv", "-confusion.csv")


def keep_only(folder: Path, wanted: Collection[Path]) -> None:
    """Remove everything from a folder except the wanted files and folders.

    For a stage that depends on the whole folder, because DVC cannot take deps from a list. With old
    files in the folder, its recorded state would differ from that of a fresh clone. A folder that
    does not exist has nothing to remove: the stage itself names the file that it misses.
    """
    if not folder.is_dir():
        return
    around = {parent for path in wanted for parent in path.parents}
    for path in sorted(folder.iterdir()):
        if path in wanted:
            continue
        if path in around:
            keep_only(path, wanted)
        elif path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def results_of(scales: Sequence[int], seeds: Sequence[int]) -> set[Path]:
    """The learning curves, validation scores and MNIST results of a study with these values."""
    files = {f"metrics/mnist/seed-{seed}{end}" for seed in seeds for end in OF_SEED}
    for name in (f"x{scale}-{setting}" for scale in scales for setting in SETTINGS):
        files |= {f"metrics/curves/{name}.csv", f"metrics/validation/{name}.json"}
    return set(map(Path, files))


def remove_other_results(wanted: Collection[Path]) -> list[Path]:
    """Remove the files of RESULTS that no stage of this study makes; return their paths.

    Only files with a name of the pipeline that git tracks: so no training is lost.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", *RESULTS], capture_output=True, text=True, check=False
    )
    found = [Path(name) for name in listed.stdout.split("\0") if name]
    others = [path for path in found if path not in wanted and NAMES.fullmatch(path.name)]
    removed = [path for path in others if path.exists()]
    for path in removed:
        path.unlink()
    return removed
