"""Kill a study at random moments, start it again, and compare every byte: `make torture`.

    python -m tests.torture --kills 20

A training of some 30 seconds, and the whole pipeline on a tiny study: each is first run
undisturbed, then killed (all its processes at once) at random moments and run again to its end.
Models, curves, scores, pictures, metrics and dvc.lock have to be those of the undisturbed run.
A run goes on on each core, in its own folder; as many undisturbed ones come first, so that these
take as long as those that will be killed, and are compared as well.
Then each fault that has a test (broken images, wrong values, full disks, bad servers) is listed
with its outcome.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.tiny import TARGETS, Study

# Epochs and targets.
CASES: dict[str, tuple[int, tuple[str, ...]]] = {
    "training": (800, ("train-plain@2",)),
    "whole pipeline": (1, TARGETS),
}


FAULTS = (
    *("tests/test_datasets.py", "tests/test_images.py", "tests/test_listing.py"),
    *("tests/test_settings.py", "tests/test_patches.py", "tests/test_weights.py"),
    *("tests/test_checkpoints.py", "tests/test_running.py", "tests/test_faults.py"),
    "tests/test_sharing.py",
)


def main() -> None:
    """Run both cases and the faults; the exit status says whether all ended as promised."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20, help="of each case")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    arguments = parser.parse_args()
    moments = random.Random(arguments.seed)
    cores, good = sorted(os.sched_getaffinity(0)), 0
    pool = ThreadPoolExecutor(len(cores), initializer=one_core, initargs=(iter(cores),))
    with tempfile.TemporaryDirectory() as name, pool as jobs:
        folder = Path(name)
        base = Study.of_working_tree(folder / "base", folder / "shared")
        for number, (case, (epochs, targets)) in enumerate(CASES.items()):
            start = base.copy(folder / f"start-{number}")
            start.set(scales=[2], cascade_scales=[], epochs={"x2": epochs})
            command = ["dvc", "repro", "--no-run-cache", *targets]
            if case == "training":
                start("dvc", "repro", "pretrain")
            start.commit(case)
            began = time.monotonic()
            whole = partial(undisturbed, start, command)
            expected, *others = jobs.map(whole, cores)
            seconds = time.monotonic() - began
            if any(other != expected for other in others):
                sys.exit(f"{case}: two undisturbed runs differ")
            print(f"{case}: {seconds:.0f} s undisturbed, {len(expected)} files", flush=True)
            kills = [(kill, moments.uniform(0, seconds)) for kill in range(1, arguments.kills + 1)]
            good += sum(jobs.map(partial(same_bytes, start, command, expected), kills))
    total = arguments.kills * len(CASES)
    print(f"{good} of {total} runs ended with the bytes of the undisturbed one", flush=True)
    sys.exit(not faults() or good != total)


def one_core(cores: Iterator[int]) -> None:
    """Keep this thread, and the processes that it will start, on the next core."""
    os.sched_setaffinity(0, {next(cores)})


def undisturbed(start: Study, command: list[str], number: int) -> dict[str, str]:
    """What a run that nothing disturbs has written."""
    work = start.copy(start.root.with_name(f"{start.root.name}-whole-{number}"))
    work(*command)
    return everything(work)


def same_bytes(
    start: Study, command: list[str], expected: dict[str, str], kill: tuple[int, float]
) -> bool:
    """Whether a run killed after so many seconds, and run again, has written what is expected."""
    number, moment = kill
    work = start.copy(start.root.with_name(f"{start.root.name}-killed-{number}"))
    killed = killed_after(work, command, moment)
    again = work.try_(*command)
    same = again.status == 0 and everything(work) == expected
    how = "killed" if killed else "ended before it was killed"
    outcome = "same bytes" if same else f"DIFFERENT\n{again.text}"
    print(f"  {number}: {how} after {moment:.1f} s: {outcome}", flush=True)
    shutil.rmtree(work.root)
    return same


def faults() -> bool:
    """Print every test of a fault and its outcome; whether all passed."""
    pytest = [sys.executable, "-m", "pytest", "--no-skips", "-rA", "--no-header", *FAULTS]
    done = subprocess.run(pytest, stdout=subprocess.PIPE, text=True, check=False)
    outcomes = ("PASSED", "FAILED", "ERROR")
    print(*(line for line in done.stdout.splitlines() if line.startswith(outcomes)), sep="\n")
    return done.returncode == 0


def everything(study: Study) -> dict[str, str]:
    """A hash of every file that the stages have written, and of dvc.lock."""
    files = study.files("data", "models", "metrics", "report")
    return {**files, "dvc.lock": (study.root / "dvc.lock").read_text()}


def killed_after(study: Study, command: list[str], seconds: float) -> bool:
    """Start a command and kill its process group; False if it ended by itself before."""
    unseen = subprocess.DEVNULL
    run = study.start(*command, start_new_session=True, stdout=unseen, stderr=unseen)
    try:
        run.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        return True
    return False


if __name__ == "__main__":
    main()
