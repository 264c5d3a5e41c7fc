"""The documentation's commands, as they stand on its pages."""

import re

from tests.imports import ROOT

PAGES = ["README.md", "CONTRIBUTING.md", "weights/README.md"]
PAGES += sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
PROGRAMS = [
    *(".", ".ci/run", "bin/upscale", "cat", "dvc", "git", "make", "printf", "pytest"),
    *("python -m", "rm"),
]
# An environment variable or several, a program, what it is given.
COMMAND = re.compile(
    rf"(?:[A-Z_]+=\S+ )*(?:{'|'.join(map(re.escape, PROGRAMS))})(?: .*)?", re.DOTALL
)
# Blocks that are no commands, by their first word: what a command prints, the list of folders.
PRINTED = ("CONFLICT", "PSNR", "Path", "Task", "bin/", "large/astronaut.png:")


def scripts(page: str) -> list[str]:
    """The page's fenced blocks of commands, in order, without comments.

    Not those marked `sh`: scripts for several machines, which one machine cannot run.
    """
    text = (ROOT / page).read_text("utf-8")
    found = []
    for kind, body in BLOCK.findall(text):
        if kind in ("python", "yaml", "sh") or body.split()[0] in PRINTED:
            continue
        lines = [re.sub(r"(^|\s+)# .*", "", line) for line in body.splitlines()]
        found.append("\n".join(line for line in lines if line))
    return found


def commands(page: str) -> list[str]:
    """Every command on the page: each of its blocks' lines, and what stands in a sentence."""
    text = BLOCK.sub("", (ROOT / page).read_text("utf-8"))
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]
    lines = [
        " ".join(line.split())
        for script in scripts(page)
        for line in script.replace("\\\n", " ").splitlines()
    ]
    return lines + [span for span in spans if COMMAND.fullmatch(span)]


def script_with(page: str, part: str) -> str:
    """The one block of commands on the page that begins with this part, or else that has it."""
    having = [script for script in scripts(page) if part in script]
    (script,) = [script for script in having if script.startswith(part)] or having
    return script
