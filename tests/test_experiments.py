"""Typical uses of the pipeline, tested with real DVC runs of a tiny study with one scale."""

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from skimage import data

from tests.documented import script_with
from tests.tiny import TARGETS, Study

PLAIN = "evaluate@2-plain-sample-test"
# The first test waits for the study that all tests share.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def one_scale(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Scale 2, run once and committed. Tests change only copies."""
    return Study.finished(tmp_path_factory, scales=[2], cascade_scales=[])


@pytest.fixture
def work(one_scale: Study, tmp_path: Path) -> Study:
    return one_scale.copy(tmp_path / "work")


@pytest.fixture
def queue(work: Study) -> Iterator[Study]:
    yield work
    work.end_queue()


def test_a_queued_sweep_finishes_and_is_compared_side_by_side(queue: Study) -> None:
    queue.experiment("-S", "lambda=0.01,0.1", "--queue", *TARGETS)
    queue.start_queue()
    status = queue.wait_for_queue()
    assert status.count("Success") == 2, status
    # Without `ready`: the interpreter of the runs is on the PATH, not in a .venv of the clone.
    table = queue("make", "--no-print-directory", "ready=", "compare").text
    assert "…" not in table and "..." not in table, table
    header, *rows = [line for line in table.splitlines() if line.strip(" ─")]
    columns = header.split()
    assert "x2.regularized" in columns, table
    assert header.strip().startswith("PSNR in dB on sample-test"), table
    at = columns.index("lambda") - len(columns)
    assert sorted(row.split()[at] for row in rows) == ["0.001", "0.001", "0.01", "0.1"], table
    assert max(len(line.rstrip(" ─")) for line in table.splitlines()) <= 120, table


def test_metrics_diff_shows_the_decibels_between_two_branches(work: Study) -> None:
    for name, value in (("small", "0.01"), ("large", "0.1")):
        work.experiment("--name", name, "-S", f"lambda={value}", "summarize")
        work("dvc", "exp", "branch", name, f"branch-{name}")
    for one, other in (("HEAD", "branch-large"), ("branch-small", "branch-large")):
        shown = work("dvc", "metrics", "diff", "--json", one, other).text
        # Before it, DVC may name metrics that no stage has made yet.
        changed = json.loads(shown[shown.index("{") :])["metrics/summary.json"]
        psnr = {key: entry for key, entry in changed.items() if key.startswith("psnr.")}
        assert set(psnr) == {"psnr.sample-test.x2.regularized"}
        entry = psnr["psnr.sample-test.x2.regularized"]
        assert entry["diff"] == pytest.approx(entry["new"] - entry["old"])
        assert 0 < abs(entry["diff"]) < 10


def test_push_and_pull_carry_all_results_to_a_fresh_clone(work: Study, tmp_path: Path) -> None:
    elsewhere = ("dvc", "remote", "modify", "--local", "home", "url", str(tmp_path / "remote"))
    work(*elsewhere)
    work("dvc", "push")
    fresh = work.clone(tmp_path / "fresh")
    fresh(*elsewhere)
    fresh("dvc", "pull", "--with-deps", *TARGETS)
    assert fresh.repro().stages == set()
    assert fresh("git", "status", "--porcelain").text == ""
    assert fresh.files("data", "models").items() <= work.files("data", "models").items()


def test_the_committed_remote_lies_in_the_home_folder(work: Study, tmp_path: Path) -> None:
    home = Study(work.root, tmp_path / "other")
    (home.shared / "home").mkdir(parents=True)
    home("dvc", "push", "train-plain@2")
    store = home.shared / "home/.cache/sr-study/dvc-store"
    assert any(path.is_file() for path in store.rglob("*"))


def _photographs(folder: Path) -> None:
    """Files of all common kinds, each with a different, odd size."""
    folder.mkdir(parents=True)
    colour = np.ascontiguousarray(data.chelsea()[..., ::-1])
    grey = data.camera()
    alpha = np.full((111, 133, 1), 200, np.uint8)
    images = {
        "colour.png": colour[50:181, 100:251],
        "photo.jpg": colour[100:227, 150:299],
        "grey.png": grey[60:165, 200:343],
        "alpha.png": np.dstack([colour[90:201, 120:253], alpha]),
        "deep.png": colour[40:157, 90:211].astype(np.uint16) * 257,
        "deep-grey.png": grey[80:189, 180:295].astype(np.uint16) * 257,
    }
    for name, image in images.items():
        assert cv2.imwrite(str(folder / name), image)


@pytest.fixture
def own(work: Study) -> Study:
    """A study with only the user's own photographs."""
    for name in ("mine", "mine-test"):
        _photographs(work.root / "photos" / name)
    work.set(
        datasets=[],
        own_images={"mine": "photos/mine", "mine-test": "photos/mine-test"},
        train_set="mine",
        test_sets=["mine-test"],
    )
    return work


def test_own_images_are_an_experiment_as_the_page_writes_it(work: Study, tmp_path: Path) -> None:
    refused = work.try_("dvc", "exp", "run", "-S", f"own_images={{mine: {tmp_path}}}", "summarize")
    assert refused.status != 0 and "Could not override 'own_images'" in refused.text
    script = script_with("docs/guide/extending.md", "own_images.mine")
    for folder in ("/home/me/Été 2024", "/home/me/test"):
        assert folder in script
        _photographs(tmp_path / folder[1:])
    work("bash", "-euc", script.replace("/home/me", f"{tmp_path}/home/me"))
    assert work.params()["own_images"]["mine"] == f"{tmp_path}/home/me/Été 2024"
    assert set(work.summary()["psnr"]) == {"mine-test"}


def test_a_temporary_experiment_says_that_own_images_are_outside_git(
    work: Study, tmp_path: Path
) -> None:
    _photographs(work.root / "photos/mine")
    mine = ("-S", "+own_images.mine=photos/mine", "-S", "test_sets=[sample-test,mine]")
    target = "synthesize-test@2-mine"
    run = work.try_("dvc", "exp", "run", "--temp", *mine, target)
    assert run.status != 0
    assert (
        "error: params.yaml: own_images.mine: found 'photos/mine', which is not in this temporary "
        "copy of the project: DVC copies what git tracks; allowed: an absolute path, or a folder "
        "in git\n"
    ) in run.text
    assert "Traceback" not in run.text
    assert work.experiment(*mine, target).stages >= {"own_images@mine", target}
    work("git", "restore", "-SW", ".")
    work("git", "add", "photos")
    assert "Ran experiment(s)" in work.experiment("--temp", *mine, target).text


def test_own_images_of_every_kind_go_from_end_to_end(own: Study) -> None:
    own.repro()
    scores = json.loads((own.root / "metrics/images/mine-test.json").read_text())["x2"]
    assert set(scores) == {"colour", "photo", "grey", "alpha", "deep", "deep-grey"}
    for entry in scores.values():
        assert set(entry["psnr"]) == {"bicubic", "plain", "regularized"}
        assert all(15 < value < 60 for value in entry["psnr"].values())


@pytest.mark.parametrize("folder", ["mine", "mine-test"])
def test_a_broken_own_image_is_named_before_any_training_and_leaves_nothing(
    own: Study, folder: str
) -> None:
    (own.root / "photos" / folder / "x.png").write_text("not an image")
    run = own.try_("dvc", "repro", *TARGETS)
    assert run.status != 0
    assert f"photos/{folder}/x.png: is not a complete image" in run.text
    assert "Traceback" not in run.text
    assert not {stage for stage in run.stages if stage.startswith("train")}
    assert not (own.root / "data/raw" / folder).exists()
    assert not list((own.root / "data/raw").glob(".*"))


@pytest.mark.parametrize(
    "network",
    [
        ["srcnn"],
        ["fsrcnn", "features=8", "shrunk=4", "mapping_layers=1"],
        ["espcn", "first=8", "second=4"],
        ["vdsr", "channels=4", "layers=3"],
        ["progressive", "channels=8", "blocks=1"],
    ],
    ids=lambda network: network[0],
)
def test_every_network_trains_and_is_scored(work: Study, network: list[str]) -> None:
    name, *sizes = network
    size = [argument for s in sizes for argument in ("-S", f"network_size.{name}.{s}")]
    run = work.experiment("-S", f"network={name}", *size, PLAIN)
    assert run.stages == {"validate", "pretrain", "train-plain@2", PLAIN}
    assert f"x2-plain: {name}," in run.text
    scores = json.loads((work.root / "data/scores/x2/sample-test/plain.json").read_text())
    # Only nine steps: the output of some networks is still poor, but each has a score.
    assert len(scores) == 3
    assert all(0 < entry["psnr"] < 60 for entry in scores.values())


def test_a_temporary_experiment_leaves_the_workspace_alone(work: Study) -> None:
    before = work.files("data", "models", "metrics")
    run = work.experiment("--temp", "--name", "aside", "-S", "lambda=0.01", "summarize")
    assert run.stages == {
        *("validate", "train-regularized@2", "evaluate@2-regularized-sample-test"),
        "summarize",
    }
    assert work("git", "status", "--porcelain").text == ""
    assert work.files("data", "models", "metrics") == before
    assert "aside" in work("dvc", "exp", "list").text
    work("dvc", "exp", "branch", "aside", "aside-branch")
    aside = yaml.safe_load(work("git", "show", "aside-branch:params.yaml").text)
    assert aside["lambda"] == 0.01
