"""Collecting results run by run in a CSV file, for example for means over seeds.

The rows of a run are added as soon as it is done. So a stopped study continues after them, also in
another clone, which has only the CSV file of the earlier runs.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from srstudy.common.errors import InputError
from srstudy.common.params import PARAMS_FILE
from srstudy.common.yaml_file import load_yaml
from srstudy.scoring.metrics import METRICS
from srstudy.training.settings import FRESH
from tools.bench import machine
from tools.experiments import read_output
from tools.writing import write_table

TEST_SETS = ("set5", "set14", "bsd100", "urban100")
# Keys that no training depends on, and keys that each run sets.
ASIDE = (
    *("cascade_from", "cascade_scales", "datasets", "mnist", "own_images", "scales", "seed"),
    *("self_ensemble", "test_sets", "train_set", "validation_share", "validation_images"),
    *("validation_list", "network_size", "start_from"),
)
# All runs start from fresh weights and hold out the listed images, independent of params.yaml; for
# T91 these are the images that its default share holds out.
EACH_RUN: dict[str, object] = {
    "start_from": FRESH,
    "validation_share": "null",
    "validation_images": "null",
    "validation_list": "true",
}
# Common settings of the studies on 290 images and four test sets, independent of params.yaml.
ON_290: dict[str, object] = {
    "datasets": ["t290", *TEST_SETS],
    "own_images": "{}",
    "train_set": "t290",
    "test_sets": [*TEST_SETS],
    "cascade_scales": [],
    "self_ensemble": [],
    "mnist.seeds": [],
    "degradation": "matlab",
    "downscaled_copies": "[0.9, 0.8, 0.7, 0.6]",
    "validation_share": EACH_RUN["validation_share"],
    "validation_images": EACH_RUN["validation_images"],
    "validation_list": EACH_RUN["validation_list"],
    "optimizer": "muon",
    "gradient_clip": 0.01,
    "ema": 0.999,
    "flips_and_rotations": "true",
    "precision": "auto",
}

Rows = list[dict[str, Any]]
COLUMNS = ("seed", "scale", "set", "method", "psnr")  # for runs with several seeds


def recipe() -> str:
    """Eight hex digits that identify the recipe in params.yaml; a table has rows of only one."""
    values = load_yaml(PARAMS_FILE)
    kept = {key: value for key, value in values.items() if key not in ASIDE}
    kept["network_size"] = values["network_size"][values["network"]]
    return digits_of(kept)


def digits_of(settings: Mapping[str, object]) -> str:
    """Eight hex digits that identify settings."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]


def gather(
    table: Path,
    runs: Mapping[str, int],
    run: Callable[[str], Rows],
    recipe_of: Callable[[str], str] = lambda name: recipe(),
    source: Path = PARAMS_FILE,
    written: Callable[[pd.DataFrame], None] = lambda rows: None,
    columns: Sequence[str] = (),
) -> pd.DataFrame:
    """The rows of all runs: those in `table`, and the missing ones from `run(name)`.

    runs: the names, with the number of rows of each; recipe_of: the digits of a run's recipe, which
    is in the file `source`; written: is called with the rows so far after each addition; columns:
    the columns of each row, besides `run` and `recipe`. Raises `InputError` if the table lacks a
    column, or has rows of another recipe, also if the recipe changes during the study.
    """

    def of_runs(rows: pd.DataFrame) -> pd.DataFrame:
        return rows[rows["run"].isin(list(runs))]

    order = {name: place for place, name in enumerate(runs)}
    there = read_rows(table, {"run", "recipe", *columns})
    for name, count in runs.items():
        now = recipe_of(name)
        for row in there.itertuples():
            if row.run in runs and row.recipe != (wanted := recipe_of(row.run)):
                raise InputError(
                    f"{table}: {row.run}: recipe: found {row.recipe}; allowed: {wanted}, that of "
                    f"{source}; to run it again, remove its rows"
                )
        if len(there) and (there["run"] == name).sum() == count:
            print(f"{name}: its rows are in {table}")
            continue
        rows = pd.DataFrame([{"run": name, "recipe": now, **row} for row in run(name)])
        if len(there):
            rows = pd.concat([there[there["run"] != name], rows], ignore_index=True)
        rows = rows.sort_values("run", key=lambda names: names.map(order), kind="stable")
        write_table(table, rows)
        there = rows
        written(of_runs(there))
    return of_runs(there)


def read_rows(table: Path, columns: set[str]) -> pd.DataFrame:
    """The rows of a table; no rows if it does not exist; `InputError` if it lacks a column."""
    if not table.is_file():
        return pd.DataFrame()
    try:
        rows = pd.read_csv(table, dtype={"recipe": str, "weights": str})
        found = ", ".join(rows.columns)
    except ValueError as error:  # from pandas: an empty file, or rows with too many columns
        rows, found = pd.DataFrame(), str(error).partition("\n")[0]
    if missing := sorted(columns - set(rows.columns)):
        raise InputError(f"{table}: found {found}; expected also: {', '.join(missing)}")
    return rows.fillna({"recipe": "none"})


def machine_if(run_now: bool) -> str:
    """The entry `machine` of a row: this machine if the row's experiment was run now, else ""."""
    return machine() if run_now else ""


def on_machines(rows: pd.DataFrame) -> str:
    """ " on " and the machines of all rows; "" if a row does not have its machine."""
    if "machine" not in rows or not rows["machine"].fillna("").all():
        return ""
    return f" on {'; '.join(dict.fromkeys(rows['machine']))}"


def scores(
    name: str, scale: int, test_set: str, method: str, metric: str = "psnr"
) -> dict[str, float]:
    """The score of each image of a test set, for a method of an experiment."""
    found = json.loads(read_output(name, f"data/scores/x{scale}/{test_set}/{method}.json"))
    return {image: values[metric] for image, values in found.items()}


def means(name: str, scale: int, test_set: str, method: str) -> dict[str, float]:
    """The mean of every metric over a test set, for a method of an experiment."""
    return {key: mean(scores(name, scale, test_set, method, key)) for key in METRICS}


def mean(values: Mapping[str, float]) -> float:
    """The mean over the images, rounded as in the table of the study."""
    return round(sum(values.values()) / len(values), 4)
