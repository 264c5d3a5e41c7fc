"""Write the results and times in the README from metrics/ and docs/: `make readme`.

With --check, they are only compared.

python -m tools.readme [--check]
"""

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from srstudy.common.params import read
from srstudy.common.running import run
from srstudy.mnist.settings import MnistSettings
from srstudy.scoring import chance
from srstudy.scoring.missing import missing_scores
from srstudy.scoring.tables import markdown, of_images, scales_of
from srstudy.training.settings import RegularizationSettings
from tools.table import for_page, table_of
from tools.writing import read_page, replaced, write_text

README = Path("README.md")
# Networks of this study's size or smaller; all others: `python -m tools.table`.
CLASS = ("SRCNN", "FSRCNN", "VDSR", "DRCN", "LapSRN", "DRRN")
TIMES = Path("docs/times.csv")  # measured by hand on an idle machine, if a row says nothing else


def main() -> None:
    """Write the part between the marks; with --check, fail if it is not up to date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check

    text = current = read_page(README)
    for name, written in (("results", results), ("times", times)):
        current = replaced(current, name, written(), README)
    if check and current != text:
        sys.exit("README.md: its results differ from metrics/ and docs/; run `make readme`")
    if not check:
        write_text(README, current)


def times() -> str:
    """The times of commands, a column for each kind of processor, from docs/times.csv."""
    rows = pd.read_csv(TIMES)
    processors = list(dict.fromkeys(rows["processor"]))
    lines = []
    for (command, what), mine in rows.groupby(["command", "what"], sort=False):
        minutes = mine.set_index("processor")["minutes"]
        cells = [f"{minutes[p]:.3g} min" if p in minutes else "" for p in processors]
        lines.append([f"`{command}`", what, *cells])
    return markdown(["command", "what", *processors], lines)


def results() -> str:
    """Our table with the published figures, and the sentences about it."""
    return (
        f"{for_page(table_of('psnr').beside(CLASS))}{left_out()}{gains()}{below_bicubic()}"
        f"{verdict()}{regularization()}{strongest()}{warm_up()}"
    )


def strongest() -> str:
    """The scores of the long recipe's networks, if they were trained: docs/long-recipe.csv."""
    path = Path("docs/long-recipe.csv")
    if not path.is_file():
        return ""
    rows = pd.read_csv(path)
    found = []
    for test_set, mine in rows[rows["ssim"].notna()].groupby("test_set", sort=False):
        values = ", ".join(f"{r.psnr:.2f} (x{r.scale})" for r in mine.itertuples())
        found.append(f"{test_set} {values}")
    if not found:  # only pretraining so far
        return ""
    return (
        f"\nThe strongest networks, larger and trained on 290 images, reach {'; '.join(found)}. "
        "Beside others: [docs/long-recipe.md](docs/long-recipe.md).\n"
    )


def gains() -> str:
    """The gain of the plain networks over bicubic interpolation, by test set and scale."""
    summary = json.loads(Path("metrics/summary.json").read_text("utf-8"))["psnr"]
    found = []
    for test_set, scales in summary.items():
        values = [
            f"{scores['plain'] - scores['bicubic']:.2f} dB at {scale}"
            for scale, scores in scales.items()
            if None not in (scores.get("plain"), scores.get("bicubic"))
        ]
        if values:
            found.append(f"{', '.join(values)} on {test_set}")
    words = "Gain of the plain networks over bicubic interpolation"
    return f"\n{words}: {'; '.join(found)}.\n" if found else ""


def left_out() -> str:
    """The images without a finite score, which are left out of the means."""
    lines = missing_scores(of_images(_of_each_image()), ["psnr"])
    return "".join(f"\n{line}.\n" for line in lines)


def below_bicubic() -> str:
    """The images for which a network is worse than bicubic interpolation.

    Null means an infinite PSNR, of an image that is restored exactly.
    """
    found = []
    for test_set, content in _of_each_image().items():
        for scale, images in scales_of(content).items():
            for image, entry in images.items():
                psnr = {m: math.inf if v is None else v for m, v in entry["psnr"].items()}
                bicubic = psnr["bicubic"]
                for method in (method for method, value in psnr.items() if value < bicubic):
                    exact = "bicubic is exact" if math.isinf(bicubic) else ""
                    loss = exact or f"{psnr[method] - bicubic:+.2f} dB"
                    found.append(f"{image} ({test_set} {scale} {method}, {loss})")
    if found:
        return f"\nBelow bicubic interpolation on these images: {', '.join(found)}.\n"
    return (
        "\nOn every test image, every network of this study, direct or as a cascade, is at least "
        "as good as bicubic interpolation.\n"
    )


def _of_each_image() -> dict[str, dict[str, Any]]:
    """The files of metrics/images, by test set."""
    paths = sorted(Path("metrics/images").glob("*.json"))
    return {path.stem: json.loads(path.read_text("utf-8")) for path in paths}


def warm_up() -> str:
    """A sentence on the MNIST warm-up with the first seed, if it was run."""
    seeds = read(MnistSettings).mnist.seeds
    path = Path(f"metrics/mnist/seed-{seeds[0]}.json") if seeds else None
    if path is None or not path.is_file():
        return ""
    scores = json.loads(path.read_text("utf-8"))["mnist"][path.stem]
    text = (
        f"\nThe MNIST warm-up reaches {scores['accuracy']:.2%} (loss {scores['loss']:.4f}) in "
        f"{scores['steps']:,} steps of plain gradient descent"
    )
    table = Path("docs/mnist-seeds.csv")
    if table.is_file():
        draws = ", ".join(f"{value:.2%}" for value in pd.read_csv(table)["accuracy"])
        text += f"; with three seeds: {draws}"
    return f"{text}. The student project (below) printed 96.97%.\n"


def verdict() -> str:
    """Whether regularization helps on the test sets, if several seeds were run."""
    found = chance.verdict(chance.measured())
    link = f"[{chance.TABLE}]({chance.TABLE})"
    means = f"Means over the test sets of {link}."
    return found and f"\n**Does regularization help?** {found} {means}\n"


def regularization() -> str:
    """The result of the ablation over lambda, if it was run: docs/ablation.csv."""
    path = Path("docs/ablation.csv")
    if not path.is_file():
        return ""
    runs = pd.read_csv(path)
    found = []
    for budget, mine in runs.groupby("budget", sort=False):
        keys = ["network", "scale", "seed"]
        table = mine.pivot_table(index=keys, columns="lambda", values="psnr")
        gain = table.sub(table[0.0], axis=0).drop(columns=0.0)
        best, largest = float(gain.mean().idxmax()), float(gain.columns.max())
        spread = gain[best].std()
        found.append(
            f"{budget} runs ({', '.join(map(str, sorted(set(mine['steps']))))} steps, "
            f"{len(table)} pairs of a run with lambda and the same run without): the best non-zero "
            f"lambda is {best:g}, "
            f"{gain[best].mean():+.3f} dB from lambda = 0 (standard deviation between pairs "
            f"{spread:.3f}), and lambda = {largest:g} changes PSNR by "
            f"{gain[largest].mean():+.2f} dB"
        )
    sentences = ["; ".join(found)]
    full = []
    for plain in sorted(Path("metrics/validation").glob("x*-plain.json")):
        scale = plain.name.partition("-")[0]
        regularized = plain.with_name(f"{scale}-regularized.json")
        values = [
            json.loads(file.read_text("utf-8"))["validation"][scale][setting]["psnr"]
            for file, setting in ((plain, "plain"), (regularized, "regularized"))
        ]
        if None not in values:  # null: every held-out image is restored exactly
            full.append(f"{values[1] - values[0]:+.3f} dB at {scale}")
    if full:
        weight = read(RegularizationSettings).lambda_
        sentences.append(
            f"at full length, by the same images and one seed, the default lambda of {weight:g} "
            f"changes PSNR by {', '.join(full)}, compared with lambda = 0"
        )
    finding = " ".join(f"{sentence[0].upper()}{sentence[1:]}." for sentence in sentences)
    networks = " and ".join(runs["network"].unique())
    return (
        f"\nOver lambda, by PSNR on held-out training images (networks {networks}, from fresh "
        f"weights, x2 and x4; [tools/ablation.py](tools/ablation.py)): {finding} Every run: "
        "[docs/ablation.csv](docs/ablation.csv); a chart: [docs/ablation.png](docs/ablation.png).\n"
    )


if __name__ == "__main__":
    run(main)
