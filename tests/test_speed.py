"""The speed of the models of `upscale` and of OpenCV's FSRCNN: graph, environment, page."""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pandas as pd
import pytest

from srstudy.common.errors import InputError
from srstudy.upscale.models import WEIGHTS
from tests.imports import ROOT
from tools import speed
from tools.speed_page import chart, page


def _rows() -> pd.DataFrame:
    found = [
        ("bicubic", "network", 40.0, 33.67),
        ("FSRCNN", "network", 4.0, 37.00),
        ("FSRCNN", "command", 2.0, 37.00),
        ("fast", "network", 6.0, 37.40),
        ("fast", "command", 1.0, 37.40),
    ]
    columns = ["model", "what", "megapixels_per_second", "psnr"]
    return pd.DataFrame(found, columns=columns).assign(scale=2, machine="2 cores")


def test_page_shows_quality_and_speed_over_that_of_fsrcnn() -> None:
    text = page(_rows())
    assert "| bicubic | 33.67 | 40.00 | 10.00 |  |  |" in text
    assert "| FSRCNN | 37.00 | 4.00 | 1.00 | 2.00 | 1.00 |" in text
    assert "| fast | 37.40 | 6.00 | 1.50 | 1.00 | 0.50 |" in text
    assert "on 2 cores." in text


def test_chart_names_every_model_once_for_each_scale() -> None:
    rows = pd.concat([_rows(), _rows().assign(scale=4)])
    drawn = ElementTree.fromstring(chart(rows))
    words = [e.text for e in drawn.iter() if e.tag.endswith("text")]
    assert words.count("fast") == 2  # at both scales
    assert {"Set5 x2", "Set5 x4", "this study", "HR megapixels a second"} <= set(words)


def test_page_and_chart_equal_those_made_from_the_table() -> None:
    there = {path.exists() for path in (speed.TABLE, speed.PAGE, speed.CHART)}
    assert len(there) == 1, "table, page and chart: allowed: all of them or none"
    if there == {True}:
        rows = pd.read_csv(speed.TABLE)
        assert speed.PAGE.read_text("utf-8") == page(rows)
        assert speed.CHART.read_text("utf-8") == chart(rows)


@pytest.mark.parametrize("scale", speed.SCALES)
def test_opencv_reads_the_graph_of_fsrcnn_and_computes_what_tensorflow_does(
    scale: int, tmp_path: Path
) -> None:
    import tensorflow as tf

    from tools.fsrcnn_graph import graph

    content = graph(scale)
    (tmp_path / "graph.pb").write_bytes(content)
    lr = np.random.default_rng(1).random((1, 11, 14, 1), np.float32)
    network = cv2.dnn.readNetFromTensorflow(str(tmp_path / "graph.pb"))
    network.setInput(lr.transpose(0, 3, 1, 2))
    restored = network.forward()
    assert restored.shape == (1, 1, 11 * scale, 14 * scale)

    definition = tf.compat.v1.GraphDef.FromString(content)
    kernels: Any = [
        tf.make_ndarray(node.attr["value"].tensor) for node in definition.node if node.op == "Const"
    ]
    # The count of the paper is for the kernels only; there are at most as many biases as channels.
    assert sum(kernel.size for kernel in kernels if kernel.ndim == 4) == 12_464
    # TensorFlow computes the transposed convolution only at the size in the graph.
    side = 96
    lr = np.random.default_rng(1).random((1, side, side, 1), np.float32)
    network.setInput(lr.transpose(0, 3, 1, 2))
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.import_graph_def(definition, name="")
        expected = session.run("restored:0", {"luma:0": lr})
    np.testing.assert_allclose(network.forward()[0, 0], expected[0, ..., 0], atol=1e-4)


def test_packages_are_installed_once_and_again_when_their_list_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[Sequence[str]] = []

    def run(command: Sequence[str], check: bool) -> subprocess.CompletedProcess[str]:
        called.append(command)
        (tmp_path / ".bench/bin").mkdir(parents=True, exist_ok=True)
        return subprocess.CompletedProcess(command, 0)

    packages = tmp_path / "packages.lock"
    packages.write_text("one")
    monkeypatch.setattr(speed, "BENCH", tmp_path / ".bench")
    monkeypatch.setattr(speed, "PACKAGES", packages)
    monkeypatch.setattr(subprocess, "run", run)
    assert speed.prepared() == speed.prepared() == str(tmp_path / ".bench/bin/python")
    assert len(called) == 2 and "--require-hashes" in called[1]
    packages.write_text("two")
    speed.prepared()
    assert len(called) == 4


def test_failed_installation_is_reported_in_one_line_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: subprocess.CompletedProcess[str] = subprocess.CompletedProcess([], 1)
    monkeypatch.setattr(speed, "BENCH", tmp_path / ".bench")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    for _ in range(2):
        with pytest.raises(InputError, match=r"^tools/speed-requirements\.lock: cannot be inst"):
            speed.prepared()


def test_packages_are_pinned_and_their_opencv_has_the_contributed_modules() -> None:
    text = (ROOT / speed.PACKAGES).read_text("utf-8")
    packages = [line.split()[0] for line in text.splitlines() if "==" in line]
    assert any(package.startswith("opencv-contrib-python-headless==4.") for package in packages)
    assert text.count("--hash=sha256:") > len(packages) and "://" not in text


def test_model_without_a_network_for_a_scale_has_no_rows(tmp_path: Path) -> None:
    assert not (WEIGHTS / "x16-clean.onnx").exists()
    assert speed.ours("clean", 16, tmp_path) == []


def test_measured_speed_is_the_median_of_rounds_without_the_first() -> None:
    turns: list[str] = []
    times = {"a": iter([9.0, 2, 4, 2, 1, 2]), "b": iter([9.0, 1, 1, 1, 8, 8])}

    def measurement(model: str) -> speed.Measurement:
        def run() -> float:
            turns.append(model)
            return next(times[model])

        return speed.Measurement(model, 2, "network", 30.0, 8_000_000, run)

    rows = speed.measured([measurement("a"), measurement("b")])
    assert [row["megapixels_per_second"] for row in rows] == [4.0, 8.0]
    assert "".join(turns) == "ab" * 6


def test_call_that_does_not_tell_its_time_is_timed_as_a_whole() -> None:
    one = speed.Measurement("a", 2, "command", 30.0, 1, lambda: time.sleep(0.05))
    assert speed.seconds(one.run) >= 0.05
