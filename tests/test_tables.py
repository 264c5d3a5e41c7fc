import math

import pandas as pd
import pytest

from stages.core.tables import for_people, markdown, means, nested


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


def test_means_keep_the_order_of_arrival(scores: pd.DataFrame) -> None:
    # Not that of the alphabet, which would put set14 before set5.
    expected = [("set5", 2, "bicubic"), ("set5", 2, "plain"), ("set5", 2, "regularized")]
    assert list(means(scores, "psnr").index)[:3] == expected
    assert list(means(scores.iloc[::-1], "psnr").index)[-1] == ("set5", 2, "bicubic")


def test_missing_score_of_one_image_leaves_the_mean_out(scores: pd.DataFrame) -> None:
    scores.loc[0, "psnr"] = math.nan  # set5, x2, a, bicubic
    mean = means(scores, "psnr")
    assert math.isnan(mean["set5", 2, "bicubic"])
    assert mean.notna().sum() == 11
    assert nested(mean, 4)["set5"]["x2"]["bicubic"] is None


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


def test_method_that_a_scale_lacks_leaves_its_cell_empty(scores: pd.DataFrame) -> None:
    # A cascade, say, is scored at some scales only.
    scores = scores[(scores["method"] != "plain") | (scores["scale"] != 2)]
    assert "nan" not in for_people(scores).lower()
    assert set(nested(means(scores, "psnr"), 4)["set5"]["x2"]) == {"bicubic", "regularized"}


def test_markdown_table() -> None:
    text = markdown(["a", "b"], [["1", "2"], ["3", "4"]])
    assert text == "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |\n"
