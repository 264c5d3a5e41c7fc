"""Studies that differ in their lists: scales, cascades, self-ensembles, seeds of the warm-up.

With real DVC runs: an entry that is not in a list has no stage, no warning and no result.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from srstudy.imagefiles.png import write_png
from srstudy.imagefiles.reading import read_image
from tests.test_digits import idx, write_digits
from tests.tiny import Run, Study

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CASCADE = "cascade@4-{}-sample-test"
SETTINGS = ("plain", "regularized")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Scales 2 and 4 with a cascade, run by `dvc repro` and committed. Tests change copies."""
    study = Study.of_working_tree(*(tmp_path_factory.mktemp("lists") / k for k in ("s", "shared")))
    said = study("dvc", "repro").text
    assert "WARNING" not in said and "is empty" not in said
    assert {CASCADE.format(s) for s in SETTINGS} <= Run(0, said).stages
    study.commit("two scales")
    return study


@pytest.fixture
def work(study: Study, tmp_path: Path) -> Study:
    return study.copy(tmp_path / "work")


def _shown(work: Study, *command: str) -> dict:
    text = work("dvc", *command, "--json").text
    return json.loads(text[text.index("{") :])


def test_without_a_warm_up_every_dvc_command_works_without_targets(work: Study) -> None:
    assert "up to date" in work("dvc", "status").text
    assert "up to date" in work("dvc", "repro").text
    assert work("dvc", "repro", "--dry").stages == set()
    work.experiment("-S", "lambda=0.01")
    assert "up to date" in work("dvc", "status").text
    diff = work("dvc", "metrics", "diff").text
    assert "lambda" not in diff and "WARNING" not in diff and "x2.regularized" in diff
    work("dvc", "exp", "save", "--name", "kept")
    assert "kept" in work("dvc", "exp", "list").text
    work("dvc", "commit", "-f")
    work.commit("lambda")
    work.experiment("--queue", "-S", "lambda=0.1")
    work.start_queue()
    assert work.wait_for_queue().count("Success") == 1
    work.end_queue()


def test_results_of_another_study_are_removed_with_a_line_and_not_shown(work: Study) -> None:
    others = {
        f"metrics/{k}" for s in SETTINGS for k in (f"curves/x4-{s}.csv", f"validation/x4-{s}.json")
    }
    run = work.experiment("-S", "scales=[2]", "-S", "cascade_scales=[]")
    for name in others:
        assert f"{name}: removed, because no stage of this study makes it" in run.text
        assert not (work.root / name).exists()
    status = work("git", "status", "--porcelain", "metrics").text
    assert {line[3:] for line in status.splitlines() if line.startswith((" D", "D "))} == others
    for command in (("metrics", "show"), ("plots", "show")):
        assert "x4" not in json.dumps(_shown(work, *command)), command

    # The same if DVC takes everything from its cache: by hand, and in a temporary folder.
    work("git", "restore", "-SW", ".")
    work("dvc", "checkout")
    assert "up to date" in work("dvc", "status").text
    aside = ("--temp", "--name", "aside", "-S", "scales=[2]", "-S", "cascade_scales=[]")
    assert "removed, because no stage" in work.experiment(*aside).text
    listed = work(*("git", "ls-tree", "-r", "--name-only", _experiment(work), "metrics/")).text
    assert "metrics/curves/x2-plain.csv" in listed and "x4" not in listed
    work.experiment("-S", "scales=[2]", "-S", "cascade_scales=[]")
    assert not any((work.root / name).exists() for name in others)


def _experiment(work: Study) -> str:
    head = work("git", "rev-parse", "HEAD").text.strip()
    return f"refs/exps/{head[:2]}/{head[2:]}/aside"


def test_charts_follow_the_scales(work: Study) -> None:
    work.set(scales=[2, 3], cascade_scales=[])
    work("dvc", "repro", "train-plain@3", "train-regularized@3")
    shown = json.dumps(_shown(work, "plots", "show"))
    for name in ("pretrained", "x2-plain", "x3-plain", "x3-regularized"):
        assert f"metrics/curves/{name}.csv" in shown
    assert "x4-" not in shown and "x8-" not in shown


def test_cascades_and_ensembles_are_stages_only_if_listed(work: Study) -> None:
    listed = work("dvc", "stage", "list", "--name-only").text.split()
    assert [name for name in listed if name.startswith(("cascade", "ensemble", "mnist"))] == [
        CASCADE.format(setting) for setting in SETTINGS
    ]
    work.set(cascade_scales=[], self_ensemble=["regularized"])
    listed = work("dvc", "stage", "list", "--name-only").text.split()
    assert [name for name in listed if name.startswith(("cascade", "ensemble"))] == [
        f"ensemble@{scale}-regularized-sample-test" for scale in (2, 4)
    ]
    run = work("dvc", "repro")
    assert "is empty" not in run.text
    assert run.stages == {
        *("validate", "summarize", "report", "compare@2-sample-test", "compare@4-sample-test"),
        *(f"ensemble@{scale}-regularized-sample-test" for scale in (2, 4)),
    }
    methods = ["bicubic", "plain", "regularized", "regularized+"]
    assert list(work.summary()["psnr"]["sample-test"]["x4"]) == methods
    for kind in ("restored", "scores"):
        found = {path.stem for path in (work.root / f"data/{kind}/x4/sample-test").iterdir()}
        assert found == set(methods)
    # Another user gets the recorded state.
    assert "up to date" in work("dvc", "status").text
    work.commit("lists")
    work("dvc", "push", "-q")
    fresh = work.clone(work.root.parent / "fresh")
    fresh("dvc", "pull", "-q")
    assert fresh("dvc", "repro").stages == set()
    assert "up to date" in fresh("dvc", "status").text


def test_test_image_in_the_training_set_is_named_under_the_table_and_in_the_report(
    work: Study, tmp_path: Path
) -> None:
    cat, table = (work.root / p for p in ("data/raw/sample/chelsea.png", "metrics/table.txt"))
    (tmp_path / "photos").mkdir()
    write_png(tmp_path / "photos/cat.png", read_image(cat)[::2, ::-2])
    before = table.read_text("utf-8")
    own = {"mine-test": str(tmp_path / "photos")}
    work.set(own_images=own, test_sets=["sample-test", "mine-test"])
    run = work.repro("summarize", "report")
    line = "mine-test/cat.png is also in the training set sample, as chelsea.png: its score is not"
    assert f"warning: {line}" in run.text
    assert not {stage for stage in run.stages if "train" in stage}
    page = (work.root / "report/index.html").read_text("utf-8")
    assert line in table.read_text("utf-8") and line in page
    work.set(own_images={}, test_sets=["sample-test"])
    work.repro("summarize")
    assert table.read_text("utf-8") == before
    assert [path.name for path in (work.root / "data/shared").iterdir()] == ["sample-test.json"]


def test_each_seed_of_the_warm_up_is_an_independent_stage(work: Study, tmp_path: Path) -> None:
    here = ("env", f"SR_MIRROR={_digits(work, tmp_path / 'mirror')}", "dvc")
    recipe = {**work.params()["mnist"], "steps": 3, "batch_size": 10}

    def repro(seeds: list[int]) -> Run:
        work.set(mnist={**recipe, "seeds": seeds})
        return work(*here, "repro")

    assert repro([1]).stages == {
        *("validate", "download-mnist@1", "mnist@1", "summarize", "report")
    }
    one = (work.root / "metrics/mnist/seed-1.json").read_text()
    assert set(json.loads(one)["mnist"]) == {"seed-1"}
    work.commit("one seed")
    assert repro([1, 2]).stages == {
        *("validate", "download-mnist@2", "mnist@2", "summarize", "report")
    }
    assert (work.root / "metrics/mnist/seed-1.json").read_text() == one
    work.commit("two seeds")
    shown = _shown(work, "metrics", "show")[""]["data"]
    assert {"metrics/mnist/seed-1.json", "metrics/mnist/seed-2.json"} <= set(shown)
    run = repro([2])
    assert run.stages == {"validate", "summarize", "report"}
    assert "metrics/mnist/seed-1-curve.csv: removed" in run.text
    names = {path.name for path in (work.root / "metrics/mnist").iterdir()}
    assert names == {"seed-2.json", "seed-2-curve.csv", "seed-2-confusion.csv"}
    assert repro([]).stages == {"validate", "summarize", "report"}
    assert not list((work.root / "metrics/mnist").glob("*"))


def _digits(work: Study, mirror: Path) -> Path:
    """A mirror with a few digits instead of MNIST's, under the names in the registry."""
    mirror.mkdir()
    random = np.random.default_rng(0)
    for part, count in (("train", 60), ("t10k", 20)):
        write_digits(
            mirror, f"{part}-images-idx3", idx(random.integers(0, 256, (count, 28, 28), np.uint8))
        )
        write_digits(mirror, f"{part}-labels-idx1", idx(random.integers(0, 10, count, np.uint8)))
    lines = ["file\tbytes\tsha256\turl\tmirror"]
    for path in sorted(mirror.iterdir()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        lines.append(f"{path.name}\t{path.stat().st_size}\t{digest}\t\t{path.name}")
    (work.root / "data/registry/mnist.tsv").write_text("\n".join(lines) + "\n")
    return mirror


def test_refused_value_of_equal_length_is_shown_by_git_and_can_be_undone(work: Study) -> None:
    # DVC writes it within the second in which git last read the file, and the size is the same.
    before = (work.root / "params.yaml").read_text()
    for value in ("O.001", "o.001", "0.o01"):
        run = work.try_("dvc", "exp", "run", "-S", f"lambda={value}")
        assert run.status != 0 and f"lambda: found '{value}'" in run.text
        assert "params.yaml" in work("git", "status", "--porcelain").text
        work("git", "restore", "-SW", ".")
        assert (work.root / "params.yaml").read_text() == before
