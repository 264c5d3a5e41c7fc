"""What studies write, whole or not at all: pages, tables, a part of a page between marks."""

from pathlib import Path

import pandas as pd

from srstudy.common.errors import InputError
from srstudy.common.files import whole_file


def write_text(path: Path, text: str) -> None:
    """Write a text file as UTF-8. `InputError` if it cannot be written."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_table(path: Path, rows: pd.DataFrame) -> None:
    """Write rows as CSV, without their index. `InputError` if the file cannot be written."""
    with whole_file(path) as partial:
        rows.to_csv(partial, index=False)


def read_page(path: Path) -> str:
    """The text of a page. `InputError` if it cannot be read."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def replaced(text: str, name: str, content: str, page: Path) -> str:
    """The text of a page with new content between the lines <!-- name --> and <!-- /name -->.

    `InputError` names the page if it does not have each mark once, in this order: without them, the
    rest of the page would be lost.
    """
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    if (text.count(start), rest.count(end)) != (1, 1) or end in before:
        raise InputError(f"{page}: must have {start} once, and after it {end} once")
    return f"{before}{start}\n{content}{end}{after}"
