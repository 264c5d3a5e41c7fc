"""The report page, made by its stage from small results and opened in a real browser."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from dvc.utils.hydra import apply_overrides
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

from srstudy.common.errors import InputError
from srstudy.report.gallery import MOST_IMAGES
from srstudy.report.page import read_csv, score_tables, script_data, table
from srstudy.scoring import chance
from srstudy.scoring.metrics import METRICS, Metric
from tests.browser import chromium
from tests.small_report import Results, make_report, run_stage

METHODS = {
    2: ("bicubic", "plain", "regularized"),
    4: ("bicubic", "plain", "plain-cascade", "regularized", "regularized-cascade"),
}
SCALES = tuple(METHODS)
EVERY_METHOD = (
    *("bicubic", "plain", "plain+", "plain-cascade"),
    *("regularized", "regularized+", "regularized-cascade"),
)
# Of ten images: the gains as they stand in the file, and the order of those shown, by the gain: the
# largest, the smallest, the second largest, and so on, without the two in the middle.
VALUES = (0.5, -0.25, 1.5, 0.75, 2.0, 1.25, 0.25, 1.0, 3.0, 1.75)
GAINS = dict(zip("abcdefghij", VALUES, strict=True))
IN_TURN = ["i", "b", "e", "g", "j", "a", "c", "d"]


def _results(photo: NDArray[np.uint8]) -> Results:
    two = {"cat": photo, "<_script>": photo[:64, ::-1]}
    return Results(
        METHODS,
        images={"tiny": two, "many": dict.fromkeys([*GAINS, "blank"], photo[:32, :40])},
        gains={"tiny": dict.fromkeys(two, 1.0), "many": {**GAINS, "blank": None}},
        shared={"tiny": [["mine/cat 2.png", "tiny/<_script>.png"]]},
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, photo: NDArray[np.uint8]) -> Path:
    return make_report(tmp_path_factory.mktemp("report"), _results(photo))


def test_page_contains_no_external_address(report: Path) -> None:
    text = report.read_text("utf-8")
    assert "http" not in text and "//" not in re.sub(r"data:image/webp;base64,[\w+/=]*", "", text)
    assert not re.findall(r"<(?:link|script|img)[^>]+(?:src|href)=\"(?!data:)", text)


def test_same_study_gives_the_same_page(
    report: Path, tmp_path: Path, photo: NDArray[np.uint8]
) -> None:
    assert make_report(tmp_path, _results(photo)).read_bytes() == report.read_bytes()


def test_pictures_shared_with_the_training_set_are_named_under_the_table(report: Path) -> None:
    said = "tiny/&lt;_script&gt;.png is also in the training set mine, as cat 2.png: its score"
    assert said in report.read_text("utf-8").partition("<h2>Look</h2>")[0]


def test_page_has_chance_and_verdict_if_seeds_were_run(report: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    shutil.copytree(report.parent.parent, folder)
    rows = [
        f"2,{seed},tiny,{method},{30 + seed + gain}"
        for seed in (1, 2, 3)
        for method, gain in (("plain", 0), ("regularized", 0.01 + seed / 1000))
    ]
    (folder / chance.TABLE).write_text("\n".join([",".join(chance.COLUMNS), *rows]))
    for degradation, said in (("matlab", True), ("opencv", False)):
        apply_overrides(folder / "params.yaml", [f"degradation={degradation}"])
        run_stage(folder, "stages.report")
        page = (folder / "report/index.html").read_text("utf-8")
        scores, _, others = page.partition("<h2>Every image</h2>")
        assert ("(x2) are chance: in 95 % of cases" in scores) == said
        assert "Regularization helps a little: +0.012 dB at x2" in others
        assert "Every seed: docs/seeds.csv.<" in others
    assert "Every seed" not in report.read_text("utf-8")


@pytest.mark.parametrize("content", [None, b"", b"a\n1,2\n1,2,3\n", b"\xff"])
def test_missing_or_broken_table_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "curve.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"curve\.csv: cannot be read"):
        read_csv(path)


def test_best_of_each_row_is_marked(report: Path) -> None:
    text = report.read_text("utf-8")
    # Of x2's 25, 26, 27 and x4's 25 to 29; SSIM is set to a hundredth of it. The means of the
    # second set are those of its first image.
    marked = ["27.00", "29.00", "26.00", "27.00", "0.2700", "0.2900", "0.2600", "0.2700"]
    assert re.findall(r"<td><strong>([^<]*)<", text) == marked
    assert "<td>1</td><td><strong>2</strong></td>" in table(["", "a"], [["row", "1", "2"]], ["2"])


def test_equal_best_methods_are_all_marked_and_lower_errors_are_better(
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


def test_notes_are_under_the_tables() -> None:
    means = {key: {"set5": {"x2": {"bicubic": 1.0}}} for key in METRICS}
    page = score_tables(means, Path("s.json"), ["below 0.1 dB: chance", "a < `b`"])
    assert page.endswith("<p>below 0.1 dB: chance</p>\n<p>a &lt; <code>b</code></p>")


def test_image_without_a_finite_score_is_named_under_the_tables(report: Path) -> None:
    tables, _, rest = report.read_text("utf-8").partition("<h2>Every image</h2>")
    for name in ("PSNR", "SSIM"):
        line = f"<p>many x2, x4: mean {name} of 10 of 11 images; no finite {name}: blank</p>"
        assert tables.count(line) == 1
    row = re.search(r'<tr><th scope="row">blank</th>(.*)</tr>', rest)
    assert row and row[1].count("<td></td>") == 2 * len(METHODS[2]) and "nan" not in row[1]


@pytest.mark.timeout(300)
def test_page_of_four_test_sets_of_full_size_is_below_20_megabytes(
    tmp_path: Path,
) -> None:
    # Set5, Set14, BSD100 and Urban100 of noise, which no format makes small, by seven methods.
    noise = np.random.default_rng(1).integers(256, size=(700, 1024, 3), dtype=np.uint8)
    counts = {"five": 5, "fourteen": 14, "bsd": 100, "urban": 100}
    images = {name: {f"{name} {n:03}": noise for n in range(counts[name])} for name in counts}
    gains = {name: {image: n / 50 for n, image in enumerate(images[name])} for name in images}
    page = make_report(tmp_path, Results(dict.fromkeys((2, 4, 8), EVERY_METHOD), images, gains))
    assert page.stat().st_size < 20_000_000
    text = page.read_text("utf-8")
    assert text.count('<th scope="row">urban 0') == 3 * 100
    shown = 5 + 3 * MOST_IMAGES
    assert text.count("data:image/webp") == shown * 3 * (len(EVERY_METHOD) + 1)


# --- In a browser ---------------------------------------------------------------------------------


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    """The page in Chromium on a phone, with networking off; it may ask for nothing else."""
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
    page.locator("#stack").scroll_into_view_if_needed()
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
def test_another_scale_keeps_the_pair_if_it_has_both_methods(page: Page) -> None:
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
def test_printed_page_has_every_parameter_and_no_buttons(page: Page, tmp_path: Path) -> None:
    assert page.pdf(path=tmp_path / "page.pdf").startswith(b"%PDF")  # fires beforeprint
    page.emulate_media(media="print")
    assert page.is_visible("pre >> text=train_set") and page.is_hidden("#pairs")


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1280])
def test_page_fits_its_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.slow
def test_page_is_dark_if_the_reader_prefers_it(page: Page) -> None:
    ground = "() => getComputedStyle(document.body).backgroundColor"
    colours = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        colours.append(page.evaluate(ground))
    assert colours == ["rgb(255, 255, 255)", "rgb(18, 22, 28)"]


def _options(page: Page, select: str) -> list[str]:
    return page.eval_on_selector_all(f"{select} option", "all => all.map(o => o.value)")


@pytest.mark.slow
def test_every_test_set_can_be_chosen_and_shows_its_own_images(page: Page) -> None:
    assert _options(page, "#set") == ["tiny", "many"]
    for name, rows, shown in (("many", 11, IN_TURN), ("tiny", 2, ["cat", "<_script>"])):
        page.select_option("#set", name)
        for scale in SCALES:
            page.select_option("#scale", f"x{scale}")
            assert page.locator("h3:visible").all_inner_texts() == [f"{name} x{scale}"]
            assert page.locator(".sortable tbody tr:visible").count() == rows
            assert _options(page, "#image") == shown
            assert page.inner_text("#name-left").startswith("left: bicubic, 25.00 dB")


@pytest.mark.slow
def test_scale_and_pair_stay_when_another_test_set_is_chosen(page: Page) -> None:
    page.select_option("#scale", "x2")
    page.click("text=plain | ground truth")
    page.select_option("#set", "many")
    assert [page.input_value(f"#{name}") for name in ("scale", "left", "right")] == [
        *("x2", "plain", "ground truth")
    ]


@pytest.mark.slow
def test_best_and_worst_images_come_first_among_at_most_eight(page: Page) -> None:
    page.select_option("#set", "many")
    assert _options(page, "#image") == IN_TURN and len(IN_TURN) == MOST_IMAGES
    labels = page.eval_on_selector_all("#image option", "all => all.map(o => o.textContent)")
    assert labels[:3] == ["i, +3.00 dB", "b, -0.25 dB", "e, +2.00 dB"]
    # Those without a gain come where there is room for them.
    page.select_option("#set", "tiny")
    assert _options(page, "#image") == ["cat", "<_script>"]


def _column(page: Page, column: int) -> list[str]:
    rows = ".sortable:visible tbody tr"
    return page.eval_on_selector_all(rows, f"all => all.map(r => r.cells[{column}].textContent)")


@pytest.mark.slow
def test_click_on_a_column_sorts_and_a_second_click_reverses(page: Page) -> None:
    page.select_option("#set", "many")
    names = [*GAINS, "blank"]
    assert _column(page, 0) == names
    by_gain = sorted(GAINS, key=lambda name: -GAINS[name])
    for column in ("gain of plain", "plain", "regularized"):  # each rises with the gain
        head = page.locator(".sortable:visible th", has_text=re.compile(f"^{column}$")).first
        head.locator("button").click()
        assert _column(page, 0) == [*by_gain, "blank"]  # without a score: last
        assert head.get_attribute("aria-sort") == "descending"
        head.locator("button").click()
        assert _column(page, 0) == [*by_gain[::-1], "blank"]
        assert head.get_attribute("aria-sort") == "ascending"
        assert page.locator(".sortable:visible th[aria-sort]").count() == 1
    page.locator(".sortable:visible th >> text=image").click()
    assert _column(page, 0) == sorted(names)


@pytest.mark.slow
def test_columns_can_also_be_sorted_by_keyboard(page: Page) -> None:
    page.select_option("#set", "many")
    page.focus("#scale")
    for _ in range(3):  # the table, which scrolls, the names, the gains
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "gain of plain"
    page.keyboard.press("Enter")
    assert _column(page, 0)[0] == "i"
    page.keyboard.press("Space")
    assert _column(page, 0)[0] == "b"
    assert page.evaluate("document.activeElement.textContent") == "gain of plain"


@pytest.mark.slow
def test_positive_gain_is_drawn_to_the_right_of_zero(page: Page) -> None:
    page.select_option("#set", "many")
    places = page.eval_on_selector_all(
        ".sortable:visible .gain",
        "all => all.map(g => [g.querySelector('circle'), g.querySelector('.zero')].map("
        "e => e && e.getBoundingClientRect()).map(b => b && b.x + b.width / 2))",
    )
    assert len(places) == len(GAINS) + 1 and places.pop()[0] is None  # of the blank image
    reach = [dot - zero for dot, zero in places]
    most = max(reach)
    for gain, found in zip(GAINS.values(), reach, strict=True):
        assert found / most == pytest.approx(gain / max(GAINS.values()), abs=0.02)


@pytest.mark.slow
def test_without_javascript_all_sets_and_scores_are_readable(
    browser: Browser, report: Path
) -> None:
    page = browser.new_context(java_script_enabled=False, offline=True).new_page()
    page.goto(report.as_uri())
    titles = [f"{name} x{scale}" for name in ("tiny", "many") for scale in SCALES]
    assert page.locator("h3:visible").all_inner_texts() == titles
    assert page.locator(".sortable tbody tr:visible").count() == 2 * (2 + 11)
    assert page.is_hidden("#set") and page.is_hidden("#image")
    assert "To compare pictures, switch on JavaScript" in page.inner_text("body")


@pytest.mark.slow
def test_page_says_that_its_pictures_are_compressed_and_cropped(page: Page) -> None:
    text = page.inner_text("body")
    assert "Do not measure on these pictures: they have lossy compression (WebP)" in text
    assert re.search(r"cat: 96 x 120 pixels shown, WebP of quality \d+\.", text)
