"""A study in parts with real DVC runs: two steps per part, on the embedded photographs."""

import os
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from srstudy.networks.shared.weights import load, trained_steps
from srstudy.upscale.runtime import load_network
from tests.tiny import FOREIGN, Study
from tools import fast_recipe, parts
from tools.parts import Part
from tools.parts_page import card, page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SMALL = "{channels: 8, blocks: 1, equivariant: true}"
GROUND = {
    **fast_recipe.GROUND,
    "datasets": ["sample", "sample-test"],
    "train_set": "sample",
    "test_sets": ["sample-test"],
    "downscaled_copies": [],
    "validation_list": "false",
    "validation_images": 1,
    "network": "edsr",
    "network_size.edsr": SMALL,
}
PARTS = {
    "pretrained-x2": Part(2, None, 2),
    "x2": Part(2, "pretrained-x2", 2, last=0.0, seed=2),
}


def test_parts_are_trained_one_after_the_other_and_give_a_network_for_upscale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = Study.of_working_tree(tmp_path / "study", tmp_path / "shared")
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    for name, value in tiny.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tiny.root)
    monkeypatch.setattr(parts, "TEST_SETS", ("sample-test",))
    study = replace(fast_recipe.STUDY, ground=GROUND, parts=PARTS, beside=("bicubic",))
    study.table.unlink()  # the rows of the real study

    def page_of(rows: pd.DataFrame) -> str:
        return page(study, rows, "# Tiny", "")

    def card_of(rows: pd.DataFrame) -> str:
        return card(study, rows[rows["test_set"] == "sample-test"], "# Tiny", "none.")

    study.run(page_of, card_of)
    rows = pd.read_csv(study.table)
    key = ["run", "test_set", "method"]
    assert rows[key].to_numpy().tolist() == [
        ["pretrained-x2", "held-out", "pretraining"],
        ["x2", "held-out", "plain"],
        ["x2", "sample-test", "plain"],
        ["x2", "sample-test", "bicubic"],
    ]
    # After only two steps, the network is still close to interpolation, which is its start.
    found = rows.set_index(key)["psnr"]
    plain, bicubic = (found["x2", "sample-test", method] for method in ("plain", "bicubic"))
    assert plain == pytest.approx(bicubic, abs=0.5)
    before, architecture = load(study.weights_of("pretrained-x2"))
    assert trained_steps(study.weights_of("pretrained-x2")) == 2
    assert architecture.size["blocks"] == 1 and before.count_params()
    assert load_network(study.network(2), "cpu").scale == 2
    assert "| x2-fast.onnx | " in study.card.read_text("utf-8")
    study.run(page_of, card_of)  # nothing more to run
    assert len(pd.read_csv(study.table)) == len(rows)
