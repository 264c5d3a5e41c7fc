"""docs/guide/extending.md, followed word by word in a tiny study: it works, and tells the truth."""

import json
import re
from pathlib import Path

import pytest

from tests.extending import Section, section
from tests.tiny import Study

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """One scale, run once and committed. Tests change copies only."""
    return Study.finished(tmp_path_factory, scales=[2], cascade_scales=[])


@pytest.fixture
def work(study: Study, tmp_path: Path) -> Study:
    return study.copy(tmp_path / "work")


def _follow(work: Study, part: Section) -> str:
    """Write the files, run the commands; returns all that they printed."""
    for path, text in part.files.items():
        assert not (work.root / path).exists()
        (work.root / path).write_text(text, "utf-8")
    return "\n".join(work("bash", "-euc", script).text for script in part.commands)


def _style(work: Study, *paths: str) -> None:
    work("ruff", "check", *paths)
    work("ruff", "format", "--check", *paths)


def test_a_network_trains_and_stands_in_the_table(work: Study) -> None:
    part, before = section("A network"), work.summary()["psnr"]["sample-test"]["x2"]
    (path,) = part.files
    (work.root / path).write_text(part.files[path], "utf-8")
    refused = work.try_("python", "-m", "stages.validate")
    assert refused.status == 1 and 'add the line "  imdn: {}"' in refused.text
    (work.root / path).unlink()
    work.set(network_size={**work.params()["network_size"], "imdn": {}})
    text = _follow(work, part)
    assert "x2-plain: imdn," in text
    after = work.summary()["psnr"]["sample-test"]["x2"]
    assert after["bicubic"] == before["bicubic"] and after["plain"] != before["plain"]
    _style(work, path)
    checked = work("pytest", "-m", "not slow", "-k", "imdn", "tests/test_every_network.py")
    assert re.search(r"[1-9]\d* passed", checked.text), checked.text
    (work.root / path).unlink()
    work("bash", "-euc", "git restore -SW . && dvc checkout --allow-missing")
    assert not work("git", "status", "--porcelain").text
    assert work.summary()["psnr"]["sample-test"]["x2"] == before


def test_a_degradation_is_described_truly_and_scored(work: Study) -> None:
    part, before = section("A degradation"), work.summary()["psnr"]["sample-test"]["x2"]
    _follow(work, part)
    words = "LR by a Gaussian blur of sigma 0.5 * scale, then area averaging (`blur`); luma of"
    scores = json.loads((work.root / "metrics/images/sample-test.json").read_text())
    assert work.summary()["protocol"] == "blur"
    for text in ((work.root / "metrics/table.txt").read_text(), scores["protocol"]):
        assert words in text
    page = (work.root / "report/index.html").read_text()
    assert "then area averaging (<code>blur</code>); luma of" in page
    assert work.summary()["psnr"]["sample-test"]["x2"]["bicubic"] != before["bicubic"]
    _style(work, *part.files)
    checked = work("pytest", "-m", "not slow", "-k", "blur", "tests/test_every_degradation.py")
    assert re.search(r"[1-9]\d* passed", checked.text), checked.text


def test_a_loss_is_trained_with(work: Study) -> None:
    part, before = section("A loss"), work.summary()["psnr"]["sample-test"]["x2"]
    _follow(work, part)
    after = work.summary()["psnr"]["sample-test"]["x2"]
    assert after["bicubic"] == before["bicubic"] and after["plain"] != before["plain"]
    _style(work, *part.files)
    checked = work("pytest", "-m", "not slow", "-k", "l1", "tests/test_every_loss.py")
    assert re.search(r"[1-9]\d* passed", checked.text), checked.text


def test_a_metric_is_everywhere_and_trains_nothing(work: Study) -> None:
    part = section("A metric")
    path = work.root / "srstudy/scoring/metrics.py"
    text = path.read_text("utf-8")
    after = "from srstudy.images.protocols import Protocol\n"
    path.write_text(
        text.replace(after, f"{after}from srstudy.images.psnr import psnr\n")
        + "\n\n"
        + "\n".join(part.python),
        "utf-8",
    )
    run = work("dvc", "repro", "compare", "report")
    assert not {stage for stage in run.stages if "train" in stage}
    assert "PSNR of RGB in dB" in (work.root / "metrics/table.txt").read_text()
    assert "PSNR of RGB in dB" in (work.root / "report/index.html").read_text()
    scores = work.summary()["psnr_rgb"]["sample-test"]["x2"]
    assert scores["plain"] > 10
    # -o: the runs' interpreter is on the PATH; nothing is to be installed into the copy.
    compare = "METRIC=psnr_rgb make --no-print-directory ready= compare"
    assert work("bash", "-euc", compare).text.startswith("PSNR of RGB in dB on sample-test")
    _style(work, "srstudy/scoring/metrics.py")


def test_a_data_set_is_registered_and_scored_and_trains_nothing(work: Study) -> None:
    text = _follow(work, section("A data set"))
    assert not re.search(r"Running stage '(pretrain|train|download@sample)", text), text
    assert set(work.summary()["psnr"]) == {"sample-test", "grey-test"}
    scores = json.loads((work.root / "metrics/images/grey-test.json").read_text())["x2"]
    assert set(scores) == {"coins", "grass", "moon"}
