import numpy as np
import pytest
from numpy.typing import NDArray

from srstudy.report.pictures import CAPTION, GAP, PANEL, ZOOM, caption, comparison, highest_window
from srstudy.scoring.metrics import METRICS


def test_window_is_where_the_sum_is_highest() -> None:
    values = np.zeros((9, 12))
    values[5, 8] = values[6, 9] = 2.0  # both only fit into the window at (5, 8)
    values[0, 0] = 3.0
    assert highest_window(values, 2) == (5, 8)
    assert highest_window(values, 1) == (0, 0)


def test_window_of_the_images_size_is_the_whole_image() -> None:
    assert highest_window(np.ones((4, 4)), 4) == (0, 0)


def test_picture_has_a_column_for_each_version(photo: NDArray[np.uint8]) -> None:
    picture = comparison({"one": photo, "two": photo, "three": photo}, photo[..., 0] * 1.0)
    # Caption, the whole image as wide as a panel, the square crop; 120 x 96 is 1.25 : 1.
    assert picture.shape == (CAPTION + round(1.25 * PANEL) + GAP + PANEL, 3 * PANEL + 2 * GAP, 3)
    assert picture.dtype == np.uint8
    assert (picture[:, PANEL : PANEL + GAP] == 255).all()


def test_crop_shows_the_pixels_of_the_most_interesting_place() -> None:
    image = np.zeros((300, 400, 3), np.uint8)
    interesting = np.zeros((300, 400))
    image[100:220, 200:320] = (10, 200, 30)
    interesting[100:220, 200:320] = 1.0
    picture = comparison({"only": image}, interesting)
    zoomed = picture[-PANEL:]
    assert (zoomed == (10, 200, 30)).all()
    assert PANEL // ZOOM < 120  # else the crop could not lie inside that block


def test_caption_is_written_without_changing_the_version(
    photo: NDArray[np.uint8],
) -> None:
    before = photo.copy()
    picture = comparison({"caption": photo}, photo[..., 0] * 1.0)
    assert picture[:CAPTION].min() < 100 and picture[:CAPTION].max() == 255
    np.testing.assert_array_equal(photo, before)


def test_caption_has_the_first_metric_with_its_unit_or_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert caption("plain", 37.536) == "plain, 37.54 dB"
    assert caption("plain", None) == "plain"  # equal images have no PSNR
    monkeypatch.setattr("srstudy.report.pictures.METRICS", {"ssim": METRICS["ssim"]})
    monkeypatch.setattr("srstudy.report.pictures.first_metric", lambda: "ssim")
    assert caption("plain", 0.95861) == "plain, SSIM 0.9586"


def test_grey_versions_are_shown_grey(photo: NDArray[np.uint8]) -> None:
    grey = photo[..., 0]
    zoomed = comparison({"grey": grey}, grey * 1.0)[-PANEL:]
    np.testing.assert_array_equal(zoomed[..., 0], zoomed[..., 2])


def test_image_smaller_than_the_crop_is_shown_whole() -> None:
    tiny = np.full((5, 8), 50, np.uint8)
    picture = comparison({"tiny": tiny}, tiny * 1.0)
    assert picture.shape[1] == PANEL and (picture[-PANEL:] == 50).all()
