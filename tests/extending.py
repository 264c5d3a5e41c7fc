"""docs/guide/extending.md, read as what a reader would do."""

import re
from dataclasses import dataclass

from tests.imports import ROOT

PAGE = (ROOT / "docs/guide/extending.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """A part of the page: its files, other Python, and blocks of commands, in order."""

    files: dict[str, str]
    python: list[str]
    commands: list[str]


def section(title: str) -> Section:
    body = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    files, python, commands = dict[str, str](), list[str](), list[str]()
    for block in BLOCK.finditer(body):
        kind, text = block.groups()
        named = re.search(r"Write\s+`([^`]+)`:\s*$", body[: block.start()])
        if kind == "python" and named:
            files[named.group(1)] = text
        elif kind == "python":
            python.append(text)
        elif not kind:
            commands.append(text)
    return Section(files, python, commands)
