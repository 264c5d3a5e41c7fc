"""The promises of the pipeline, tested with real DVC runs of a tiny study."""

import re
import shutil
from pathlib import Path

import dvc.api
import pytest

from tests.tiny import ROOT, TARGETS, TINY_EDSR, Study
from tools.long_recipe import STUDY

# The first test waits for the study that all tests share.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

METHODS = {"bicubic", "plain", "regularized"}
PLAIN, REGULARIZED = "evaluate@2-plain-sample-test", "evaluate@2-regularized-sample-test"
RESULTS = {"compare@2-sample-test", "summarize", "report"}
ONE_SCALE = ("-S", "scales=[2]", "-S", "cascade_scales=[]")
AFTER_LAMBDA = {"validate", "train-regularized@2", REGULARIZED, *RESULTS}
AFTER_TRAINING = {*AFTER_LAMBDA, "train-plain@2", PLAIN}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Scales 2 and 4, run once and committed. Tests change only copies."""
    return Study.finished(tmp_path_factory)


@pytest.fixture(scope="module")
def one_scale(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The same with only scale 2: half the work for the tests that change it."""
    work = study.copy(tmp_path_factory.mktemp("tiny") / "one-scale")
    work.set(scales=[2], cascade_scales=[])
    work.repro()
    work.commit("scale 2 alone")
    return work


@pytest.fixture
def work(one_scale: Study, tmp_path: Path) -> Study:
    return one_scale.copy(tmp_path / "work")


def test_a_second_repro_does_nothing_and_the_summary_has_every_method(study: Study) -> None:
    assert study.repro().stages == set()
    assert study("git", "status", "--porcelain").text == ""
    summary = study.summary()
    for score in ("psnr", "ssim"):
        by_scale = summary[score]["sample-test"]
        assert set(by_scale) == {"x2", "x4"}
        assert all(set(by_method) >= METHODS for by_method in by_scale.values())


def test_lambda_reaches_the_regularized_models_alone(work: Study) -> None:
    before = work.summary()["psnr"]["sample-test"]["x2"]
    run = work.experiment("-S", "lambda=0.1", *TARGETS)
    assert run.stages == AFTER_LAMBDA
    after = work.summary()["psnr"]["sample-test"]["x2"]
    assert {method for method in METHODS if after[method] != before[method]} == {"regularized"}


def test_dvcs_python_interface_shows_each_stage_its_own_entries(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(study.root)
    shown = dvc.api.params_show(stages=["train-plain@4"])
    assert shown["epochs"] == {"x4": 1} and shown["network_size"] == {"edsr": TINY_EDSR}
    assert shown["steps"] == {"x4": None} and "lambda" not in shown


def test_self_ensemble_is_scored_beside_the_single_pass(work: Study) -> None:
    before = work.summary()["psnr"]["sample-test"]["x2"]
    run = work.experiment("-S", "self_ensemble=[plain]", *TARGETS)
    assert run.stages == {"validate", "ensemble@2-plain-sample-test", *RESULTS}
    after = work.summary()["psnr"]["sample-test"]["x2"]
    assert after.keys() - before.keys() == {"plain+"}
    assert before.items() <= after.items()
    assert after["plain+"] != after["plain"]
    assert "self-ensemble" in (work.root / "metrics/table.txt").read_text()

    # Changed back: its old results have no effect.
    work("git", "restore", "-SW", ".")
    work("dvc", "checkout")
    assert work.repro().stages == set()
    assert work("git", "status", "--porcelain").text == ""


def test_lambda_in_scientific_notation_is_trained_with(work: Study) -> None:
    run = work.experiment("-S", "lambda=1e-5", "train-regularized@2")
    assert run.stages == {"validate", "train-regularized@2"}
    assert "lambda 1e-05," in run.text


def test_epochs_and_patch_size_rerun_the_stages_that_depend_on_them(work: Study) -> None:
    assert work.experiment("-S", "epochs.x2=2", *TARGETS).stages == AFTER_TRAINING
    run = work.experiment("-S", "patch_size.x2=48", PLAIN)
    assert run.stages == {"validate", "patch@2", "pretrain", "train-plain@2", PLAIN}


def test_a_removed_scale_leaves_no_results_and_can_be_added_again(
    study: Study, tmp_path: Path
) -> None:
    work = study.copy(tmp_path / "work")
    assert work.experiment(*ONE_SCALE, *TARGETS).stages == {
        # All scales have the same list of cascades.
        *("validate", "compare@2-sample-test", "summarize", "report"),
    }
    results = work.files("metrics/images")
    assert results
    for name in ("metrics/summary.json", "metrics/table.txt", *results):
        assert "x4" not in (work.root / name).read_text(), name

    work("git", "checkout", "--quiet", "params.yaml")
    back = work.repro()
    # Their curves come from DVC's run-cache: nothing is trained.
    ran = set(re.findall(r"Running stage '([^']+)'", back.text))
    assert not {stage for stage in ran if "train" in stage or "data" in stage}
    assert work("git", "diff").text == ""

    work.experiment(*ONE_SCALE, *TARGETS)
    work("git", "checkout", "--quiet", ".")
    work("dvc", "checkout", "--with-deps", *TARGETS)
    assert work.repro().stages == set()
    assert work("git", "diff").text == ""


def test_lambda_zero_trains_the_plain_network_byte_for_byte(work: Study) -> None:
    work.experiment("-S", "lambda=0", "train-plain@2", "train-regularized@2")
    models = work.root / "models"
    plain, regularized = (models / f"x2-{s}.weights.h5" for s in ("plain", "regularized"))
    assert plain.read_bytes() == regularized.read_bytes()


def test_training_goes_on_from_a_file_of_weights(work: Study) -> None:
    before, pretrained = work.root / "before.weights.h5", work.root / "models/pretrained.weights.h5"
    shutil.copy(work.root / "models/x2-plain.weights.h5", before)
    changes = ("-S", "start_from=before.weights.h5", "-S", "pretrain_epochs=0")
    run = work.experiment(*changes, "train-plain@2")
    assert run.stages == {"validate", "pretrain", "train-plain@2"}
    assert pretrained.read_bytes() == before.read_bytes()

    shutil.copy(work.root / "models/x2-regularized.weights.h5", before)
    assert work.repro("train-plain@2").stages == {"pretrain", "train-plain@2"}


def test_temporary_experiment_copies_weights_that_are_not_in_git(work: Study) -> None:
    # In the folder of `make long`, because DVC makes no folder for copied files.
    before = str(STUDY.weights_of("before"))
    shutil.copy(work.root / "models/x2-plain.weights.h5", work.root / before)
    changes = ("-S", f"start_from={before}", "-S", "pretrain_epochs=0", "pretrain")
    alone = work.try_("dvc", "exp", "run", "--temp", *changes)
    assert alone.status and f"{before}', which is not in this temporary copy" in alone.text

    work.experiment("--temp", "--name", "along", "--copy-paths", before, *changes)
    # It is also in the experiment, so that everyone who applies the experiment gets it.
    for path in ("models/pretrained.weights.h5", before):
        with dvc.api.open(path, str(work.root), "along", mode="rb") as file:
            assert file.read() == (work.root / before).read_bytes()


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (
            {"warmup_share": -1},
            "params.yaml: warmup_share: found -1; allowed: a number of at least 0 and at most 0.5",
        ),
        ({"lamda": 5}, "params.yaml: lamda: unknown key; did you mean 'lambda'?"),
    ],
)
def test_a_wrong_value_is_refused_before_the_first_download(
    study: Study, tmp_path: Path, wrong: dict, line: str
) -> None:
    work = study.clone(tmp_path / "work")
    before = work.files("data")
    work.set(**wrong)
    run = work.try_("dvc", "repro", *TARGETS)
    assert run.status != 0
    assert line in run.text
    assert run.stages == {"validate"}
    assert "Traceback" not in run.text
    assert work.files("data") == before


def test_a_misspelt_override_is_refused(work: Study) -> None:
    by_dvc = work.try_("dvc", "exp", "run", "-S", "lamda=5", *TARGETS)
    assert by_dvc.status != 0
    assert "lamda" in by_dvc.text
    assert by_dvc.stages == set()
    assert work("git", "status", "--porcelain").text == ""

    by_us = work.try_("dvc", "exp", "run", "-S", "+lamda=5", *TARGETS)
    assert by_us.status != 0
    assert "params.yaml: lamda: unknown key; did you mean 'lambda'?" in by_us.text
    assert by_us.stages == {"validate"}


def test_the_tests_ran_this_projects_code(study: Study) -> None:
    for path in sorted([*(ROOT / "stages").rglob("*.py"), *(ROOT / "srstudy").rglob("*.py")]):
        assert (study.root / path.relative_to(ROOT)).read_bytes() == path.read_bytes()
