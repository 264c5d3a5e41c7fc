import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from stages.core.settings.reader import read
from stages.core.settings.study import StudySettings
from tools import ablation, long_recipe, readme, verify
from tools.source_study import table


def test_source_table_sets_theirs_beside_ours_with_the_mean() -> None:
    student = {"bicubic": {"a": 30.0, "b": 32.0}, "plain": {"a": 28.0, "b": 29.0}}
    images = {
        "a_GT": {"psnr": {"bicubic": 30.5, "plain": 33.0}},
        "b_GT": {"psnr": {"bicubic": 32.5, "plain": 35.0}},
    }
    assert table(student, images).splitlines()[2:] == [
        "| a | 30.00 -> 30.50 | 28.00 -> 33.00 |",
        "| b | 32.00 -> 32.50 | 29.00 -> 35.00 |",
        "| mean | 31.00 -> 31.50 | 28.50 -> 34.00 |",
    ]


def test_student_figures_are_those_that_were_printed() -> None:
    student = yaml.safe_load(Path("tools/published.yaml").read_text("utf-8"))["student"]
    means = {method: sum(row.values()) / 5 for method, row in student.items()}
    # Of the presentation's table: 165.07, 144.90 and 149.96 over five images.
    assert means == pytest.approx({"bicubic": 33.014, "plain": 28.98, "regularized": 29.992})


def test_ablation_draws_the_same_bytes_from_the_same_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {"budget": b, "network": n, "scale": s, "seed": 1, "lambda": w, "psnr": 30 - w, "steps": 9}
        for b in ablation.BUDGETS
        for n in ablation.NETWORKS
        for s in ablation.SCALES
        for w in ablation.LAMBDAS
    ]
    drawn = []
    for name in ("one.png", "two.png"):
        monkeypatch.setattr(ablation, "CHART", tmp_path / name)
        ablation.draw(pd.DataFrame(rows))
        drawn.append((tmp_path / name).read_bytes())
    assert drawn[0] == drawn[1]


def test_finding_names_the_best_lambda_and_what_it_gains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gains = {0.0: 0.0, 1e-5: -0.01, 1e-3: 0.02, 1.0: -2.0}
    rows = [
        {"budget": "short", "network": "espcn", "scale": s, "seed": 1, "lambda": w, "psnr": 30 + g}
        for s in (2, 4)
        for w, g in gains.items()
    ]
    (tmp_path / "docs").mkdir()
    pd.DataFrame(rows).assign(steps=5).to_csv(tmp_path / "docs/ablation.csv", index=False)
    (tmp_path / "params.yaml").write_text("lambda: 0.001\n")
    monkeypatch.chdir(tmp_path)
    text = readme.regularization()
    assert "networks espcn from fresh weights" in text
    assert "the best non-zero lambda is 0.001, +0.020 dB" in text
    assert "lambda = 1 makes -2.00 dB" in text


def test_verify_names_every_score_that_differs_and_the_largest_difference() -> None:
    committed = verify.scores({"set5": {"x2": {"plain": 37.4, "bicubic": 33.67}}, "a": {"b": None}})
    assert committed == {"psnr.set5.x2.plain": 37.4, "psnr.set5.x2.bicubic": 33.67}
    same = verify.report(committed, committed)
    assert same == "2 of 2 scores equal, largest difference 0.0000 dB"
    here = {"psnr.set5.x2.plain": 37.38, "psnr.set5.x4.plain": 31.0, "psnr.set5.x2.bicubic": 33.67}
    assert verify.report(committed, here).splitlines() == [
        "psnr.set5.x2.plain: 37.4000 -> 37.3800 dB (-0.0200)",
        "psnr.set5.x4.plain: only here",
        "1 of 2 scores equal, largest difference 0.0200 dB",
    ]


def test_long_recipe_is_set_beside_the_default_and_the_published_figures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scores = {"a": {"psnr": 30.0, "ssim": 0.9}, "b": {"psnr": 33.0, "ssim": 0.9}}

    def tracked(name: str, path: str) -> str:
        scale = Path(path).name.partition("-")[0]
        assert name == "long"
        return json.dumps({"validation": {scale: {"plain": {"psnr": 0.0, "steps": 1234}}}})

    monkeypatch.setattr(long_recipe, "read_from", tracked)
    monkeypatch.setattr(long_recipe, "read_output", lambda name, path: json.dumps(scores))
    summary = json.loads(Path("metrics/summary.json").read_text("utf-8"))["psnr"]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in long_recipe.table().splitlines()[2:]
    ]
    assert rows[0] == [
        *("set5 x2", "1,234", "31.50", f"{summary['set5']['x2']['plain']:.2f}", "37.53", "37.52")
    ]
    assert rows[-1][:3] == ["set14 x8", "1,234", "31.50"]
    assert rows[-1][4:] == ["", ""]  # not in the tables of the others


def test_every_setting_of_the_long_recipe_is_allowed(tmp_path: Path) -> None:
    values = yaml.safe_load(Path("params.yaml").read_text("utf-8"))
    for key, value in long_recipe.SETTINGS.items():
        *outer, last = key.split(".")
        entry = values
        for name in outer:
            entry = entry[name]
        assert last in entry
        entry[last] = yaml.safe_load(str(value))
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(values), "utf-8")
    read(StudySettings, path)
