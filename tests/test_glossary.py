"""The glossary lists messages as the program prints them."""

import re

import pytest

from tests.imports import ROOT

FOLDERS = ("srstudy", "stages", "tools")
SOURCES = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
SOURCES += [ROOT / "bin/setup", ROOT / "Makefile"]
# A row's first cell: messages in backticks; behind them, in brackets, who else prints them.
ROWS = re.findall(
    r"^\| (`[^|]*) \|",
    (ROOT / "docs/guide/glossary.md").read_text("utf-8").partition("\n## Messages")[2],
    re.MULTILINE,
)
OURS = [cell for cell in ROWS if not cell.endswith(")")]


def test_messages_of_this_project_and_of_others_are_listed() -> None:
    assert len(OURS) >= 5 and len(ROWS) - len(OURS) >= 8


@pytest.mark.parametrize("message", OURS)
def test_message_in_the_glossary_is_one_that_the_program_prints(message: str) -> None:
    text = "\n".join(path.read_text("utf-8") for path in SOURCES)
    # `...` and KEY differ from case to case; code puts a message together at colons and semicolons.
    pieces = [piece.strip(" ,?") for piece in re.split(r"\.\.\.|[A-Z]{3,}|[:;`]", message)]
    words = [piece for piece in pieces if len(piece) > 3]
    assert words and not [piece for piece in words if piece not in text]
