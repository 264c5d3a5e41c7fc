"""`make compare` shows only scores that belong to the params of their row: real DVC runs."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.tiny import Study

# The first test of all waits for the study that the others share.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

NO_SCORE, ENDLESS = "-", ("-S", "epochs.x2=99999")


@pytest.fixture(scope="module")
def one_scale(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Scale 2 and lambda 0.001, run once and committed; then lambda 0.1 in the workspace."""
    study = Study.finished(tmp_path_factory, scales=[2], cascade_scales=[])
    study.experiment("--name", "tenth", "-S", "lambda=0.1", "summarize")
    return study


@pytest.fixture
def work(one_scale: Study, tmp_path: Path) -> Iterator[Study]:
    study = one_scale.copy(tmp_path / "work")
    yield study
    study.end_queue()


@pytest.fixture
def start(work: Study) -> Iterator[Callable[..., "subprocess.Popen[Any]"]]:
    """Start a run that does not end without a signal, and wait until it trains."""
    started = []

    def start(*command: str) -> "subprocess.Popen[Any]":
        process = work.start(*command, text=True, start_new_session=True)
        started.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            if "Running stage 'train-" in line:
                return process
        raise AssertionError(f"{command} ended before it trained")

    yield start
    for process in started:
        # Also the stage, which outlives DVC, but may have ended too.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _rows(study: Study) -> dict[str, tuple[str, str]]:
    """The output of `make compare`: lambda and regularized score by the name and state of a row."""
    text = study("python", "-m", "tools.compare").text
    head, *lines = [re.split(" {2,}", line) for line in text.split("\n\n")[0].splitlines()]
    assert head[0] == "PSNR in dB on sample-test"
    rows = [dict(zip(head, line, strict=True)) for line in lines]
    # Of "├── 0123456 [name] state" the branch and the SHA are left out. Where no two rows have
    # scores, there is no column of scores.
    return {
        re.sub(r"^\W+\w{7} ", "", row[head[0]]): (
            row.get("lambda", ""),
            row.get("x2.regularized", NO_SCORE),
        )
        for row in rows
    }


@pytest.fixture
def base(work: Study) -> dict[str, tuple[str, str]]:
    """The rows at the start of a test; the name of the branch does not matter."""
    work("git", "branch", "--move", "main")
    rows = _rows(work)
    assert {name: weight for name, (weight, _) in rows.items()} == {
        **{"workspace": "0.1", "main": "0.001", "[tenth]": "0.1"}
    }
    (tenth, before, after) = (rows[name][1] for name in ("[tenth]", "main", "workspace"))
    assert tenth == after != before and {float(tenth) > 20, float(before) > 20} == {True}
    return rows


def _queue_says(work: Study, state: str) -> None:
    end = time.monotonic() + 200
    while state not in (said := work("dvc", "queue", "status").text):
        assert time.monotonic() < end, said
        time.sleep(1)


def test_queued_running_killed_and_failed_runs_show_their_state_and_no_score(
    work: Study, base: dict[str, tuple[str, str]]
) -> None:
    runs = ("--name", "long", "-S", "lambda=0.01", *ENDLESS), ("--name", "bad", "-S", "lambda=-1")
    for run in runs:
        work.experiment(*run, "--queue", "summarize")
    queued = {"[long] queued": ("0.01", NO_SCORE), "[bad] queued": ("-1", NO_SCORE)}
    assert _rows(work) == {**base, **queued}
    work.start_queue()
    _queue_says(work, "Running")
    running = {"[long] running": ("0.01", NO_SCORE), "[bad] queued": ("-1", NO_SCORE)}
    assert _rows(work) == {**base, **running}
    work("dvc", "queue", "kill", "--force", "long")
    _queue_says(work, "0 active")
    ended = {"[long] failed": ("0.01", NO_SCORE), "[bad] failed": ("-1", NO_SCORE)}
    assert _rows(work) == {**base, **ended}


def test_running_and_terminated_temporary_run_shows_no_score(
    work: Study, base: dict[str, tuple[str, str]], start: Callable[..., "subprocess.Popen[Any]"]
) -> None:
    run = start(
        *("dvc", "exp", "run", "--temp", "--name", "long", "-S", "lambda=0.01"),
        *(*ENDLESS, "summarize"),
    )
    expected = {**base, "[long] running": ("0.01", NO_SCORE)}
    assert _rows(work) == expected
    run.send_signal(signal.SIGTERM)
    assert run.wait(timeout=60) != 0
    assert _rows(work) == expected


def test_run_killed_in_the_workspace_leaves_no_score_there(
    work: Study, base: dict[str, tuple[str, str]], start: Callable[..., "subprocess.Popen[Any]"]
) -> None:
    run = start("dvc", "exp", "run", "--name", "long", "-S", "lambda=0.01", *ENDLESS, "summarize")
    stale = {"workspace stale": ("0.01", NO_SCORE)}
    kept = {name: row for name, row in base.items() if name != "workspace"}
    assert _rows(work) == {**kept, **stale, "[long] running": ("0.01", NO_SCORE)}
    run.kill()
    run.wait(timeout=60)
    assert _rows(work) == {**kept, **stale}


def test_run_without_summarize_is_stale_and_one_with_it_is_not(
    work: Study, base: dict[str, tuple[str, str]]
) -> None:
    part, whole = ("--name", "part", "evaluate"), ("--name", "whole", "summarize")
    for name, target in ((part[1], part[2]), (whole[1], whole[2])):
        work.experiment("--temp", "--name", name, "-S", "lambda=0.01", target)
    rows = _rows(work)
    assert rows.pop("[part] stale") == ("0.01", NO_SCORE)
    weight, score = rows.pop("[whole]")
    assert weight == "0.01" and score not in {NO_SCORE, base["main"][1], base["[tenth]"][1]}
    assert rows == base


def test_params_edited_after_the_run_make_workspace_and_commit_stale(
    work: Study, base: dict[str, tuple[str, str]]
) -> None:
    work.set(**{"lambda": 0.2})
    assert _rows(work) == {
        **{name: row for name, row in base.items() if name != "workspace"},
        "workspace stale": ("0.2", NO_SCORE),
    }
    work.set(**{"lambda": 0.1})
    work("git", "restore", "metrics")  # those of the commit, of 0.001
    assert _rows(work)["workspace stale"] == ("0.1", NO_SCORE)
    work("git", "restore", ".")
    work.set(**{"lambda": 0.2})
    work.commit("another lambda")
    # Lambda is the same in both, and no column.
    stale = dict.fromkeys(("workspace stale", "main stale"), ("", NO_SCORE))
    assert _rows(work) == stale


def test_experiments_that_are_applied_or_made_a_branch_keep_their_scores(
    work: Study, base: dict[str, tuple[str, str]]
) -> None:
    work("git", "restore", ".")
    assert _rows(work) == {**base, "workspace": base["main"]}
    work("dvc", "exp", "apply", "tenth")
    assert _rows(work) == base
    work("git", "restore", ".")
    work("dvc", "exp", "branch", "tenth", "tenth-branch")
    work("git", "switch", "--quiet", "tenth-branch")
    work.experiment("--temp", "--name", "next", "-S", "lambda=0.01", "summarize")
    rows = _rows(work)
    assert rows["workspace"] == rows["tenth-branch"] == base["[tenth]"]
    assert rows["[next]"][1] not in {NO_SCORE, base["[tenth]"][1]}


def test_param_without_influence_on_scores_is_a_column_and_makes_nothing_stale(
    work: Study, base: dict[str, tuple[str, str]]
) -> None:
    work.set(mnist={**work.params()["mnist"], "dropout": 0.1})
    assert _rows(work) == base
    text = work("python", "-m", "tools.compare").text
    assert text.splitlines()[0].split()[-2:] == ["lambda", "mnist.dropout"]


@pytest.mark.parametrize(
    "settings",
    [
        {"test_sets": ["sample"]},
        {"train_set": "sample-test"},
        {"degradation": "opencv"},
        {"network": "espcn"},
        {"pretrain_epochs": 2},
    ],
    ids=lambda settings: "".join(settings),
)
def test_any_param_that_changes_scores_makes_them_stale(
    work: Study, settings: dict[str, Any]
) -> None:
    work("git", "restore", ".")
    work.set(**settings)
    first = work("python", "-m", "tools.compare").text.splitlines()[1:]
    assert next(line for line in first if "workspace" in line).startswith("workspace stale ")


def test_own_images_of_another_folder_make_scores_stale(work: Study, tmp_path: Path) -> None:
    raw = work.root / "data/raw"
    folders = {name: str(tmp_path / f"{name}-photos") for name in ("mine", "mine-test")}
    for name, kind in (("mine", "sample"), ("mine-test", "sample-test")):
        Path(folders[name]).mkdir()
        for image in (raw / kind).iterdir():
            (Path(folders[name]) / image.name).write_bytes(image.read_bytes())
    own = {"datasets": [], "train_set": "mine", "test_sets": ["mine-test"]}
    work.set(own_images=folders, **own)
    work.repro("summarize")
    assert "stale" not in work("python", "-m", "tools.compare").text.splitlines()[1]
    work.set(own_images={**folders, "mine": folders["mine-test"]}, **own)
    text = work("python", "-m", "tools.compare").text
    assert text.splitlines()[1].startswith("workspace stale ")
    assert "/" not in text.splitlines()[0]


def test_table_of_a_named_experiment_has_its_own_scores(work: Study) -> None:
    table = ("python", "-m", "tools.table", "--format", "csv", "--metric", "psnr")
    tenth, committed = work(*table, "--rev", "tenth").text, work(*table, "--rev", "HEAD").text
    assert "regularized" in tenth and tenth != committed
    assert work(*table).text == tenth  # the workspace has its results
    assert "do not belong to the params.yaml" not in tenth + committed
    work.set(**{"lambda": 0.5})
    assert "do not belong to the params.yaml" in work(*table).text
