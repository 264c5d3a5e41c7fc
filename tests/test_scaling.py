"""The cost of larger data: the table of docs/scaling.md, and the rates for its computation."""

from pathlib import Path

import pandas as pd
import pytest

from srstudy.common.yaml_file import load_yaml
from tests.imports import ROOT
from tools import large_data, rates, scaling
from tools.rates import Rate

PARAMS = {
    **{"scales": [2, 4], "pretrain_steps": 100, "steps": {"x2": 20, "x4": 10}},
    **{"patch_size": {"x2": 100}, "stride": {"x2": 100}, "batch_size": {"x2": 10}},
    "downscaled_copies": [0.5],
}
MEASURED = [
    *(Rate("own_images", 0, "s/MP", 0.1), Rate("raw", 0, "MB/MP", 2)),
    *(Rate("synthesize", 2, "s/MP", 1), Rate("synthesize", 4, "s/MP", 2)),
    *(Rate("lr", 2, "MB/MP", 3), Rate("lr", 4, "MB/MP", 2)),
    *(Rate("patch", 2, "s/MP", 0.5), Rate("patch", 4, "s/MP", 0.5)),
    *(Rate("patches", 2, "MB/MP", 2), Rate("patches", 4, "MB/MP", 1)),
    *(Rate("data stages", 0, "MiB", 90), Rate("training", 2, "MiB", 800)),
    *(Rate("step", 2, "s", 0.5), Rate("step", 4, "s", 1.5)),
]


@pytest.fixture
def measured(tmp_path: Path) -> pd.DataFrame:
    rates.write(MEASURED, tmp_path / "rates.csv")
    return pd.read_csv(tmp_path / "rates.csv")


def test_page_has_the_table_of_the_committed_rates() -> None:
    assert scaling.current() == (ROOT / scaling.PAGE).read_text("utf-8")


def test_table_is_computed_from_the_rates(
    measured: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scaling, "SETS", [scaling.Images("mine", 1000, 2000, 1000)])
    _, _, row, _, note, _ = scaling.table(measured, PARAMS).split("\n")
    # 2,000 megapixels. Disk: 2 + 3 + 2 + 2 + 1 MB per megapixel. Training: 100 + 2 * 20 steps at x2
    # and 2 * 10 at x4. A pass: 20 * 10 positions, and 10 * 5 of the copy, in batches of 10.
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == [
        *("mine", "1,000", "2,000", "20 GB", "40 GB", "3 min", "100 min", "33 min", "100 s"),
        *("25,000 steps, 3 h at x2",),
        "a cluster for the data stages; more steps (the default's see 0.0048 of the patches), "
        "so a GPU",
    ]
    assert "data stages 90 MiB, training 800 MiB" in note and str(measured["day"][0]) in note


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((10, 1, 10, 100), "nothing more"),
        ((10, 500, 10, 100), "links in place of copies"),
        ((9000, 1, 10, 100), "a cluster for the data stages"),
    ],
)
def test_only_the_measures_that_a_size_needs_are_named(
    size: tuple[float, float, int, int], words: str
) -> None:
    assert scaling.needs(*size) == words


def test_images_of_the_table_have_the_megapixels_of_their_sets() -> None:
    found = {images.name: images.megapixels for images in scaling.SETS}
    assert found["T91"] == pytest.approx(5.36, rel=0.01)
    assert found["290 images (`t290`)"] == pytest.approx(5.36 + 199 * 481 * 321 / 1e6, rel=0.01)


def test_table_fits_the_default_params(measured: pd.DataFrame) -> None:
    params = load_yaml(ROOT / "params.yaml") | {"scales": [2, 4]}
    lines = scaling.table(measured, params).splitlines()
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1
    assert len(lines) == 2 + len(scaling.SETS) + 2


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_rates_are_measured_for_every_stage_and_scale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (rates, large_data):  # smaller images, because the figures do not matter here
        monkeypatch.setattr(module, "WIDTH", 408)
        monkeypatch.setattr(module, "HEIGHT", 272)
    found = {tuple(rate[:3]): rate.value for rate in rates.measure(tmp_path, 2)}
    # A time can be smaller than the variation of a process's start-up time.
    assert all(value > 0 or unit == "s/MP" for (_, _, unit), value in found.items())
    for what in ("synthesize", "lr", "patch", "patches", "step"):
        assert {scale for name, scale, _ in found if name == what} == {2, 4, 8}
