"""`make repro JOBS=3`: the trainings of a study side by side."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.imports import ROOT
from tests.tiny import Study

STAGES = "download@a patch@2 pretrain train-plain@2 train-regularized@2 report"
# Replaces dvc: it records its arguments and fails for one stage. A training ends only when two have
# started.
DVC = f"""#!/bin/sh
echo "$*" >> "$0.asked"
case "$*" in
    stage*) printf '%s\\n' {STAGES} ;;
    *BROKEN) exit 1 ;;
    *train-*)
        for i in $(seq 200); do
            [ "$(grep -c train- "$0.asked")" -ge 2 ] && exit 0
            sleep 0.1
        done
        exit 1 ;;
esac
"""
SINGLE = "--wait-for-lock repro --single-item"


def _repro(folder: Path, jobs: str, broken: str = "nothing") -> tuple[int, str, list[str]]:
    """Exit status, stderr, and the arguments of each call of DVC."""
    (folder / "dvc").write_text(DVC.replace("BROKEN", broken))
    (folder / "dvc").chmod(0o755)
    ended = subprocess.run(
        [sys.executable, "-m", "tools.repro", jobs],
        cwd=folder,
        env={"PATH": f"{folder}:/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    asked = folder / "dvc.asked"
    return ended.returncode, ended.stderr, asked.read_text().splitlines() if asked.exists() else []


@pytest.mark.parametrize("jobs", ["0", "-1", "two", "1.5", "", "³"])
def test_jobs_must_be_a_whole_number_of_at_least_1(tmp_path: Path, jobs: str) -> None:
    line = f"error: JOBS: found {jobs!r}; allowed: a whole number of at least 1\n"
    assert _repro(tmp_path, jobs) == (1, line, [])


def test_one_job_only_runs_dvc_repro(tmp_path: Path) -> None:
    assert _repro(tmp_path, "1") == (0, "", ["repro"])


def test_trainings_run_side_by_side_after_their_inputs_and_before_the_rest(
    tmp_path: Path,
) -> None:
    status, said, asked = _repro(tmp_path, "2")
    assert (status, said) == (0, "")
    assert asked[:2] == ["stage list --name-only", "repro patch@2 pretrain"]
    assert sorted(asked[2:4]) == [f"{SINGLE} train-plain@2", f"{SINGLE} train-regularized@2"]
    assert asked[4:] == ["repro"]


def test_training_that_fails_is_named_and_the_others_finish(tmp_path: Path) -> None:
    status, said, asked = _repro(tmp_path, "2", broken="train-plain@2")
    assert (status, said) == (1, "error: train-plain@2: DVC failed: see above\n")
    assert len(asked) == 4 and "repro" not in asked


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_trainings_side_by_side_give_the_bytes_of_one_after_the_other(tmp_path: Path) -> None:
    one = Study.of_working_tree(tmp_path / "one", tmp_path / "shared")
    graph = yaml.safe_load((one.root / "dvc.yaml").read_text())
    kept = ("validate", "download", "synthesize-train", "patch", "pretrain")
    trained = ("train-plain", "train-regularized")
    graph["stages"] = {name: graph["stages"][name] for name in (*kept, *trained)}
    (one.root / "dvc.yaml").write_text(yaml.safe_dump(graph, sort_keys=False))
    one.set(datasets=["sample"], test_sets=["sample"])
    side = one.copy(tmp_path / "side")
    side("dvc", "config", "--local", "cache.dir", str(tmp_path / "cache"))
    one("python", "-m", "tools.repro", "1")
    side("python", "-m", "tools.repro", "3")
    files = side.files("models", "metrics", "data/patches")
    assert files == one.files("models", "metrics", "data/patches")
    assert sum(name.startswith("models/x") for name in files) == 4
    # In dvc.lock, the stages are in the order in which they ended.
    locks = [yaml.safe_load((study.root / "dvc.lock").read_text()) for study in (side, one)]
    assert locks[0] == locks[1]
    assert "up to date" in side("dvc", "status").text
