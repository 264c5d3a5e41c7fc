"""The page of `dvc plots show`: its pictures show without the internet."""

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
from playwright.sync_api import Page, Route

from srstudy.imagefiles.png import write_png
from tests.browser import chromium
from tests.imports import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

LIBRARY = re.compile("^https:")
CHART, PICTURE = "#curve_csv", "document.images[0].naturalWidth"


@pytest.fixture(scope="module")
def plots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `dvc plots show` writes for a chart and a picture, with this project's settings."""
    folder = tmp_path_factory.mktemp("plots")
    (folder / "curve.csv").write_text("step,psnr\n1,30\n2,31\n")
    write_png(folder / "picture.png", np.full((40, 60, 3), 90, np.uint8))
    drawn = [{"curve.csv": {"x": "step", "y": "psnr", "title": "PSNR"}}, "picture.png"]
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"plots": drawn}))
    environment = {**os.environ, "DVC_SITE_CACHE_DIR": str(folder / "site")}
    # A bare machine has no dvc on its PATH.
    dvc = [sys.executable, "-m", "dvc"]
    for command in (["git", "init", "-q"], [*dvc, "init", "-q"]):
        subprocess.run(command, cwd=folder, env=environment, check=True)
    for name in ("config", "plots.html"):
        shutil.copy2(ROOT / ".dvc" / name, folder / ".dvc" / name)
    subprocess.run([*dvc, "plots", "show"], cwd=folder, env=environment, check=True)
    return folder / "dvc_plots/index.html"


@pytest.fixture
def page() -> Iterator[Page]:
    with chromium() as browser:
        yield browser.new_page()


def test_pictures_show_and_charts_say_what_they_need_without_the_internet(
    plots: Path, page: Page
) -> None:
    page.context.set_offline(True)
    page.goto(plots.as_uri())
    assert page.evaluate(PICTURE) == 60
    assert "needs the internet" in page.inner_text(CHART)
    assert "report/index.html" in page.inner_text(CHART)


def test_pictures_do_not_wait_for_an_internet_that_does_not_answer(plots: Path, page: Page) -> None:
    page.route(LIBRARY, lambda route: None)
    page.goto(plots.as_uri(), wait_until="commit")
    page.wait_for_function(f"document.images.length && {PICTURE} == 60", timeout=20_000)


def test_charts_are_drawn_where_the_library_comes(plots: Path, page: Page) -> None:
    drawing = (
        "globalThis.vegaEmbed = (at, chart) => "
        "document.querySelector(at).append(`drawn: ${JSON.stringify(chart.title)}`)"
    )

    def serve(route: Route) -> None:
        body = drawing if "vega-embed" in route.request.url else ""
        route.fulfill(content_type="text/javascript", body=body)

    page.route(LIBRARY, serve)
    page.goto(plots.as_uri())
    assert re.fullmatch(r"drawn: .*PSNR.*", page.inner_text(CHART).strip())
