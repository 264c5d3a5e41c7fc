"""Compare this machine's scores with the committed ones: `make verify`, after `make repro`.

On the same kind of processor, all digits are equal. On another kind, training rounds differently,
and differences of a few hundredths of a decibel are normal.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

from srstudy.common.errors import InputError
from srstudy.common.files import read_json
from srstudy.common.running import run

SUMMARY = "metrics/summary.json"


def main() -> None:
    """Print every score that differs, and the largest difference."""
    command = ["git", "show", f"HEAD:{SUMMARY}"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    if shown.returncode or not Path(SUMMARY).is_file():
        raise InputError(f"{SUMMARY}: must be committed and be here too; run `make repro` first")
    committed = scores(json.loads(shown.stdout)["psnr"])
    here = scores(read_json(Path(SUMMARY))["psnr"])
    print(report(committed, here))


def scores(tree: dict[str, Any], path: str = "psnr") -> dict[str, float]:
    """The scores of a nested mapping, by their dotted names; missing scores are skipped."""
    found: dict[str, float] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            found |= scores(value, f"{path}.{key}")
        elif value is not None:
            found[f"{path}.{key}"] = value
    return found


def report(committed: dict[str, float], here: dict[str, float]) -> str:
    """A line for each score that differs or is only on one side, then a summary."""
    lines = []
    differences = []
    for name in sorted(committed.keys() | here.keys()):
        if name not in committed or name not in here:
            lines.append(f"{name}: only {'here' if name in here else 'committed'}")
            continue
        differences.append(abs(here[name] - committed[name]))
        if differences[-1]:
            change = here[name] - committed[name]
            lines.append(f"{name}: {committed[name]:.4f} -> {here[name]:.4f} dB ({change:+.4f})")
    equal = differences.count(0)
    largest = max(differences, default=0.0)
    last = f"{equal} of {len(differences)} scores equal, largest difference {largest:.4f} dB"
    return "\n".join([*lines, last])


if __name__ == "__main__":
    run(main)
