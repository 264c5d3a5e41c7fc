"""`make compare`, from the output of `dvc exp show --json`."""

import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from srstudy.scoring.metrics import METRICS, Metric
from tools import compare
from tools.compare import LEGEND, WIDTH, scored

SCALES, LAMBDA = ("x2", "x4", "x8"), 0.01


def _state(weight: float, **params: Any) -> dict[str, Any]:
    """DVC's data of a run with a lambda, on which only the regularized scores depend."""
    means = {
        scale: {"bicubic": 30.0, "plain": 33.0, "plain-cascade": weight, "regularized": 32 - weight}
        for scale in SCALES
    }
    metrics = {key: {"set5": means, "set14": means} for key in METRICS}
    values = {"lambda": weight, "epochs": {"x2": 2, "x4": 3}, "own_images": {}, **params}
    data = {
        "params": {"params.yaml": {"data": values}},
        "metrics": {
            "metrics/summary.json": {"data": {"protocol": "matlab", **metrics}},
            "metrics/mnist/seed-1.json": {"data": {"mnist": {"accuracy": weight}}},
        },
    }
    return {"rev": "0123456789abcdef", "name": None, "data": data, "experiments": None}


def _commits(*experiments: tuple[str, str | None, dict[str, Any]]) -> list[dict[str, Any]]:
    shown = [
        {"revs": [{**state, "name": name}], "executor": doing and {"state": doing}}
        for name, doing, state in experiments
    ]
    base = _state(LAMBDA)
    return [{**base, "rev": "workspace"}, {**base, "name": "main", "experiments": shown}]


def compared(
    commits: list[dict[str, Any]], metric: str, test_set: str, stale: Collection[str] = ()
) -> str:
    return compare.compared(commits, metric, test_set, stale)


def test_differences_are_shown_side_by_side() -> None:
    commits = _commits(("one", None, _state(0.1)), ("two", "success", _state(1.0)))
    assert compared(commits, "psnr", "set5").splitlines() == [
        "PSNR in dB on set5  x2.regularized  x4.regularized  x8.regularized  lambda",
        "workspace                   31.990          31.990          31.990  0.01",
        "main                        31.990          31.990          31.990  0.01",
        "├── 0123456 [one]           31.900          31.900          31.900  0.1",
        "└── 0123456 [two]           31.000          31.000          31.000  1.0",
    ]


def test_run_without_its_own_scores_shows_none_and_adds_no_column() -> None:
    # A failed one has those of the commit it started from; a queued one has none.
    failed, queued = _state(9.0), _state(0.5)
    queued["data"]["metrics"] = {}
    lost = {**_state(0.0), "data": None}
    runs = [("a", "failed", failed), ("b", "queued", queued), ("c", None, lost)]
    lines = compared(_commits(*runs), "psnr", "set5").splitlines()
    assert lines[0].split()[5:] == ["lambda", "epochs.x2", "epochs.x4", "own_images"]
    assert [line.split()[-4] for line in lines[3:]] == ["9.0", "0.5", "-"]
    assert ["[a] failed" in lines[3], "[b] queued" in lines[4]] == [True, True]


def test_stale_row_is_marked_and_shows_no_score() -> None:
    commits = _commits(
        ("one", None, _state(0.1)), ("two", None, {**_state(1.0), "rev": "fedcba98"})
    )
    assert scored(commits) == ["workspace", "0123456789abcdef", "0123456789abcdef", "fedcba98"]
    text = compared(commits, "psnr", "set5", {"workspace", "fedcba98"})
    assert [line.split() for line in text.splitlines()[1:5]] == [
        ["workspace", "stale", "-", "-", "-", "0.01"],
        ["main", "31.990", "31.990", "31.990", "0.01"],
        ["├──", "0123456", "[one]", "31.900", "31.900", "31.900", "0.1"],
        ["└──", "fedcba9", "[two]", "stale", "-", "-", "-", "1.0"],
    ]
    assert text.endswith(f"\n\n{LEGEND}")
    assert LEGEND not in compared(commits, "psnr", "set5")


def test_only_successful_rows_with_scores_are_checked() -> None:
    without = _state(0.5)
    without["data"]["metrics"] = {}
    failed = {**_state(0.5), "rev": "fa11ed"}
    runs = [("a", "failed", failed), ("b", None, {**without, "rev": "0ff"})]
    assert scored(_commits(*runs)) == ["workspace", "0123456789abcdef"]


def test_own_images_by_absolute_path_and_mnist_params_are_usual_columns() -> None:
    base, mine = _state(LAMBDA, mnist={"steps": 9}), {"mine": "/home/me/photos/of/many/kinds"}
    changed = _state(LAMBDA, mnist={"steps": 8}, own_images=mine, datasets=["set5"])
    # `dvc exp show` has a column for each dep and output too.
    changed["data"]["deps"] = {mine["mine"]: {"hash": "abc"}, "data/raw/mine": {"hash": "abc"}}
    changed["data"]["outs"] = {"data/raw/mine": {"hash": "abc"}}
    shown = [{"revs": [{**changed, "name": "one"}], "executor": None}]
    text = compared([{**base, "name": "main", "experiments": shown}], "psnr", "set5")
    head, *rows = text.splitlines()
    assert "/" not in head
    assert head.split()[5:] == ["own_images", "mnist.steps", "own_images.mine", "datasets"]
    assert rows[1].split()[3:] == ["-", "8", mine["mine"], "['set5']"]


def test_single_failure_of_dvc_is_ignored_but_a_repeated_one_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.dumps(_commits())
    monkeypatch.setattr(compare.provenance, "stale", lambda revisions: set())
    monkeypatch.setattr(sys, "argv", ["compare"])
    dvc = tmp_path / "dvc"
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    dvc.write_text(
        f"#!/bin/sh\n[ -e {tmp_path}/asked ] || {{ touch {tmp_path}/asked; exit 255; }}\n"
        f"cat <<'END'\n{told}\nEND\n"
    )
    dvc.chmod(0o755)
    compare.main()
    assert capsys.readouterr().out.startswith("PSNR in dB on set5")
    dvc.write_text("#!/bin/sh\necho 'ERROR: broken' >&2\nexit 255\n")
    with pytest.raises(SystemExit) as ended:
        compare.main()
    assert ended.value.code == 255
    assert capsys.readouterr().err == "ERROR: broken\n"


def test_any_metric_and_test_set_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS, "third", Metric(lambda *_: 0.0, "a third", 0))
    text = compared(_commits(("one", None, _state(1.0))), "third", "set14")
    assert text.startswith("a third on set14")
    assert text.splitlines()[-1].split()[-4:] == ["31.0", "31.0", "31.0", "1.0"]
    assert "regularized" not in compared(_commits(("one", None, _state(1.0))), "third", "other")


def test_entry_of_a_mapping_has_its_own_column() -> None:
    changed = _state(LAMBDA, epochs={"x2": 9, "x4": 3})
    assert compared(_commits(("one", None, changed)), "psnr", "set5").splitlines() == [
        "PSNR in dB on set5  epochs.x2",
        "workspace           2",
        "main                2",
        "└── 0123456 [one]   9",
    ]


def test_table_that_is_too_wide_is_continued_below() -> None:
    other = _state(1.0, test_sets=["set"] * 40, **{f"parameter_{i}": i for i in range(12)})
    text = compared(_commits(("one", None, other)), "psnr", "set5")
    assert max(map(len, text.splitlines())) <= WIDTH
    blocks = [block.splitlines() for block in text.split("\n\n")]
    assert len(blocks) > 1 and {len(block) for block in blocks} == {4}
    assert all(block[0].startswith("PSNR in dB on set5") for block in blocks)
    heads = " ".join(block[0] for block in blocks).split()
    assert [head for head in heads if head.startswith("parameter")] == [
        f"parameter_{i}" for i in range(12)
    ]
