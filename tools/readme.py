"""The README's results, written from metrics/: `make readme`; with --check only compared.

python -m tools.readme [--check]
"""

import argparse
import json
import sys
from pathlib import Path

import yaml

from stages.core.tables import markdown

README = Path("README.md")
START, END = "<!-- results -->", "<!-- /results -->"


def main() -> None:
    """Write the part between the marks; with --check, fail if it is not up to date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check

    text = README.read_text("utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    current = f"{before}{START}\n{results()}{END}{after}"
    if check and current != text:
        sys.exit("README.md: its results are not those of metrics/; run `make readme`")
    if not check:
        README.write_text(current, encoding="utf-8")


def results() -> str:
    """Our table beside the published figures, and what follows from it."""
    summary = json.loads(Path("metrics/summary.json").read_text("utf-8"))["psnr"]
    published = yaml.safe_load(Path("tools/published.yaml").read_text("utf-8"))["literature"]
    methods = list(dict.fromkeys(m for s in summary.values() for row in s.values() for m in row))
    others = ["SRCNN", "FSRCNN", "VDSR", "LapSRN"]
    rows = []
    for test_set, scales in summary.items():
        for scale, scores in scales.items():
            theirs = published.get(test_set, {}).get(scale, {})
            values = [*(scores.get(m) for m in methods), *(theirs.get(m) for m in others)]
            cells = ["" if value is None else f"{value:.2f}" for value in values]
            rows.append([f"{test_set} {scale}", *cells])
    table = markdown(["PSNR in dB", *(f"**{m}**" for m in methods), *others], rows)
    return (
        f"{table}\nBold: this study (luma, border cropped; sources of the others: "
        f"[tools/published.yaml](tools/published.yaml)).\n{warm_up()}"
    )


def warm_up() -> str:
    """One sentence on the MNIST warm-up, where it was run."""
    path = Path("metrics/mnist.json")
    if not path.is_file():
        return ""
    scores = json.loads(path.read_text("utf-8"))["mnist"]
    return (
        f"\nThe MNIST warm-up reaches {scores['accuracy']:.2%} (loss {scores['loss']:.4f}) in "
        f"{scores['steps']:,} steps of plain gradient descent.\n"
    )


if __name__ == "__main__":
    main()
