"""The command-line arguments that stages share, declared once."""

import argparse
from pathlib import Path
from typing import Any

from srstudy.common.scales import SCALES

KNOWN: dict[str, dict[str, Any]] = {
    "scale": {"type": int, "choices": SCALES},
    "setting": {"choices": ("plain", "regularized")},
    "role": {"choices": ("train", "test")},
    "dataset": {},
    "test_set": {},
    "seed": {"type": int},
    "to": {"type": Path, "metavar": "FOLDER"},
}


def parse(doc: str | None, *names: str) -> argparse.Namespace:
    """The values of a stage's arguments: `parse(__doc__, "scale", "test_set")`.

    Each name is one of KNOWN and becomes an option: --scale 2 --test-set set5. doc: the module's
    docstring; `--help` shows its first line.
    """
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    for name in names:
        parser.add_argument(f"--{name.replace('_', '-')}", required=True, **KNOWN[name])
    return parser.parse_args()
