import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from dvc.utils.hydra import apply_overrides

from srstudy.common.errors import InputError
from srstudy.common.files import read_json, write_json
from srstudy.common.yaml_file import load_yaml
from srstudy.datasets.shared_pictures import shared_file
from srstudy.degradations.shared.degradation import degradation
from srstudy.scoring import chance
from srstudy.scoring.evaluation import METHODS, scores_file
from srstudy.scoring.metrics import METRICS, Metric
from srstudy.scoring.tables import (
    by_image,
    for_people,
    frame,
    markdown,
    means,
    nested,
    of_metric,
    shown,
    summary,
)
from stages import summarize
from tests.imports import ROOT


@pytest.fixture
def scores() -> pd.DataFrame:
    rows = [
        (test_set, scale, image, method, psnr + scale + gain, (psnr + gain) / 100)
        for test_set in ("set5", "set14")
        for scale in (2, 4)
        for image, psnr in (("a", 30.0), ("b", 31.0))
        for method, gain in (("bicubic", 0.0), ("plain", 2.0), ("regularized", 1.0))
    ]
    columns = ["test_set", "scale", "image", "method", "psnr", "ssim"]
    return pd.DataFrame(rows, columns=columns)


def test_means_are_over_the_images(scores: pd.DataFrame) -> None:
    # Images of 30 and 31, plus the scale, plus the method's gain.
    mean = means(scores, "psnr")
    assert mean["set5", 2, "bicubic"] == 32.5
    assert mean["set14", 4, "plain"] == 36.5
    assert len(mean) == 12


def test_means_keep_the_order_of_the_rows(scores: pd.DataFrame) -> None:
    # Not that of the alphabet, which would put set14 before set5.
    expected = [("set5", 2, "bicubic"), ("set5", 2, "plain"), ("set5", 2, "regularized")]
    assert list(means(scores, "psnr").index)[:3] == expected
    assert list(means(scores.iloc[::-1], "psnr").index)[-1] == ("set5", 2, "bicubic")


def test_missing_score_of_one_image_leaves_the_image_out_of_its_row(scores: pd.DataFrame) -> None:
    scores.loc[0, "psnr"] = math.nan  # set5, x2, a, bicubic
    mean = means(scores, "psnr")
    assert nested(mean, 4)["set5"]["x2"] == {"bicubic": 33.0, "plain": 35.0, "regularized": 34.0}
    assert mean["set5", 4, "bicubic"] == 34.5  # the other rows have all images
    assert mean.notna().sum() == 12


def test_nested_means_are_named_by_test_set_scale_and_method(scores: pd.DataFrame) -> None:
    scores.loc[0, "psnr"] = 32.123456
    entry = nested(means(scores, "psnr"), 2)
    assert set(entry) == {"set5", "set14"} and set(entry["set5"]) == {"x2", "x4"}
    # (32.123456 + 33) / 2 = 32.561728
    assert entry["set5"]["x2"] == {"bicubic": 32.56, "plain": 34.5, "regularized": 33.5}


def test_table_for_people_has_both_scores_in_at_most_100_columns(scores: pd.DataFrame) -> None:
    text = for_people(scores)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    assert "PSNR in dB" in text and "SSIM" in text
    rows = [line.split() for line in lines if "set5 x2" in line]
    assert rows == [
        ["set5", "x2", "32.50", "34.50", "33.50"],
        ["set5", "x2", "0.3050", "0.3250", "0.3150"],
    ]


def test_method_that_a_scale_does_not_have_has_an_empty_cell(scores: pd.DataFrame) -> None:
    # A cascade, say, is scored at some scales only.
    scores = scores[(scores["method"] != "plain") | (scores["scale"] != 2)]
    assert "nan" not in for_people(scores).lower()
    assert set(nested(means(scores, "psnr"), 4)["set5"]["x2"]) == {"bicubic", "regularized"}


@pytest.fixture
def third(monkeypatch: pytest.MonkeyPatch) -> str:
    """A metric more, as one entry; its name is none that could be a Python attribute."""
    monkeypatch.setitem(METRICS, "1-error", Metric(lambda *_: 0.0, "error in steps", 5))
    return "1-error"


def test_new_metric_is_in_every_table(scores: pd.DataFrame, third: str) -> None:
    scores[third] = scores["psnr"] / 3
    text = for_people(scores)
    assert [block.split("bicubic")[0].strip() for block in text.split("\n\n")] == [
        "PSNR in dB",
        "SSIM",
        "error in steps",
    ]
    # (32 + 33) / 2 / 3 = 10.8333..., of images 32 / 3 and 33 / 3.
    assert "set5 x2 10.83333" in text
    assert list(summary(scores)) == list(METRICS)
    assert summary(scores)[third]["set5"]["x2"]["bicubic"] == 10.833333
    assert by_image(scores, "set5")["x2"]["a"][third]["bicubic"] == 10.66667


def test_metrics_files_hold_at_least_four_digits(scores: pd.DataFrame) -> None:
    scores["psnr"] = scores["ssim"] = 1 / 3
    found = summary(scores)
    # PSNR is shown with two digits, SSIM with four.
    assert found["psnr"]["set5"]["x2"]["plain"] == 0.3333
    assert found["ssim"]["set5"]["x2"]["plain"] == 0.33333
    entry = by_image(scores, "set5")["x2"]["a"]
    assert entry == {key: dict.fromkeys(entry[key], 0.3333) for key in ("psnr", "ssim")}


def test_missing_score_is_null_in_files_and_empty_in_tables() -> None:
    row = {"test_set": "s", "scale": 2, "image": "a", "method": "plain", "psnr": None, "ssim": 1}
    scores = frame([row])
    assert by_image(scores, "s") == {"x2": {"a": {"psnr": {"plain": None}, "ssim": {"plain": 1.0}}}}
    assert summary(scores)["psnr"] == {"s": {"x2": {"plain": None}}}
    assert shown(METRICS["psnr"], None) == "" and shown(METRICS["psnr"], 1.005e1) == "10.05"


def test_committed_scores_of_images_are_read_back_unchanged() -> None:
    files = {path: read_json(path) for path in sorted((ROOT / "metrics/images").glob("*.json"))}
    rows: list[dict[str, Any]] = [
        {
            **{"test_set": path.stem, "scale": int(scale[1:]), "method": method, "image": image},
            **{key: entry[key][method] for key in METRICS},
        }
        for path, content in files.items()
        for scale, images in content.items()
        if scale != "protocol"
        for method in METHODS
        for image, entry in images.items()
        if method in entry["psnr"]
    ]
    scores, committed = frame(rows), read_json(ROOT / "metrics/summary.json")
    sentence = degradation(committed["protocol"]).sentence()
    for path, content in files.items():
        again = {"protocol": sentence, **by_image(scores, path.stem)}
        assert json.dumps(again) == json.dumps(content)
    # Values of images are rounded to four digits, and so their means only nearly equal.
    again, wanted = (pd.json_normalize(tree).iloc[0] for tree in (summary(scores), committed))
    assert sorted(wanted.index) == ["protocol", *sorted(again.index)]
    assert (again - wanted.drop("protocol")).astype(float).abs().max() <= 1.01e-4


def _study(folder: Path) -> None:
    """The files that the stage reads: one test set, one scale, two methods."""
    settings = {
        **{"scales": [2], "test_sets": ["tiny"], "degradation": "opencv"},
        **{"self_ensemble": ["plain"], "cascade_scales": []},
        "mnist": {**load_yaml(ROOT / "params.yaml")["mnist"], "seeds": []},
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(settings))
    for method in METHODS:
        entry = {key: number + 0.25 for number, key in enumerate(METRICS, len(method))}
        write_json(folder / scores_file(2, method, "tiny"), {"a": entry})
    write_json(folder / shared_file("tiny"), [])


def test_stage_writes_every_metric(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, third: str
) -> None:
    _study(tmp_path)
    monkeypatch.chdir(tmp_path)
    summarize.main()
    sentence = degradation("opencv").sentence()
    methods = {"bicubic": 7.25, "plain": 5.25, "plain+": 6.25, "regularized": 11.25}
    assert read_json(Path("metrics/summary.json")) == {
        "protocol": "opencv",
        **{
            key: {"tiny": {"x2": {name: value + number for name, value in methods.items()}}}
            for number, key in enumerate(METRICS)
        },
    }
    images = read_json(Path("metrics/images/tiny.json"))
    assert images["protocol"] == sentence and images["x2"]["a"][third]["plain"] == 7.25
    table = Path("metrics/table.txt").read_text("utf-8")
    assert "error in steps" in table and f"\n\n{sentence}\n" in table


def test_table_ends_with_the_images_shared_with_the_training_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _study(tmp_path)
    monkeypatch.chdir(tmp_path)
    written = [Path("metrics/table.txt"), Path("metrics/summary.json")]
    summarize.main()
    table, scores = (path.read_text("utf-8") for path in written)
    write_json(shared_file("tiny"), [["mine/b.jpg", "tiny/a.png"]])
    write_json(shared_file("of-another-study"), [["mine/b.jpg", "of-another-study/a.png"]])
    summarize.main()
    line = (
        "tiny/a.png is also in the training set mine, as b.jpg: its score is not that of an unseen"
    )
    assert [path.read_text("utf-8") for path in written] == [f"{table}{line} picture\n", scores]
    assert not shared_file("of-another-study").exists()


def test_table_ends_with_the_sentence_on_chance_if_seeds_were_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _study(tmp_path)
    monkeypatch.chdir(tmp_path)
    chance.TABLE.parent.mkdir()
    rows = [f"2,{seed},set5,plain,{37 + seed / 100}" for seed in (1, 2, 3)]
    chance.TABLE.write_text("\n".join([",".join(chance.COLUMNS), *rows]))
    for name, said in (("opencv", False), ("matlab", True)):
        apply_overrides(tmp_path / "params.yaml", [f"degradation={name}"])
        summarize.main()
        last = Path("metrics/table.txt").read_text("utf-8").splitlines()[-1]
        assert last.startswith("Differences below 0.07 dB (x2) are chance") == said


def test_scores_made_before_a_metric_are_refused_with_their_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _study(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(METRICS, "new", Metric(lambda *_: 0.0, "new", 2))
    with pytest.raises(InputError, match=r"x2/tiny/bicubic\.json: found psnr, ssim; expected new"):
        summarize.main()
    assert not Path("metrics").exists()
    with pytest.raises(InputError, match=r"a\.json: found nothing; expected psnr"):
        of_metric({}, "psnr", Path("a.json"))


def test_markdown_has_a_heading_and_one_line_per_row() -> None:
    text = markdown(["a", "b"], [["1", "2"], ["3", "4"]])
    assert text == "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |\n"
