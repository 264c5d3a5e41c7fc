import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from srstudy.common.errors import InputError
from srstudy.datasets.download import fetch
from srstudy.degradations.shared.degradation import degradation
from srstudy.imagefiles.reading import read_image
from srstudy.images.pairs import crop_to_multiple
from srstudy.images.resize import imresize
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.weights import save
from tests.imports import ROOT
from tools import held_out


def test_missing_image_of_the_list_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fetch_from = ROOT / "data/registry"
    shutil.copytree(fetch_from, "data/registry")
    monkeypatch.setattr(held_out, "DATASET", "sample")
    Path("data/held-out.txt").write_text("sample/chelsea\nsample/none\n")
    with pytest.raises(InputError, match=r"^data/held-out\.txt: found none; allowed: images of sa"):
        held_out.images()
    Path("data/held-out.txt").write_text("sample/chelsea\n")
    assert [path.stem for path in held_out.images()] == ["chelsea"]
    Path("data/held-out.txt").write_text("# none any more\n")
    with pytest.raises(InputError, match=r"^data/held-out\.txt: found no image; allowed: images"):
        held_out.images()


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_set_without_an_image_in_the_list_has_no_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "data/registry", "data/registry")
    monkeypatch.setattr(held_out, "DATASET", "sample")
    monkeypatch.setattr(held_out, "PARTS", ("sample", "sample-test"))
    Path("data/held-out.txt").write_text("sample/chelsea\nsample/rocket\n")
    fresh = Architecture("espcn", 2, {"first": 8, "second": 8}, "matlab")
    save(Path("fresh.weights.h5"), fresh.build(), fresh)
    found = held_out.scores(Path("fresh.weights.h5"))
    assert list(found) == ["weights", "scale", "images", "sample", "sample-test", "all"]
    assert found["sample"] == found["all"] and pd.isna(found["sample-test"])  # type: ignore[call-overload]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_held_out_score_of_an_untrained_network_equals_bicubic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch("t290", tmp_path / "data/raw/t290")
    shutil.copy(ROOT / "data/held-out.txt", tmp_path / "data")
    shutil.copytree(ROOT / "data/registry", tmp_path / "data/registry")
    monkeypatch.chdir(tmp_path)
    size = {"channels": 8, "blocks": 1, "equivariant": True}
    fresh = Architecture("progressive", 2, size, "matlab")
    save(Path("fresh.weights.h5"), fresh.build(), fresh)
    found = held_out.scores(Path("fresh.weights.h5"))

    made_by, expected = degradation("matlab"), []
    for path in held_out.images():
        hr = crop_to_multiple(read_image(path), 2)
        planes = [
            made_by.protocol.luma(hr),
            np.clip(imresize(made_by.protocol.luma(made_by.degrade(hr, 2)), 2.0), 0, 255),
        ]
        error = np.square(np.subtract(*[plane[2:-2, 2:-2] for plane in planes])).mean()
        expected.append(10 * np.log10(255**2 / error))
    assert found["images"] == 30
    assert found["all"] == pytest.approx(np.mean(expected), abs=0.01)
    assert found["t91"] == pytest.approx(np.mean(expected[:10]), abs=0.02)
