"""Fixtures of several test modules: a small photograph, and patch files made from it."""

import os
import tempfile
from collections.abc import Callable, Generator
from importlib.util import find_spec
from pathlib import Path

# Before anything imports TensorFlow or Hypothesis: no start-up lines, no folder in the project.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault(
    "HYPOTHESIS_STORAGE_DIRECTORY", str(Path(tempfile.gettempdir(), "sr-study-hypothesis"))
)

import numpy as np
import pytest
from numpy.typing import NDArray

from srstudy.datasets.download import fetch
from srstudy.degradations.shared.degradation import degradation
from srstudy.imagefiles.listing import list_images
from srstudy.imagefiles.reading import read_image
from srstudy.patches.writing import PatchWriter
from tests.imports import ROOT

MakePatches = Callable[..., Path]


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """The project's paths are relative to its root, from wherever pytest was started."""
    monkeypatch.chdir(ROOT)
    for name in ("DVC_ROOT", "SR_CLUSTER", "TF_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def photo() -> NDArray[np.uint8]:
    """A photograph of 120 x 96 pixels: the eyes of scikit-image's cat."""
    spec = find_spec("skimage")
    assert spec is not None and spec.origin is not None
    image = read_image(Path(spec.origin).parent / "data" / "chelsea.png")
    return image[80:200, 120:216].copy()


@pytest.fixture
def make_patches(tmp_path: Path, photo: NDArray[np.uint8]) -> MakePatches:
    """Writes a patch file of the photograph: 16 x 16 patches, its lower part held out."""

    def make(path: Path | None = None, size: int = 16, stride: int = 8, scale: int = 2) -> Path:
        path = path or tmp_path / f"x{scale}.h5"
        path.parent.mkdir(parents=True, exist_ok=True)
        chosen = degradation("matlab")
        whole = chosen.protocol.training_luma(photo)
        with PatchWriter(path, size, stride, scale) as writer:
            writer.add_image("upper, full", chosen.pair(whole[:72], scale))
            writer.add_validation("lower", chosen.pair(whole[72:], scale))
            writer.finish(["upper"], {"degradation": chosen.name})
        return path

    return make


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="a skipped test counts as failed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and item.config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which --no-skips does not allow: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def real_images(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[Path]]:
    """Fetches a real dataset as the pipeline does: from SR_MIRROR or its public addresses."""
    folder = tmp_path_factory.mktemp("real")

    def fetched(dataset: str) -> list[Path]:
        if not (folder / dataset).is_dir():
            fetch(dataset, folder / dataset)
        return list_images(folder / dataset)

    return fetched
