"""What makes a training stale and what does not: real `dvc status` of a tiny study."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.extending import section
from tests.tiny import Study

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SCALES = (2, 4)
TRAININGS = {"pretrain", *(f"train-{s}@{x}" for s in ("plain", "regularized") for x in SCALES)}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Scales 2 and 4, trained and committed. Tests change copies only."""
    return Study.finished(tmp_path_factory, sorted(TRAININGS))


@pytest.fixture
def work(trained: Study, tmp_path: Path) -> Study:
    return trained.copy(tmp_path / "work")


def _append(study: Study, path: str, text: str) -> None:
    file = study.root / path
    file.write_text(file.read_text("utf-8") + text, "utf-8")


def _comment(*paths: str) -> Callable[[Study], None]:
    def change(study: Study) -> None:
        for path in paths:
            _append(study, path, "\n# Edited.\n")

    return change


def _new_file(title: str) -> Callable[[Study], None]:
    """The file of a section of the page on extending; for a network also its line in params."""

    def change(study: Study) -> None:
        for path, text in section(title).files.items():
            (study.root / path).write_text(text, "utf-8")
            if path.startswith("srstudy/networks/"):
                sizes = study.params()["network_size"]
                study.set(network_size={**sizes, Path(path).stem: {}})

    return change


def _set(path: str, value: object) -> Callable[[Study], None]:
    """A value of params.yaml, or one of its entries: `epochs.x4`."""

    def change(study: Study) -> None:
        key, _, entry = path.partition(".")
        study.set(**{key: {**study.params()[key], entry: value} if entry else value})

    return change


def _new_metric(study: Study) -> None:
    entry = '\nMETRICS["mse"] = Metric(lambda p, hr, sr, s: 0.0, "MSE", 2)\n'
    _append(study, "srstudy/scoring/metrics.py", entry)


def _new_data_set(study: Study) -> None:
    rows = (study.root / "data/registry/sample.tsv").read_text("utf-8")
    (study.root / "data/registry/other.tsv").write_text(rows, "utf-8")


UNCONCERNED: dict[str, Callable[[Study], None]] = {
    "a new network": _new_file("A network"),
    "an unused network's size": _set("network_size.vdsr", {"channels": 8, "layers": 3}),
    "an unused network's code": _comment("srstudy/networks/vdsr.py"),
    "a new metric": _new_metric,
    "a changed metric": _comment("srstudy/scoring/metrics.py"),
    "a new degradation": _new_file("A degradation"),
    "an unused degradation's code": _comment("srstudy/degradations/opencv.py"),
    "a new loss": _new_file("A loss"),
    "an unused loss's code": _comment("srstudy/losses/charbonnier.py"),
    "a new data set": _new_data_set,
    "the report": _comment("srstudy/report/page.py", "stages/report.py"),
    "upscale": _comment("srstudy/upscale/upscaling.py", "srstudy/upscale/tiles.py"),
    "scoring": _comment("srstudy/scoring/evaluation.py", "stages/evaluate.py"),
    "mnist": _comment("srstudy/mnist/digits.py", "stages/mnist.py"),
    "export": _comment("srstudy/export/onnx_files.py"),
    "shared pictures": _comment("srstudy/datasets/shared_pictures.py", "stages/shared.py"),
    "tools": _comment("tools/bench.py"),
    "image files": _comment("srstudy/imagefiles/reading.py"),
    "another scale's epochs": _set("epochs.x8", 9),
    "another scale's learning rate": _set("learning_rate.x3", 0.5),
}


@pytest.mark.parametrize("change", UNCONCERNED)
def test_training_stays_up_to_date_after(work: Study, change: str) -> None:
    before = _stale(work)
    UNCONCERNED[change](work)
    assert work("git", "status", "--porcelain").text, "nothing was changed"
    assert not before & TRAININGS
    assert not _stale(work) & TRAININGS


def _other_start(study: Study) -> None:
    shutil.copy(study.root / "models/x2-plain.weights.h5", study.root / "before.weights.h5")
    study.set(start_from="before.weights.h5")


CONCERNED: dict[str, tuple[Callable[[Study], None], set[str]]] = {
    "the chosen network's code": (_comment("srstudy/networks/edsr.py"), TRAININGS),
    "what networks share": (_comment("srstudy/networks/shared/layers.py"), TRAININGS),
    "the chosen network's size": (
        _set("network_size.edsr", {"channels": 16, "blocks": 1, "equivariant": False}),
        TRAININGS,
    ),
    "the chosen loss": (_comment("srstudy/losses/mse.py"), TRAININGS),
    "another loss chosen": (_set("loss", "charbonnier"), TRAININGS),
    "the chosen degradation": (_comment("srstudy/degradations/matlab.py"), TRAININGS),
    "training": (_comment("srstudy/training/trainer.py"), TRAININGS),
    "patches": (_comment("srstudy/patches/batches.py"), TRAININGS),
    "this scale's epochs": (_set("epochs.x4", 2), {"train-plain@4", "train-regularized@4"}),
    "this scale's steps": (_set("steps.x4", 2), {"train-plain@4", "train-regularized@4"}),
    "this scale's learning rate": (
        _set("learning_rate.x4", 0.5),
        {"train-plain@4", "train-regularized@4"},
    ),
    # The trainings after it as soon as it gives them other weights.
    "the weights to start from": (_other_start, {"pretrain"}),
    "lambda": (_set("lambda", 0.1), {"train-regularized@2", "train-regularized@4"}),
}


@pytest.mark.parametrize("change", CONCERNED)
def test_training_is_stale_after(work: Study, change: str) -> None:
    edit, stale = CONCERNED[change]
    edit(work)
    assert _stale(work) & TRAININGS == stale


def _stale(study: Study) -> set[str]:
    """The stages that `dvc status` names as changed."""
    return set(json.loads(study("dvc", "status", "--json").text))
