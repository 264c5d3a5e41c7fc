"""Links between the pages lead somewhere, and every page is in the index."""

import re
from pathlib import Path

import pytest

from tests.documented import BLOCK
from tests.imports import ROOT

PAGES = sorted(
    path for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("weights/**/*.md"))
)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def _links(page: Path) -> list[str]:
    text = BLOCK.sub("", page.read_text("utf-8"))
    return [link for link in LINK.findall(text) if not re.match(r"[a-z]+:", link)]


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are shown in a browser by git hosts."""
    headings = re.findall(r"^#+ (.*)$", BLOCK.sub("", page.read_text("utf-8")), re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {word.replace(" ", "-") for word in words}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_to_files_and_headings(page: Path) -> None:
    broken = []
    for link in _links(page):
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert not broken


def test_index_names_every_page_once() -> None:
    index = ROOT / "docs/README.md"
    pages = {path for path in (ROOT / "docs").rglob("*.md") if path != index}
    linked = [(index.parent / link).resolve() for link in _links(index)]
    assert sorted(path for path in linked if path.suffix == ".md") == sorted(pages)


def test_pages_written_by_hand_are_at_most_eight() -> None:
    assert len([*(ROOT / "docs/guide").glob("*.md")]) <= 8
