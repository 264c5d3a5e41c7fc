"""The page of the long recipe, beside the default and published methods; its networks' card."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from srstudy.common.errors import InputError
from srstudy.common.files import read_json
from srstudy.scoring.metrics import METRICS
from srstudy.scoring.tables import markdown
from tools.readme import CLASS
from tools.table import compared, for_page

FOUR_SETS = Path("docs/four-sets.json")
WEIGHTS = Path("weights")
OURS, DEFAULT = "long", "default"


def page(
    rows: pd.DataFrame,
    settings: Mapping[str, object],
    held_out: str,
    starts: Mapping[str, str | None],
) -> str:
    """Tables of both metrics, then the trainings that they are of.

    rows: of docs/long-recipe.csv; settings: what params.yaml is changed by; held_out: the name that
    the rows of the held-out images have for a test set; starts: whose weights each begins with.
    """
    scored = rows[rows["test_set"] != held_out]
    tables = [for_page(compared(_summary(scored), key).beside(CLASS)) for key in METRICS]
    text = "\n".join(tables).replace("](tools/", "](../tools/")
    trained = rows[rows["test_set"] == held_out]
    lines = [
        [
            *(r.run, starts.get(r.run) or "", f"x{r.scale}", f"{r.steps:,}"),
            *(_minutes(r.minutes), f"{r.psnr:.3f}", r.machine),
        ]
        for r in trained.itertuples()
    ]
    # A training that was stopped and went on has no time that was measured.
    known = trained["minutes"].notna().all()
    in_all = f"{trained['minutes'].sum():.0f} minutes in all. " if known else ""
    heading = ["training", "begins with", "scale", "steps", "minutes"]
    heading += ["PSNR of the held-out images", "machine"]
    changes = "\n".join(f"- `{key}`: {_plain(value)}" for key, value in settings.items())
    return (
        "# The long recipe\n\nThe strongest plain networks that an evening on two cores trains: "
        f"`{OURS}`, single pass; `{DEFAULT}` is the plain network of [params.yaml](../params.yaml) "
        "([four-sets.md](four-sets.md)). Written by `make long`; the same as CSV: "
        f"[long-recipe.csv](long-recipe.csv).\n\n{text}\n"
        f"## Trainings\n\n{in_all}The held-out images are those of "
        "[data/held-out.txt](../data/held-out.txt), from LR luma in whole numbers. Curves: "
        f"[long/](long).\n\n{markdown(heading, lines)}\n"
        f"## Settings\n\nChanges to [params.yaml](../params.yaml):\n\n{changes}\n\n"
        "Steps, learning rates, seeds, and what a training has of its own: `PARTS` in "
        "[tools/long_recipe.py](../tools/long_recipe.py). How this was found: "
        "[recipe.md](recipe.md).\n"
    )


def card(scored: pd.DataFrame, settings: Mapping[str, object]) -> str:
    """weights/clean.md: the networks that `upscale --model clean` has, and what they score.

    scored: the rows of test sets; settings: as `page` has them. `InputError` names a network that
    has rows and no file.
    """
    sets = list(dict.fromkeys(scored["test_set"]))
    lines = []
    for scale, rows in scored.groupby("scale"):
        by_set = rows.set_index("test_set")["psnr"]
        file = WEIGHTS / f"x{scale}-clean.onnx"
        if not file.is_file():
            raise InputError(
                f"{file}: found no file; allowed: the one from git, or made anew by `make long` "
                f"without the rows of x{scale} in docs/long-recipe.csv"
            )
        size = f"{file.stat().st_size / 1000:.0f} kB"
        lines.append([file.name, size, *(f"{by_set[name]:.4f}" for name in sets)])
    network = settings["network"]
    return (
        "# Weights of the long recipe\n\nWhat `upscale` takes for images that were "
        "compressed without loss, or with `--model clean`: for clean photographs. "
        "Written by `make long`.\n\n"
        f"- **Network**: `{network}` ({_plain(settings[f'network_size.{network}'])}), luma only; "
        "ONNX, float16 weights, computed in float32.\n"
        f"- **Data**: {settings['train_set']}, which is T91 and the 200 training images of BSDS300 "
        "without 302003.jpg, which is Set5's `woman`; LR made by the "
        f"`{settings['degradation']}` degradation: bicubic, without noise or compression. "
        "Photographs that were compressed hard, are noisy or blurred are enlarged with their "
        "faults.\n"
        "- **Recipe**: [docs/long-recipe.md](../docs/long-recipe.md).\n"
        "- **Licence**: MIT, as all of this project. The training images belong to their authors; "
        "they are not in these files.\n\n"
        "PSNR in dB of the trained model. That of the files is the same to 0.01 dB: "
        "`python -m tools.verify_weights`.\n\n" + markdown(["file", "size", *sets], lines)
    )


def _summary(scored: pd.DataFrame) -> dict[str, Any]:
    """As metrics/summary.json: bicubic interpolation, the default where it was scored, ours."""
    default = read_json(FOUR_SETS)
    found: dict[str, Any] = {"protocol": default["protocol"]}
    for key in METRICS:
        table = found[key] = {}
        for row in scored.itertuples():
            before = default[key].get(row.test_set, {}).get(f"x{row.scale}", {})
            entry = {OURS: getattr(row, key)}
            if "plain" in before:
                entry = {"bicubic": before["bicubic"], DEFAULT: before["plain"], **entry}
            table.setdefault(row.test_set, {})[f"x{row.scale}"] = entry
    return found


def _minutes(value: float | None) -> str:
    return "" if pd.isna(value) else f"{value:.0f}"


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
