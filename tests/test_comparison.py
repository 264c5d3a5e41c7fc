"""Published figures, and the tables that compare them with those of the study."""

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from srstudy.common.errors import InputError
from srstudy.common.files import read_json
from srstudy.scoring import chance
from srstudy.scoring.metrics import METRICS, Metric
from tests.imports import ROOT
from tests.tiny import Study
from tools import provenance, published, readme
from tools import table as tool
from tools.published import Figure, figures
from tools.revisions import commit_of
from tools.table import best, compared, for_page, for_paper, for_program, table_of

CONTENT = yaml.safe_load((ROOT / "tools/published.yaml").read_text("utf-8"))
CELLS = list(published._cells(CONTENT["literature"]))


# --- The figures ---------------------------------------------------------------------------------


def test_every_figure_is_psnr_then_ssim_with_the_printed_digits() -> None:
    wrong = [cell for *_, cell in CELLS if not re.fullmatch(r"(\d\d\.\d\d|-)/(0\.\d{3,4}|-)", cell)]
    assert not wrong and "-/-" not in [cell for *_, cell in CELLS]


def test_every_figure_has_one_source_that_is_cited_and_every_source_has_figures() -> None:
    assert {source for _, source, *_ in CELLS} == set(CONTENT["sources"])
    assert all(entry["citation"] for entry in CONTENT["sources"].values())
    for metric in published.METRICS:
        places = [(f.method, f.test_set, f.scale) for f in figures(metric)]
        assert len(places) == len(set(places))


def test_figures_have_known_sets_and_scales_and_include_every_method() -> None:
    assert {test_set for _, _, test_set, *_ in CELLS} == {"set5", "set14", "bsd100", "urban100"}
    assert {scale for *_, scale, _ in CELLS} == {"x2", "x3", "x4", "x8"}
    classes = ["bicubic", "SRCNN", "FSRCNN", "ESPCN", "VDSR", "DRCN", "LapSRN", "DRRN"]
    assert list(CONTENT["literature"])[: len(classes)] == classes


def test_larger_scales_are_harder_and_networks_are_better_than_bicubic() -> None:
    # If a figure is in the wrong place, PSNR and SSIM are exchanged or a digit is lost, one of
    # these fails.
    for metric in published.METRICS:
        values = {(f.method, f.test_set, f.scale): float(f.text) for f in figures(metric)}
        for (method, test_set, scale), value in values.items():
            for harder in ("x3", "x4", "x8"):
                if harder > scale:
                    assert values.get((method, test_set, harder), 0) < value
            assert method == "bicubic" or value > values.get(("bicubic", test_set, scale), 0)


def test_published_bicubic_scores_equal_those_of_this_study() -> None:
    summary = read_json(ROOT / "metrics/summary.json")
    near = {"psnr": 0.03, "ssim": 0.003}
    compared_ = 0
    for metric, distance in near.items():
        for figure in figures(metric):
            ours = summary[metric].get(figure.test_set, {}).get(figure.scale)
            if figure.method == "bicubic" and ours:
                assert ours["bicubic"] == pytest.approx(float(figure.text), abs=distance)
                compared_ += 1
    assert compared_ >= 9


def test_figures_keep_their_printed_digits() -> None:
    found = {(f.method, f.test_set, f.scale): f.text for f in figures("ssim")}
    assert found["VDSR", "urban100", "x2"] == "0.9140"  # not 0.914
    assert found["LapSRN", "set5", "x4"] == "0.885"  # not 0.8850


def test_new_metric_has_no_published_figures() -> None:
    assert figures("psnr_rgb") == []


# --- The table -----------------------------------------------------------------------------------


@pytest.fixture
def literature(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three methods: one on set5, one on another set, one that the study also has."""
    found = [
        Figure("bicubic", "set5", "x2", "33.66", "A. Author, 2016"),
        Figure("Net_A", "set5", "x2", "37.50", "A. Author, 2016"),
        Figure("NetB", "urban100", "x2", "30.00", "B. Author & C. Author, 2017"),
    ]
    monkeypatch.setattr(tool, "figures", lambda metric: found if metric == "psnr" else [])


SUMMARY: dict[str, Any] = {
    "protocol": "matlab",
    "psnr": {
        "set5": {
            "x2": {"bicubic": 33.6734, "plain": 37.5049, "regularized": 37.4851},
            "x4": {"bicubic": 28.43, "plain": 31.4, "regularized": None},
        }
    },
    "ssim": {"set5": {"x2": {"bicubic": 0.93, "plain": 0.95863}}},
}


def _with(**changes: Any) -> dict[str, Any]:
    return {**SUMMARY, **changes}


@pytest.mark.usefixtures("literature")
def test_page_has_this_study_then_the_methods_with_a_figure_in_a_row() -> None:
    assert for_page(compared(SUMMARY, "psnr")).splitlines()[:4] == [
        "| PSNR in dB | **bicubic** | **plain** | **regularized** | Net_A |",
        "| --- | --- | --- | --- | --- |",
        # 37.5049 is printed as 37.50, so it is equal to the published 37.50.
        "| set5 x2 | 33.67 | **37.50** | *37.49* | **37.50** |",
        "| set5 x4 | *28.43* | **31.40** |  |  |",
    ]
    urban = _with(psnr={"urban100": SUMMARY["psnr"]["set5"]})
    assert "NetB |\n" in for_page(compared(urban, "psnr"))


@pytest.mark.usefixtures("literature")
def test_only_the_selected_other_methods_are_ranked() -> None:
    summary = _with(psnr={"set5": {"x2": {"bicubic": 33.67, "plain": 37.45}}})
    assert "| *37.45* | **37.50** |" in for_page(compared(summary, "psnr"))
    assert "| *33.67* | **37.45** |\n" in for_page(compared(summary, "psnr").beside([]))


def test_best_and_second_best_follow_the_printed_digits_and_ties_have_equal_marks() -> None:
    row = {"a": "31.40", "b": "31.4", "c": "31.39", "d": "31.39", "e": "", "f": "28.00"}
    assert best(row) == ({"a", "b"}, {"c", "d"})
    assert best(row, lower_is_better=True) == ({"f"}, {"c", "d"})
    assert best({"a": "1.0", "b": "1.0"}) == ({"a", "b"}, set())
    assert best({"a": ""}) == (set(), set())
    assert best({"a": "9.50", "b": "10.50"}) == ({"b"}, {"a"})  # compared as numbers, not as text


@pytest.mark.usefixtures("literature")
def test_smallest_error_is_best(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS, "error", Metric(lambda *_: 0.0, "error", 1, lower_is_better=True))
    summary = _with(error={"set5": {"x2": {"bicubic": 3.0, "plain": 1.0, "regularized": 2.0}}})
    assert "| set5 x2 | 3.0 | **1.0** | *2.0* |" in for_page(compared(summary, "error"))


@pytest.mark.usefixtures("literature")
def test_paper_has_booktabs_marks_and_escaped_names() -> None:
    summary = _with(psnr={**SUMMARY["psnr"], "my_set%1": {"x2": {"plain+": 30.0}}})
    lines = for_paper(compared(summary, "psnr")).splitlines()
    assert lines[:7] == [
        r"\begin{tabular}{lrrrrr}",
        r"\toprule",
        r" & \multicolumn{4}{c}{this study} & \multicolumn{1}{c}{published} \\",
        r"\cmidrule(lr){2-5} \cmidrule(lr){6-6}",
        r"PSNR in dB & bicubic & plain & regularized & plain+ & Net\_A \\",
        r"\midrule",
        r"set5 x2 & 33.67 & \textbf{37.50} & \underline{37.49} &  & \textbf{37.50} \\",
    ]
    assert r"my\_set\%1 x2 &  &  &  & \textbf{30.00} &  \\" in lines
    assert lines[9:11] == [r"\bottomrule", r"\end{tabular}"]
    assert lines[-1] == "% Net_A: A. Author, 2016"


@pytest.mark.parametrize("character", [*tool.SPECIAL])
def test_every_special_character_of_latex_is_escaped(character: str) -> None:
    assert tool._escaped(f"a{character}b") == f"a{tool.SPECIAL[character]}b" != f"a{character}b"


@pytest.mark.usefixtures("literature")
def test_program_gets_a_row_for_each_figure_with_its_source_and_no_marks() -> None:
    rows = list(csv.DictReader(io.StringIO(for_program(compared(SUMMARY, "psnr")))))
    assert rows[2:4] == [
        {
            **{"test_set": "set5", "scale": "x2", "method": "regularized", "psnr": "37.49"},
            "source": "this study",
        },
        {
            **{"test_set": "set5", "scale": "x2", "method": "Net_A", "psnr": "37.50"},
            "source": "A. Author, 2016",
        },
    ]
    # One row for each method: bicubic is the study's own. Missing figures have no row.
    assert len(rows) == 6 and len({tuple(row.values())[:3] for row in rows}) == 6


@pytest.mark.usefixtures("literature")
@pytest.mark.parametrize("render", [for_page, for_paper])
def test_published_figures_are_left_out_with_a_reason_for_another_protocol(
    render: Callable[[tool.Table], str],
) -> None:
    runs = pd.DataFrame(
        [(2, seed, "set5", "plain", 37 + seed) for seed in (1, 2)], columns=list(chance.COLUMNS)
    )
    for protocol in ("opencv", "one that is not here"):
        text = render(compared(_with(protocol=protocol), "psnr", runs))
        assert "Net_A" not in text and "Net\\_A" not in text
        assert "Published figures are left out: they are of the protocol `matlab`" in text
        assert f"these of `{protocol}`" in text
        assert "are chance" not in text  # measured with the other protocol
    assert "left out" not in render(compared(SUMMARY, "psnr", runs))
    # There is also no such line if there are no figures to leave out.
    assert "left out" not in render(compared(_with(protocol="opencv"), "ssim"))


@pytest.mark.usefixtures("literature")
def test_table_states_the_protocol() -> None:
    assert "luma of BT.601, 16..235; border of `scale` pixels cropped" in for_page(
        compared(SUMMARY, "psnr")
    )
    assert "nothing cropped" in for_page(compared(_with(protocol="opencv"), "psnr"))


@pytest.mark.usefixtures("literature")
def test_line_under_the_table_states_chance_differences_if_seeds_were_run() -> None:
    runs = pd.DataFrame(
        [(2, seed, "set5", "plain", 37 + seed / 100) for seed in (1, 2, 3)],
        columns=list(chance.COLUMNS),
    )
    line = chance.sentence(runs)
    assert line and for_page(compared(SUMMARY, "psnr", runs)).splitlines()[-1] == line
    for without in (compared(SUMMARY, "psnr"), compared(SUMMARY, "ssim", runs)):
        assert "chance" not in for_page(without)


# --- The command, and revisions ------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs git in a repository with SUMMARY committed and without DVC."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    who = ["-c", "user.name=Tester", "-c", "user.email=tester@localhost"]

    def git(*arguments: str) -> str:
        command = ["git", *who, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(provenance, "stale", lambda revisions: set())
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics/summary.json").write_text(json.dumps(SUMMARY))
    git("init", "--quiet", "-b", "main")
    git("add", ".")
    git("commit", "--quiet", "-m", "results")
    return git


def _said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[str, str]:
    monkeypatch.setattr(sys, "argv", ["table", *arguments])
    tool.main()
    said = capsys.readouterr()
    return said.out, said.err


@pytest.mark.usefixtures("literature")
def test_revision_shows_its_own_results_and_the_default_is_the_workspace(
    repository: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    head = repository("rev-parse", "HEAD")
    repository("branch", "my-branch")
    repository("update-ref", f"refs/exps/{head[:2]}/{head[2:]}/unapt-love", head)
    changed = _with(psnr={"set5": {"x2": {"plain": 30.0}}}, protocol="opencv")
    Path("metrics/summary.json").write_text(json.dumps(changed))
    assert "30.00" in _said(monkeypatch, capsys)[0]
    for revision in ("my-branch", "HEAD", head[:10], "unapt-love"):
        out, _ = _said(monkeypatch, capsys, "--rev", revision)
        assert out == for_page(compared(SUMMARY, "psnr"))
    out, err = _said(monkeypatch, capsys, "--format", "csv")
    assert list(csv.reader(io.StringIO(out)))[1] == ["set5", "x2", "plain", "30.00", "this study"]
    assert "left out" in err  # and not in the CSV on stdout
    out, _ = _said(monkeypatch, capsys, "--format", "latex", "--metric", "ssim", "--rev", "HEAD")
    assert "SSIM & bicubic & plain" in out and r"\textbf{0.9586}" in out


def test_revision_that_git_does_not_know_is_named_in_one_line(
    repository: Callable[..., str],
) -> None:
    for revision in ("nothing", "--all", "HEAD:metrics", ""):
        with pytest.raises(InputError, match=r"^[^\n]*: git knows no such commit"):
            commit_of(revision)
    assert repository("rev-parse", "HEAD") == commit_of("main")


def test_name_of_several_experiments_means_that_of_the_current_commit(
    repository: Callable[..., str],
) -> None:
    first = repository("rev-parse", "HEAD")
    repository("commit", "--quiet", "--allow-empty", "-m", "second")
    second = repository("rev-parse", "HEAD")
    for commit in (first, second):
        repository("update-ref", f"refs/exps/{commit[:2]}/{commit[2:]}/same", commit)
    assert commit_of("same") == second
    repository("commit", "--quiet", "--allow-empty", "-m", "third")
    with pytest.raises(InputError, match="same: found 2 experiments of that name, none of the"):
        commit_of("same")


def test_revision_without_results_is_named_in_one_line(repository: Callable[..., str]) -> None:
    repository("rm", "--quiet", "metrics/summary.json")
    repository("commit", "--quiet", "-m", "none")
    for commit, where in ((commit_of("main"), "main: "), (None, "")):
        with pytest.raises(InputError, match=f"^{where}metrics/summary.json: is missing; `dvc"):
            table_of("psnr", commit, where)
    Path("metrics").mkdir(exist_ok=True)
    Path("metrics/summary.json").write_text("{")
    with pytest.raises(InputError, match=r"^metrics/summary\.json: is not JSON: "):
        table_of("psnr")
    Path("metrics/summary.json").write_text('{"protocol": "matlab", "psnr": {}}')
    with pytest.raises(InputError, match=r"summary.json: found protocol, psnr; expected ssim too"):
        table_of("ssim")


def test_seeds_are_those_of_the_revision(repository: Callable[..., str]) -> None:
    repository("branch", "before")
    Path("docs").mkdir()
    rows = [f"2,{seed},set5,plain,{37 + seed}" for seed in (1, 2)]
    Path("docs/seeds.csv").write_text("\n".join([",".join(chance.COLUMNS), *rows]))
    repository("add", ".")
    repository("commit", "--quiet", "-m", "seeds")
    assert "are chance" in table_of("psnr", commit_of("main")).remarks[-1]
    assert "are chance" in table_of("psnr").remarks[-1]
    assert not [r for r in table_of("psnr", commit_of("before")).remarks if "are chance" in r]


def test_table_of_a_branch_as_the_experiments_page_says(tmp_path: Path) -> None:
    study = Study.of_working_tree(tmp_path / "study", tmp_path / "shared")
    (study.root / "metrics").mkdir(exist_ok=True)
    (study.root / "metrics/summary.json").write_text(json.dumps(SUMMARY))
    study("git", "switch", "--quiet", "-c", "my-branch")
    study("git", "add", "--force", "metrics/summary.json")
    study.commit("results")
    study("git", "switch", "--quiet", "-")
    said = study("python", "-m", "tools.table", "--format", "latex", "--rev", "my-branch").text
    assert said.startswith("\\begin{tabular}") and "VDSR" in said
    # Written by hand: no dvc.lock records that they belong to these params.
    assert "These scores do not belong to the params.yaml of this revision" in said
    unknown = study.try_("python", "-m", "tools.table", "--rev", "nothing")
    assert unknown.status == 1
    assert unknown.text == "error: nothing: git knows no such commit, branch, tag or experiment\n"
    without = study.try_("python", "-m", "tools.table", "--rev", "HEAD")
    assert without.status == 1 and len(without.text.splitlines()) == 1
    assert without.text.startswith("error: HEAD: metrics/summary.json: is missing")


# --- The README ----------------------------------------------------------------------------------


def test_readme_has_the_table_of_the_tool() -> None:
    assert readme.results().startswith(for_page(table_of("psnr").beside(readme.CLASS)))


def test_readme_says_whether_regularization_helps_if_seeds_were_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert readme.verdict() == ""
    rows = [
        f"2,{seed},set5,{method},{37 + seed + gain}"
        for seed in (1, 2, 3)
        for method, gain in (("plain", 0.0), ("regularized", 0.05 + seed / 1000))
    ]
    Path("docs").mkdir()
    Path("docs/seeds.csv").write_text("\n".join([",".join(chance.COLUMNS), *rows]))
    said = readme.verdict()
    question = "\n**Does regularization help?** "
    assert said.startswith(f"{question}Regularization helps a little: +0.052 dB at x2 (95 % inter")
    assert said.endswith(" Means over the test sets of [docs/seeds.csv](docs/seeds.csv).\n")


def test_figures_of_the_student_project_are_those_of_its_page() -> None:
    page = (ROOT / "docs/source-study.md").read_text("utf-8")
    line = next(line for line in page.splitlines() if line.startswith("| mean |"))
    bicubic, plain, regularized = re.findall(r"\| (\d+\.\d+) ->", line)
    text = " ".join((ROOT / "README.md").read_text("utf-8").split())
    said = f"a mean PSNR of {plain} dB (plain) and {regularized} dB (regularized), and {bicubic} dB"
    assert f"on Set5 at x2 it printed {said} for bicubic" in text
