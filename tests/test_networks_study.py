import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
import yaml

from srstudy.common.choices import names
from srstudy.common.errors import InputError
from srstudy.common.yaml_file import load_yaml
from srstudy.networks.shared.sizes import ROOM
from tests.imports import ROOT
from tools import networks, networks_page, repeats
from tools.published import costs
from tools.repeats import TEST_SETS

COST = {"seconds": 0.1, "megapixels": 2.0, "parameters": 57000, "multiply_adds": 52_700_000_000}


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the experiments that are run; the third one fails."""
    found: list[str] = []

    def run(name: str, settings: Mapping[str, object], targets: Sequence[str]) -> None:
        assert settings["pretrain_steps"] == (4400 if "times" in name else 1100)  # in two digits
        assert len(targets) == 8
        found.append(name)
        if len(found) == 3:
            raise InputError("stopped")

    scores = {"a": {"psnr": 36.0, "ssim": 0.9}, "b": {"psnr": 37.0, "ssim": 0.8}}
    monkeypatch.setattr(networks, "run_experiment", run)
    monkeypatch.setattr(networks, "experiments", lambda: [])
    monkeypatch.setattr(networks, "measured", lambda changes, scale: COST)
    monkeypatch.setattr(repeats, "read_output", lambda name, path: json.dumps(scores))
    (tmp_path / "docs").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data/registry").symlink_to(ROOT / "data/registry")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return found


def test_finished_networks_are_not_trained_again(ran: list[str]) -> None:
    with pytest.raises(InputError, match="stopped"):
        networks.main()
    networks.main()
    assert sorted(set(ran[:2])) == sorted(ran[:2]) and ran[2] == ran[3]
    runs = len(names(ROOM)) + len(networks.HUNGRY)
    assert len(ran) == 1 + runs
    rows = pd.read_csv("docs/networks.csv")
    assert len(rows) == runs * 8
    vdsr = rows[(rows["network"] == "vdsr") & (rows["scale"] == 4)]
    assert sorted(set(vdsr["minutes"])) == [3.0, 12.0] and set(vdsr["test_set"]) == set(TEST_SETS)
    assert set(vdsr["steps"]) == {1100 + 720, 4400 + 2900}

    text = Path("docs/networks.md").read_text("utf-8")
    # 1,460 batches of 16 patches of 64 x 64; SRCNN has 36.66, VDSR 37.53.
    assert "| srcnn | 2.4 | 1,460 | 96 | 36.50 (-0.16) |" in text
    assert "after 96 megapixels 36.50 (-1.03) dB, after 387 megapixels 36.50 (-1.03) dB." in text
    assert "| srcnn x2 | 57 | 52.7 | 2.00 |" in text
    dots = pd.read_csv("docs/networks-chart.csv")
    assert set(dots["line"]) == {"this study", "trained longer", "published"}
    drawn = ElementTree.fromstring(Path("docs/networks.svg").read_text("utf-8"))
    words = [e.text for e in drawn.iter() if e.tag.endswith("text")]
    assert {"srcnn", "SRCNN", "published", "set5 x4"} <= set(words)
    assert {"this study", "trained longer"} <= set(words)


def test_run_that_was_stopped_before_its_rows_keeps_its_steps(
    ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A new measurement would give another step time, and so another number of steps than in DVC's
    # experiment.
    had = {"pretrain_steps": 1100, "steps": {"x2": 350, "x4": 1000}}
    monkeypatch.setattr(networks, "experiments", lambda: ["network-srcnn"])
    monkeypatch.setattr(networks, "params_of", lambda name: had)
    monkeypatch.setattr(networks, "measured", lambda changes, scale: {**COST, "seconds": 0.2})
    assert {row["steps"] for row in networks.rows_of("srcnn")} == {1450, 2100}


def test_longer_run_has_four_times_the_steps_of_the_shorter_one(
    ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Independent of a new measurement of the step time.
    columns = dict.fromkeys(networks.COLUMNS, 1)
    steps = {2: 10_400, 4: 17_400}  # both include 7,800 steps of pretraining
    rows = [{**columns, "run": "espcn", "scale": s, "steps": n} for s, n in steps.items()]
    pd.DataFrame(rows).to_csv("docs/networks.csv", index=False)
    seconds = networks.first_run("espcn")
    assert seconds[2] == pytest.approx(60 * 2.4 / 10_400)
    assert seconds[4] == pytest.approx(60 * 1.2 / 9_600)
    given: dict[str, object] = {}
    monkeypatch.setattr(
        networks, "run_experiment", lambda name, settings, _: given.update(settings)
    )
    networks.rows_of("espcn-times-4")
    assert given["pretrain_steps"] == 31_000  # in two digits
    assert (given["steps.x2"], given["steps.x4"]) == (10_000, 38_000)
    assert networks.first_run("srcnn") == {}


def test_longer_run_with_too_few_minutes_is_named() -> None:
    def rows(network: str, minutes: float) -> list[dict[str, object]]:
        pairs = ((1, 2.4), (4, minutes))
        return [{"network": network, "times": n, "scale": 2, "minutes": m} for n, m in pairs]

    told = networks_page.unequal(pd.DataFrame([*rows("srcnn", 9.6), *rows("espcn", 4.8)]))
    assert "espcn 2.0 times." in told and "srcnn" not in told
    assert networks_page.unequal(pd.DataFrame(rows("srcnn", 9.6))) == ""


def test_network_missing_in_params_yaml_is_named_before_any_training(
    ran: list[str],
) -> None:
    values = load_yaml(Path("params.yaml"))
    del values["network_size"]["vdsr"]
    Path("params.yaml").write_text(yaml.safe_dump(values))
    with pytest.raises(InputError, match="network_size: has no entry for 'vdsr'; add the line"):
        networks.main()
    assert not ran


def test_network_that_cannot_be_measured_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    ended = subprocess.CompletedProcess([], 1, stdout="")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: ended)
    with pytest.raises(InputError, match=r"^network srcnn: could not be measured: see above$"):
        networks.measured(networks.settings("srcnn"), 2)


def test_page_names_the_machine_of_each_network() -> None:
    def rows(**machines: str) -> pd.DataFrame:
        return pd.DataFrame({"network": [*machines], "machine": [*machines.values()]})

    assert networks_page.machines(rows(srcnn="a fast one", vdsr="a fast one")) == "a fast one"
    told = networks_page.machines(rows(srcnn="a fast one", vdsr="a fast one", sesr="a slow one"))
    assert told.startswith("a fast one (sesr on a slow one, where equal minutes are another number")


def test_steps_fill_the_minutes_and_have_two_digits() -> None:
    assert networks.steps_in(3, 0.0712) == 2500
    assert networks.steps_in(0.01, 2.0) == 1


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_network_is_measured_at_its_published_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = networks.measured(networks.settings("srcnn"), 4)
    published = costs()["SRCNN"]
    assert found["parameters"] / 1e3 == pytest.approx(published.parameters, rel=0.08)
    assert found["multiply_adds"] / 1e9 == pytest.approx(published.multiply_adds["x4"], rel=0.01)
    assert found["seconds"] > 0 and found["megapixels"] > 0
