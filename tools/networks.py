"""Every network of this project compared with its paper: `make networks`.

Each network is trained at x2 and x4, plain, on 290 images, at its published size, in equal time on
this machine. Six networks still improve after that time; they are trained once more, in four times
the time. Their number of steps follows from the time of a step in the first run, so that both runs
use the same measure. Each network is a DVC experiment. Its rows are added to docs/networks.csv when
it is done, so that a stopped study continues after it. Writes docs/networks.csv, docs/networks.md
and its chart, docs/networks.svg, whose dots are in docs/networks-chart.csv.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from dvc.utils.hydra import apply_overrides

from srstudy.common.choices import names
from srstudy.common.errors import InputError
from srstudy.common.params import PARAMS_FILE
from srstudy.common.running import run
from srstudy.networks.shared.sizes import ROOM, sizes
from srstudy.study.settings import read_study
from srstudy.training.settings import FRESH
from tools.bench import machine
from tools.experiments import (
    at_scales,
    experiments,
    overrides,
    params_of,
    run_experiment,
)
from tools.networks_page import CHART, DOTS, PAGE, chart, page, points
from tools.repeats import ON_290, TEST_SETS, Rows, digits_of, gather, means, read_rows
from tools.writing import write_table, write_text

TABLE, SOURCE, METHOD = Path("docs/networks.csv"), Path("tools/networks.py"), "plain"
SCALES = (2, 4)
COLUMNS = (
    *("network", "times", "scale", "test_set", "psnr", "ssim", "parameters", "multiply_adds"),
    *("megapixels_per_second", "steps", "megapixels_seen", "minutes", "machine"),
)
# Minutes of training: first at x2, shared by both scales, then for each scale alone.
SHARED, OWN = 1.8, {2: 0.6, 4: 1.2}
HUNGRY, TIMES = ("srcnn", "fsrcnn", "espcn", "edsr", "progressive", "vdsr"), 4
# The published sizes, if they are not the defaults.
PUBLISHED = {
    "srcnn": {"middle_kernel": 5},
    "edsr": {"channels": 64, "blocks": 16, "equivariant": False},
}
PATCH, BATCH = {2: 64, 4: 128}, {2: 16, 4: 8}
GROUND: dict[str, object] = {
    **ON_290,
    "scales": [*SCALES],
    "patch_size": f"{{x2: {PATCH[2]}, x4: {PATCH[4]}}}",
    "stride": "{x2: 24, x4: 48}",
    "loss": "mse",
    "batch_size": f"{{x2: {BATCH[2]}, x4: {BATCH[4]}}}",
    "learning_rate": at_scales(0.002, SCALES),
    "final_rate_share": 0,
    "warmup_share": 0.05,
    # Only two images: they decide nothing here, and the minutes do not include validation.
    "validation_list": "false",
    "validation_images": 2,
    "seed": 1,
    "start_from": FRESH,
    "pretrain_epochs": "null",
    "epochs": at_scales("null", SCALES),
}


def main() -> None:
    """Train and score the missing networks; write table, page and chart."""
    read_study()  # checks params.yaml, which must also have the names of your own networks
    runs = [*names(ROOM), *(f"{name}-times-{TIMES}" for name in HUNGRY)]
    counts = dict.fromkeys(runs, len(SCALES) * len(TEST_SETS))
    write(gather(TABLE, counts, rows_of, recipe_of, SOURCE, write, COLUMNS))
    print(PAGE.read_text("utf-8"))


def write(rows: pd.DataFrame) -> None:
    """Write page and chart of the rows so far."""
    dots = points(rows)
    write_table(DOTS, dots)
    write_text(CHART, chart(dots))
    write_text(PAGE, page(rows))


def settings(network: str) -> dict[str, object]:
    """The changes to params.yaml for a network, without its budget."""
    size = sizes(network, PUBLISHED.get(network, {}))
    entries = ", ".join(f"{key}: {json.dumps(value)}" for key, value in size.items())
    return {**GROUND, "network": network, f"network_size.{network}": f"{{{entries}}}"}


def recipe_of(run_name: str) -> str:
    """The digits of all settings except the steps, which depend on the time."""
    network, times = _parsed(run_name)
    return digits_of({**settings(network), "times": times, "minutes": [SHARED, str(OWN)]})


def rows_of(run_name: str) -> Rows:
    """Train one network in its time; return a row for each scale and test set."""
    network, times = _parsed(run_name)
    changes = settings(network)
    costs = {scale: measured(changes, scale) for scale in SCALES}
    experiment = f"network-{run_name}"
    minutes = {scale: times * own for scale, own in OWN.items()}
    if experiment in experiments():
        # From a study that was stopped before it wrote the rows: it is not measured again.
        had = params_of(experiment)
        shared, steps = had["pretrain_steps"], {s: had["steps"][f"x{s}"] for s in SCALES}
    else:
        took = first_run(network) if times > 1 else {}
        seconds = {scale: took.get(scale, costs[scale]["seconds"]) for scale in SCALES}
        shared = steps_in(times * SHARED, seconds[2])
        steps = {scale: steps_in(minutes[scale], seconds[scale]) for scale in SCALES}
    budget = {"pretrain_steps": shared, **{f"steps.x{s}": n for s, n in steps.items()}}
    keys = [(scale, test_set) for scale in SCALES for test_set in TEST_SETS]
    targets = [f"evaluate@{scale}-{METHOD}-{test_set}" for scale, test_set in keys]
    run_experiment(experiment, {**changes, **budget}, targets)
    return [
        {
            **{"network": network, "times": times, "scale": scale, "test_set": test_set},
            **means(experiment, scale, test_set, METHOD),
            **{key: costs[scale][key] for key in ("parameters", "multiply_adds")},
            "megapixels_per_second": round(costs[scale]["megapixels"], 3),
            "steps": shared + steps[scale],
            "megapixels_seen": round(seen(shared, 2) + seen(steps[scale], scale), 1),
            "minutes": round(times * SHARED + minutes[scale], 1),
            "machine": machine(),
        }
        for scale, test_set in keys
    ]


def first_run(network: str) -> dict[int, float]:
    """The seconds of a step at each scale in a network's shorter run; {} if it has no rows."""
    rows = read_rows(TABLE, {"run", *COLUMNS})
    if not len(rows) or network not in set(rows["run"]):
        return {}
    steps = rows[rows["run"] == network].groupby("scale")["steps"].first()
    at_2 = 60 * (SHARED + OWN[2]) / steps[2]
    shared = SHARED / (SHARED + OWN[2]) * steps[2]
    return {2: at_2, 4: 60 * OWN[4] / (steps[4] - shared)}


def measured(changes: dict[str, object], scale: int) -> dict[str, float]:
    """The time of a step and of restoring on this machine, from tools/step_time.py."""
    with TemporaryDirectory() as folder:
        params = Path(folder) / PARAMS_FILE
        shutil.copy(PARAMS_FILE, params)
        apply_overrides(params, overrides(changes))
        environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
        measures: dict[str, float] = {}
        for what in ("training", "restoring"):
            command = [sys.executable, "-m", "tools.step_time", str(scale), what]
            found = subprocess.run(
                command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE
            )
            if found.returncode:
                raise InputError(f"network {changes['network']}: could not be measured: see above")
            measures |= json.loads(found.stdout.splitlines()[-1])
    return measures


def seen(steps: int, scale: int) -> float:
    """The HR megapixels in the batches of a number of steps."""
    return steps * BATCH[scale] * PATCH[scale] ** 2 / 1e6


def steps_in(minutes: float, seconds: float) -> int:
    """The number of steps in some minutes, if a step takes `seconds`; rounded to two digits."""
    return max(1, int(float(f"{60 * minutes / seconds:.1e}")))


def _parsed(run_name: str) -> tuple[str, int]:
    network, _, times = run_name.partition("-times-")
    return network, int(times or 1)


if __name__ == "__main__":
    run(main)
