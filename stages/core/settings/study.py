"""The whole of params.yaml: every key known, and what must hold between keys."""

import os
from pathlib import Path

from pydantic import ConfigDict, Field

from stages.core.datasets import EMBEDDED, registered_names
from stages.core.errors import InputError
from stages.core.settings.cascade import CascadeSettings
from stages.core.settings.data import (
    NAME_NOTE,
    CopiesSettings,
    EnsembleSettings,
    Name,
    PatchSettings,
    SummarySettings,
    SynthesisSettings,
)
from stages.core.settings.mnist import MnistSettings
from stages.core.settings.reader import PARAMS_FILE, read
from stages.core.settings.training import PretrainSettings, RegularizationSettings, TrainSettings

LARGEST_PATCH = 4096

_NAMES_NOTE = f"a list of names, each once; {NAME_NOTE}"


class StudySettings(
    SynthesisSettings,
    CopiesSettings,
    PatchSettings,
    PretrainSettings,
    TrainSettings,
    RegularizationSettings,
    EnsembleSettings,
    SummarySettings,
    CascadeSettings,
    MnistSettings,
):
    """All slices together, and the keys that only dvc.yaml reads."""

    model_config = ConfigDict(extra="forbid")

    datasets: list[Name] = Field(description=_NAMES_NOTE)
    own_images: dict[Name, str] = Field(description="a mapping from names to folders, or {}")
    train_set: Name = Field(description=NAME_NOTE)


def read_study(path: Path = PARAMS_FILE) -> StudySettings:
    """All of params.yaml, checked; `InputError` has a line for every fault."""
    study = read(StudySettings, path)
    faults = _faults_between_keys(study)
    if faults:
        raise InputError("\n".join(f"{path}: {fault}" for fault in faults))
    return study


def _faults_between_keys(study: StudySettings) -> list[str]:
    faults = []
    for key in ("scales", "datasets", "test_sets", "copies", "cascade_scales"):
        # As text: folders of copies are named by six digits.
        values = [v if isinstance(v, str) else f"{v:g}" for v in getattr(study, key)]
        twice = sorted({v for v in values if values.count(v) > 1})
        if twice:
            faults.append(f"{key}: found {twice[0]} more than once; allowed: each once")

    registered = [*registered_names(), *EMBEDDED]
    for name in study.datasets:
        if name not in registered:
            faults.append(
                f"datasets: found {name!r}; allowed: {', '.join(registered)}"
                " (own folders belong under own_images)"
            )
    for name, folder in study.own_images.items():
        if name in registered:
            faults.append(f"own_images.{name}: the name of a known dataset; allowed: another name")
        if name.startswith("cascade-"):
            # data/scores/x4-plain-cascade-NAME.json would have two meanings.
            faults.append(f"own_images.{name}: allowed: a name that does not start with 'cascade-'")
        if not os.path.isdir(folder):  # noqa: PTH112 (Path.is_dir fails on a name too long)
            faults.append(f"own_images.{name}: found {folder!r}; allowed: a folder that exists")

    sources = [name for name in (*study.datasets, *study.own_images) if name != "mnist"]
    for key, names in (("train_set", [study.train_set]), ("test_sets", study.test_sets)):
        for name in names:
            if name not in sources:
                known = ", ".join(sources)
                faults.append(
                    f"{key}: found {name!r}; allowed: a name in datasets or own_images ({known})"
                )

    if study.cascade_from not in study.scales:
        faults.append(
            f"cascade_from: found {study.cascade_from}, which is not among scales; "
            f"allowed: one of {study.scales}"
        )

    for key in ("patch_size", "stride", "epochs", "batch_size", "learning_rate"):
        values = getattr(study, key)
        missing = [scale for scale in study.scales if scale not in values]
        if missing:
            faults.append(
                f"{key}: found no entry for scale {missing[0]}; allowed: one for each of scales"
            )
    for key in ("patch_size", "stride"):
        for scale, value in getattr(study, key).items():
            if scale in study.scales and value % scale:
                faults.append(
                    f"{key}: found {value} for scale {scale}; allowed: a multiple of {scale}"
                )
    for scale, value in study.patch_size.items():
        if scale in study.scales and not 4 * scale <= value <= LARGEST_PATCH:
            faults.append(
                f"patch_size: found {value} for scale {scale}; allowed: from {4 * scale}"
                f" (4 LR pixels) to {LARGEST_PATCH}"
            )
    return faults
