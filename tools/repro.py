"""Run the study with several trainings at the same time: `make repro JOBS=3`.

    python -m tools.repro JOBS

For one large machine. First `dvc repro` makes everything that the trainings need; then up to JOBS
of them run at a time, each as `dvc repro --single-item`; then `dvc repro` makes the rest. The bytes
of a training do not depend on other trainings at the same time. With one job, it only runs
`dvc repro`.
"""

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from srstudy.common.errors import InputError
from srstudy.common.machine import end_with
from srstudy.common.running import run

# Stages that train and do not wait for each other; and the stages that make their inputs.
TRAININGS = ("train-plain", "train-regularized", "mnist")
BEFORE = ("patch", "pretrain", "download-mnist")


def main() -> None:
    """Make all missing results of the study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("jobs", metavar="JOBS", help="trainings at a time: at least 1")
    jobs = parser.parse_args().jobs
    if not (jobs.isascii() and jobs.isdecimal() and int(jobs) >= 1):
        raise InputError(f"JOBS: found {jobs!r}; allowed: a whole number of at least 1")
    if int(jobs) > 1:
        stages = _stages()
        _repro([name for name in stages if name.partition("@")[0] in BEFORE])
        trainings = [name for name in stages if name.partition("@")[0] in TRAININGS]
        with ThreadPoolExecutor(int(jobs)) as pool:
            failed = [
                name
                for name, well in zip(trainings, pool.map(_train, trainings), strict=True)
                if not well
            ]
        if failed:
            raise InputError(f"{', '.join(failed)}: DVC failed: see above")
    _repro([])


def _stages() -> list[str]:
    """All stages by their full names; if DVC fails, it prints the reason itself."""
    command = ["dvc", "stage", "list", "--name-only"]
    listed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if listed.returncode:
        sys.exit(listed.returncode)
    return listed.stdout.split()


def _repro(targets: list[str]) -> None:
    if status := subprocess.run(["dvc", "repro", *targets], check=False).returncode:
        sys.exit(status)


def _train(stage: str) -> bool:
    """Run a single stage; return whether it succeeded.

    Only one DVC process can write dvc.lock at a time; the others wait for the lock.
    """
    command = ["dvc", "--wait-for-lock", "repro", "--single-item", stage]
    return not subprocess.run(
        command, check=False, preexec_fn=partial(end_with, os.getpid())
    ).returncode


if __name__ == "__main__":
    run(main)
