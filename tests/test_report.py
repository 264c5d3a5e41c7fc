"""The report page, made by its stage from small results, and looked at in a real browser."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from playwright.sync_api import Page

from srstudy.common.errors import InputError
from srstudy.imagefiles.png import write_png
from srstudy.report.page import Gallery, score_tables, script_data, table
from srstudy.scoring.evaluation import images_folder
from srstudy.scoring.metrics import METRICS, Metric
from tests.browser import chromium
from tests.imports import ROOT

SCALES = (2, 4)
METHODS = {
    2: ("bicubic", "plain", "regularized"),
    4: ("bicubic", "plain", "plain-cascade", "regularized", "regularized-cascade"),
}


def _make(folder: Path, photo: NDArray[np.uint8]) -> Path:
    """Run the stage in a folder with small results; the page."""
    random = np.random.default_rng(0)
    (folder / "data/raw/tiny").mkdir(parents=True)
    psnr: dict = {}
    for stem, image in (("cat", photo), ("<_script>", photo[:64, ::-1])):
        write_png(folder / f"data/raw/tiny/{stem}.png", image)
        for scale in SCALES:
            scores = psnr.setdefault(f"x{scale}", {}).setdefault(stem, {"psnr": {}})["psnr"]
            for number, method in enumerate(METHODS[scale]):
                noisy = image + random.normal(0, 20 / (1 + number), image.shape)
                target = folder / images_folder(scale, method, "tiny")
                target.mkdir(parents=True, exist_ok=True)
                write_png(target / f"{stem}.png", np.clip(noisy, 0, 255).astype(np.uint8))
                scores[method] = 25.0 + number
    means = {scale: rows["cat"]["psnr"] for scale, rows in psnr.items()}
    ssim = {scale: {m: value / 100 for m, value in row.items()} for scale, row in means.items()}
    for path, content in {
        "metrics/images/tiny.json": psnr,
        "metrics/summary.json": {"psnr": {"tiny": means}, "ssim": {"tiny": ssim}},
        "data/shared/tiny.json": [["mine/cat 2.png", "tiny/<_script>.png"]],
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(json.dumps(content))
    (folder / "metrics/curves").mkdir()
    (folder / "metrics/validation").mkdir()
    curve = "step,epoch,learning_rate,loss,validation_psnr\n10,1,0.1,0.2,30.5\n20,2,0.1,0.1,31.5\n"
    for name in ("pretrained", *(f"x{s}-{k}" for s in SCALES for k in ("plain", "regularized"))):
        (folder / f"metrics/curves/{name}.csv").write_text(curve)
        result = {"validation": {"x2": {"plain": {"psnr": 31.5, "steps": 20}}}}
        (folder / f"metrics/validation/{name}.json").write_text(json.dumps(result))
    (folder / "docs").mkdir()
    shutil.copy(ROOT / "docs/ablation.csv", folder / "docs")
    shutil.copy(ROOT / "dvc.yaml", folder)
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params |= {"scales": list(SCALES), "test_sets": ["tiny"], "network": "srcnn"}
    params |= {"cascade_scales": [4]}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    subprocess.run(
        [sys.executable, "-m", "stages.report", "--test-set", "tiny"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        timeout=60,
    )
    return folder / "report/index.html"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, photo: NDArray[np.uint8]) -> Path:
    return _make(tmp_path_factory.mktemp("report"), photo)


def test_page_names_no_address_but_its_own_data(report: Path) -> None:
    text = report.read_text("utf-8")
    assert "http" not in text and "//" not in re.sub(r"data:image/webp;base64,[\w+/=]*", "", text)
    assert not re.findall(r"<(?:link|script|img)[^>]+(?:src|href)=\"(?!data:)", text)


def test_same_study_is_the_same_page(
    report: Path, tmp_path: Path, photo: NDArray[np.uint8]
) -> None:
    assert _make(tmp_path, photo).read_bytes() == report.read_bytes()


def test_pictures_shared_with_the_training_set_are_named_under_the_table(report: Path) -> None:
    said = "tiny/&lt;_script&gt;.png is also in the training set mine, as cat 2.png: its score"
    assert said in report.read_text("utf-8").partition("<h2>Look</h2>")[0]


def test_best_of_each_row_is_marked(report: Path) -> None:
    text = report.read_text("utf-8")
    # Of x2's 25, 26, 27 and x4's 25 to 29; SSIM is set to a hundredth of it.
    marked = ["27.00", "29.00", "0.2700", "0.2900"]
    assert re.findall(r"<td><strong>([^<]*)<", text) == marked
    assert "<td>1</td><td><strong>2</strong></td>" in table(["", "a"], [["row", "1", "2"]], ["2"])


def test_equally_good_methods_are_both_marked_and_the_least_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("srstudy.report.page.METRICS", {"psnr": METRICS["psnr"]})
    row = {"bicubic": 30.0, "plain": 37.536, "regularized": 37.54, "equal": None}
    page = score_tables({"psnr": {"set": {"x2": row}}}, Path("s.json"))
    assert page.count("<strong>37.54</strong>") == 2
    error = Metric(lambda *_: 0.0, "MSE", 2, lower_is_better=True)
    monkeypatch.setattr("srstudy.report.page.METRICS", {"mse": error})
    page = score_tables({"mse": {"set": {"x2": {"bicubic": 30.0, "plain": 10.0}}}}, Path("s.json"))
    assert "<strong>10.00</strong>" in page and "<strong>30.00</strong>" not in page
    monkeypatch.setattr("srstudy.report.page.METRICS", {"psnr": METRICS["psnr"]})
    none = {"psnr": {"set": {"x2": {"bicubic": None}}}}
    assert "<strong>" not in score_tables(none, Path("s.json"))


def test_each_metric_has_its_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS, "third", Metric(lambda *_: 0.0, "a < b", 1))
    means = {"set5": {"x2": {"bicubic": 0.123, "plain": 0.234}}}
    page = score_tables(dict.fromkeys(METRICS, means), Path("s.json"))
    titles = re.findall(r'<table>\n<tr><th scope="col">([^<]*)<', page)
    assert titles == ["PSNR in dB", "SSIM", "a &lt; b"]
    assert re.findall("<strong>(.*?)</strong>", page) == ["0.23", "0.2340", "0.2"]
    with pytest.raises(InputError, match=r"s\.json: found psnr, ssim; expected third"):
        score_tables({"psnr": means, "ssim": means}, Path("s.json"))


def test_pretraining_is_among_curves_and_step_counts(report: Path) -> None:
    text = report.read_text("utf-8")
    assert re.search(r'aria-label="pretraining, x2"', text)
    assert '<th scope="row">pretraining, x2</th><td>20</td><td>31.50</td>' in text


def test_text_cannot_end_the_script() -> None:
    text = script_data({"</script>": "<!--"})
    assert "<" not in text and json.loads(text) == {"</script>": "<!--"}


def test_large_picture_is_cut_to_what_is_around_the_error(photo: NDArray[np.uint8]) -> None:
    truth = np.zeros((900, 1500), np.uint8)
    wrong = truth.copy()
    wrong[850:860, 1400:1410] = 255
    gallery = Gallery()
    gallery.add("large", 2, truth, {"bicubic": (wrong, 30.0)})
    size = gallery.data["large"]["sizes"]["x2"]
    assert (size["height"], size["width"]) == (640, 640)
    crop = size["crop"]
    # The crop holds the error: rows 850 to 860 of 900 are 590 to 600 of the last 640.
    assert crop["top"] <= 590 and crop["top"] + crop["side"] >= 600
    assert crop["left"] <= 1400 - (1500 - 640) and crop["left"] + crop["side"] >= 1410 - 860


# --- In a browser ---------------------------------------------------------------------------------


@pytest.fixture
def page(report: Path) -> Iterator[Page]:
    """The page in Chromium on a phone, with networking off; it may ask for nothing else."""
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 360, "height": 740}, offline=True)
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "request",
            lambda request: (
                said.append(request.url) if not request.url.startswith(("file:", "data:")) else None
            ),
        )
        page.goto(report.as_uri())
        yield page
        assert said == []


def _cut(page: Page) -> str:
    return page.eval_on_selector("#over", "e => getComputedStyle(e).clipPath")


@pytest.mark.slow
def test_slider_moves_by_keyboard_and_by_pointer(page: Page) -> None:
    before = _cut(page)
    page.focus("#slider")
    page.keyboard.press("ArrowRight")
    after = _cut(page)
    assert before != after
    box = page.locator("#stack").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    assert int(page.input_value("#slider")) <= 2  # a click alone moves it
    for share in (0.3, 0.5, 0.8):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + 5)
        assert abs(int(page.input_value("#slider")) - 100 * share) <= 1
    page.mouse.up()
    assert _cut(page) != after
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    assert abs(int(page.input_value("#slider")) - 80) <= 1


@pytest.mark.slow
def test_pair_chosen_by_keyboard_keeps_the_focus(page: Page) -> None:
    page.focus("text=plain | ground truth")
    page.keyboard.press("Enter")
    assert page.input_value("#right") == "ground truth"
    assert page.evaluate("document.activeElement.textContent") == "plain | ground truth"


@pytest.mark.slow
def test_every_choice_shows_its_pictures(page: Page) -> None:
    loaded = "() => [...document.images].every(i => i.complete && i.naturalWidth > 0)"
    for image in ("cat", "<_script>"):
        page.select_option("#image", image)
        for scale in SCALES:
            page.select_option("#scale", f"x{scale}")
            names = page.eval_on_selector_all("#left option", "all => all.map(o => o.value)")
            assert names == [*METHODS[scale], "ground truth"]
            scores = [f", {25 + number}.00 dB" for number in range(len(names) - 1)]
            for name, score in zip(names, [*scores, ""], strict=True):
                page.select_option("#left", name)
                page.wait_for_function(loaded)
                assert page.inner_text("#name-left") == f"left: {name}{score}"
            assert page.locator("#crops figure").count() == len(names)
    page.click("text=plain | ground truth")
    assert page.input_value("#right") == "ground truth"


@pytest.mark.slow
def test_another_scale_keeps_the_pair_where_it_has_one(page: Page) -> None:
    def shown() -> list[str]:
        return [page.input_value("#left"), page.input_value("#right")]

    page.select_option("#scale", "x4")
    page.click("text=plain | ground truth")
    page.select_option("#scale", "x2")
    assert shown() == ["plain", "ground truth"]
    page.select_option("#scale", "x4")
    page.click("text=plain-cascade | plain")
    page.select_option("#scale", "x2")  # which has no cascade
    assert shown() == ["bicubic", "plain"]


@pytest.mark.slow
def test_print_has_every_parameter_and_nothing_to_click(page: Page, tmp_path: Path) -> None:
    assert page.pdf(path=tmp_path / "page.pdf").startswith(b"%PDF")  # fires beforeprint
    page.emulate_media(media="print")
    assert page.is_visible("pre >> text=train_set") and page.is_hidden("#pairs")


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1280])
def test_page_fits_its_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.slow
def test_page_is_dark_where_the_reader_wants_it(page: Page) -> None:
    ground = "() => getComputedStyle(document.body).backgroundColor"
    colours = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        colours.append(page.evaluate(ground))
    assert colours == ["rgb(255, 255, 255)", "rgb(18, 22, 28)"]
