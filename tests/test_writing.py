"""What commands of tools/ write is whole, and what is wrong ends them with one line."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from srstudy.common.errors import InputError
from tests.imports import ROOT
from tools.writing import read_page, replaced, write_table, write_text

PAGE = Path("page.md")
# They run in a Python that has none of the study's packages.
ALONE = {"wheel", "speed_fsrcnn"}


def test_table_that_cannot_be_finished_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "docs/table.csv"
    write_table(path, pd.DataFrame({"psnr": [37.5]}))
    before = path.read_bytes()
    assert before == b"psnr\n37.5\n"

    def fails(rows: pd.DataFrame, to: Path, index: bool) -> None:
        to.write_text("psn")
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(pd.DataFrame, "to_csv", fails)
    with pytest.raises(InputError, match=r"table\.csv: cannot be written: No space left"):
        write_table(path, pd.DataFrame({"psnr": [38.0]}))
    assert path.read_bytes() == before and [*path.parent.iterdir()] == [path]


def test_only_the_part_between_the_marks_is_replaced() -> None:
    text = "# A page\n\n<!-- table -->\nold\n<!-- /table -->\n\nThe end.\n"
    expected = "# A page\n\n<!-- table -->\nnew\n<!-- /table -->\n\nThe end.\n"
    assert replaced(text, "table", "new\n", PAGE) == expected


@pytest.mark.parametrize(
    "text",
    [
        "no marks",
        "<!-- table -->\nno end",
        "no start\n<!-- /table -->",
        "<!-- /table -->\nreversed\n<!-- table -->",
        "<!-- table --><!-- table -->\ntwice\n<!-- /table -->",
        "<!-- table -->\ntwice\n<!-- /table --><!-- /table -->",
    ],
)
def test_page_without_its_marks_is_refused_and_keeps_its_text(text: str) -> None:
    with pytest.raises(InputError, match=r"^page\.md: must have <!-- table --> once, and after it"):
        replaced(text, "table", "new\n", PAGE)


def test_page_that_is_missing_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"page\.md: cannot be read: "):
        read_page(tmp_path / PAGE)
    write_text(tmp_path / PAGE, "ä\n")
    assert read_page(tmp_path / PAGE) == "ä\n"


@pytest.mark.parametrize("name", ["readme", "scaling", "verify"])
def test_command_in_a_wrong_folder_ends_with_one_line(name: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", f"tools.{name}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    (line,) = ended.stderr.splitlines()
    assert ended.returncode == 1 and line.startswith("error: ")
    assert any(name in line for name in ("README.md", "docs/scaling.md", "metrics/summary.json"))


def test_every_command_says_in_one_line_what_is_wrong() -> None:
    commands = {}
    for path in (ROOT / "tools").glob("*.py"):
        *_, last = ast.parse(path.read_text("utf-8")).body
        if isinstance(last, ast.If) and "__name__" in ast.unparse(last.test):
            commands[path.stem] = "; ".join(map(ast.unparse, last.body))
    assert len(commands) > 30
    assert {name for name, body in commands.items() if body != "run(main)"} == ALONE
