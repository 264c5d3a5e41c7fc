"""The page of a study in parts, and the card of its networks."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from srstudy.common.errors import InputError
from srstudy.common.files import read_json
from srstudy.scoring.metrics import METRICS
from srstudy.scoring.tables import markdown
from tools.parts import HELD_OUT, METHOD, Study
from tools.readme import CLASS
from tools.repeats import TEST_SETS
from tools.robustness_card import robustness
from tools.table import compared, for_page

FOUR_SETS = Path("docs/four-sets.json")
DEFAULT = "default"


def scored(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of test sets."""
    return rows[rows["test_set"].isin(TEST_SETS)]


def page(study: Study, rows: pd.DataFrame, intro: str, tables: str, end: str = "") -> str:
    """The tables of the scores, then the table of the trainings.

    rows: of the study's CSV file; intro: the heading and the text below it; end: the text after the
    settings.
    """
    trained = rows[rows["test_set"] == HELD_OUT]
    lines = [
        [
            *(r.run, _start(study, r.run), f"x{r.scale}", f"{r.steps:,}"),
            *(_minutes(r.minutes), f"{r.psnr:.3f}", r.machine),
        ]
        for r in trained.itertuples()
    ]
    in_all = f"{trained['minutes'].sum():.0f} minutes in all"
    untimed = trained[trained["minutes"].isna()]["run"]
    in_all += f", without {' and '.join(untimed)}, which was not timed. " if len(untimed) else ". "
    heading = ["training", "begins with", "scale", "steps", "minutes"]
    heading += ["PSNR of the held-out images", "machine"]
    changes = "\n".join(f"- `{key}`: {shown(value)}" for key, value in study.ground.items())
    return (
        f"{intro}\n\n{tables}\n"
        f"## Trainings\n\n{in_all}The held-out images are those of "
        "[data/held-out.txt](../data/held-out.txt), from LR luma in whole numbers. Curves: "
        f"[{study.name}/]({study.name}).\n\n{markdown(heading, lines)}\n"
        f"## Settings\n\nChanges to [params.yaml](../params.yaml):\n\n{changes}\n\n"
        "Steps, learning rates, seeds, and what a training has of its own: `PARTS` in "
        f"[{study.source}](../{study.source}).{end}\n"
    )


def beside_published(study: Study, scored: pd.DataFrame) -> str:
    """A table for each metric: bicubic, the default network, ours, and published figures.

    scored: the rows of test sets; their LR images must be those of the literature.
    """
    found = _summary(study, scored)
    tables = [for_page(compared(found, key).beside(CLASS)) for key in METRICS]
    return "\n".join(tables).replace("](tools/", "](../tools/")


def card(study: Study, scored: pd.DataFrame, intro: str, data: str) -> str:
    """The card of the networks of `upscale --model`, with their scores.

    scored: the rows of test sets; intro: the heading and the purpose of the networks; data: how LR
    images were made, and the consequence for photographs. `InputError` names a network that has
    rows but no file.
    """
    mine = scored[scored["method"] == METHOD]
    sets = list(dict.fromkeys(mine["test_set"]))
    lines = []
    for scale, rows in mine.groupby("scale"):
        by_set, file = rows.set_index("test_set")["psnr"], study.network(scale)
        if not file.is_file():
            raise InputError(
                f"{file}: found no file; allowed: the one from git, or made anew by `make "
                f"{study.name}` without the rows of x{scale} in {study.table}"
            )
        size = f"{file.stat().st_size / 1000:.0f} kB"
        lines.append([file.name, size, *(f"{by_set[name]:.4f}" for name in sets)])
    network, train_set = study.ground["network"], study.ground["train_set"]
    return (
        f"{intro}\n\n"
        f"- **Network**: `{network}` ({_size(study)}), luma only; "
        "ONNX, float16 weights, computed in float32.\n"
        f"- **Data**: {train_set}, which is T91 and the 200 training images of BSDS300 "
        f"without 302003.jpg, which is Set5's `woman`; {data}\n"
        f"- **Recipe**: [{study.page}](../{study.page}).\n"
        "- **Licence**: MIT, as all of this project. The training images belong to their authors; "
        "they are not in these files.\n\n"
        "PSNR in dB of the trained model. That of the files is the same to 0.01 dB: "
        "`python -m tools.verify_weights`.\n\n"
        + markdown(["file", "size", *sets], lines)
        + f"\n{robustness(study)}"
    )


def shown(value: object) -> str:
    """The value of a setting, in the form of params.yaml."""
    return value if isinstance(value, str) else json.dumps(value)


def _size(study: Study) -> str:
    """The sizes of the network; for each scale, if the parts have different sizes."""
    key = f"network_size.{study.ground['network']}"
    if key in study.ground:
        return shown(study.ground[key])
    sizes = {f"x{part.scale}": shown(part.own[key]) for part in study.parts.values()}
    return "; ".join(f"{scale}: {size}" for scale, size in sizes.items())


def _summary(study: Study, scored: pd.DataFrame) -> dict[str, Any]:
    """Bicubic and the default, if they were scored, and ours, as in metrics/summary.json."""
    default = read_json(FOUR_SETS)
    found: dict[str, Any] = {"protocol": default["protocol"]}
    for key in METRICS:
        table = found[key] = {}
        for row in scored.itertuples():
            before = default[key].get(row.test_set, {}).get(f"x{row.scale}", {})
            entry = {study.name: getattr(row, key)}
            if METHOD in before:
                entry = {"bicubic": before["bicubic"], DEFAULT: before[METHOD], **entry}
            table.setdefault(row.test_set, {})[f"x{row.scale}"] = entry
    return found


def _start(study: Study, run: str) -> str:
    start = study.parts[run].start if run in study.parts else None
    return str(start or "")


def _minutes(value: float | None) -> str:
    return "" if pd.isna(value) else f"{value:.0f}"
