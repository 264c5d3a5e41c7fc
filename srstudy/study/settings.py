"""All of params.yaml: every key is checked, and the rules between keys."""

import ast
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from srstudy.common.choices import LIBRARY, failure, file_of, names
from srstudy.common.errors import InputError
from srstudy.common.params import PARAMS_FILE, read, refuse
from srstudy.datasets.registry import DIGITS, registered_names
from srstudy.datasets.settings import NAME_NOTE, NAMES_NOTE, DownscaledCopiesSettings, Name
from srstudy.degradations.shared.degradation import degradation
from srstudy.degradations.shared.settings import StrengthSettings, SynthesisSettings
from srstudy.mnist.settings import MnistSettings
from srstudy.networks.shared.sizes import faults_of_entries, faults_of_names
from srstudy.patches.settings import PatchSettings, size_faults, validation_fault
from srstudy.scoring.settings import (
    CascadeSettings,
    MethodSettings,
    SummarySettings,
    cascade_steps,
)
from srstudy.study.absence import absence
from srstudy.study.start import start_fault
from srstudy.training.settings import (
    PretrainSettings,
    RegularizationSettings,
    TrainSettings,
    budget_fault,
    pretraining_fault,
)

CHANGED_BY_SHELL = '"$`\\'  # in the command of the stage own_images, whose quotes keep the rest


class StudySettings(
    SynthesisSettings,
    StrengthSettings,
    DownscaledCopiesSettings,
    PatchSettings,
    PretrainSettings,
    TrainSettings,
    RegularizationSettings,
    SummarySettings,
    MethodSettings,
    CascadeSettings,
    MnistSettings,
):
    """All slices together, with the keys that only dvc.yaml reads."""

    model_config = ConfigDict(extra="forbid")
    renamed: ClassVar[dict[str, str]] = {"copies": "downscaled_copies"}

    datasets: list[Name] = Field(description=NAMES_NOTE)
    own_images: dict[Name, str] = Field(description="a mapping from names to folders, or {}")
    train_set: Name = Field(description=NAME_NOTE)

    @field_validator("network_size")
    @classmethod
    def _check_sizes(cls, entries: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        # Checks the entries of all networks; the parent class checks only the chosen one.
        refuse(faults_of_names(entries) + faults_of_entries(entries, names("networks")))
        return entries

    @field_validator("degradation")
    @classmethod
    def _check_degradation(cls, name: str) -> str:
        try:
            degradation(name)
        except ValueError as error:
            refuse([f"degradation: {error}"])
        return name

    @field_validator("loss")
    @classmethod
    def _check_loss(cls, name: str) -> str:
        # The file is parsed, not imported: an import would start TensorFlow.
        try:
            tree = ast.parse((LIBRARY / "losses" / f"{name}.py").read_text("utf-8"))
        except (SyntaxError, ValueError) as error:
            refuse([f"loss: {failure('losses', name, 'cannot be imported', error)}"])
        if "loss" not in _defined(tree):
            refuse([f"loss: {file_of('losses', name)}: has no function `loss`"])
        return name


def _defined(tree: ast.Module) -> set[str]:
    """The names that a module defines, as far as its source code shows."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
    return found


def read_study(path: Path = PARAMS_FILE) -> StudySettings:
    """All of params.yaml, checked; `InputError` has one line per fault."""
    study = read(StudySettings, path)
    faults = [
        *_doubled(study),
        *_unknown_images(study),
        *_cascade_faults(study),
        *_faults_by_scale(study),
        *size_faults(study, study.scales),
    ]
    found = [
        pretraining_fault(study),
        validation_fault(study),
        start_fault(study, study.degradation),
    ]
    faults += [fault for fault in found if fault]
    if faults:
        raise InputError("\n".join(f"{path}: {fault}" for fault in faults))
    return study


def _doubled(study: StudySettings) -> list[str]:
    faults = []
    lists = ("scales", "datasets", "test_sets", "downscaled_copies", "cascade_scales")
    entries = {key: getattr(study, key) for key in (*lists, "self_ensemble")}
    for key, found in {**entries, "mnist.seeds": study.mnist.seeds}.items():
        # Compared as text: the names of copies' folders have six digits.
        values = [f"{v:g}" if isinstance(v, float) else str(v) for v in found]
        twice = sorted({v for v in values if values.count(v) > 1})
        if twice:
            faults.append(f"{key}: found {twice[0]} more than once; allowed: each once")
    return faults


def _unknown_images(study: StudySettings) -> list[str]:
    """Names of data sets and own folders that are unknown, or used for two things."""
    faults = []
    registered = [name for name in registered_names() if name != DIGITS]
    for name in study.datasets:
        if name == DIGITS:
            faults.append(
                f"datasets: found {DIGITS!r}, which mnist.seeds now downloads; leave it out"
            )
        elif name not in registered:
            faults.append(
                f"datasets: found {name!r}; allowed: {', '.join(registered)}"
                " (own folders belong under own_images)"
            )
    for name, folder in study.own_images.items():
        if name in (*registered, DIGITS):
            faults.append(f"own_images.{name}: the name of a known dataset; allowed: another name")
        if any(character in folder for character in CHANGED_BY_SHELL):
            allowed = f"a path without {' '.join(CHANGED_BY_SHELL)}, for example by a link"
            faults.append(f"own_images.{name}: found {folder!r}; allowed: {allowed}")
        if not os.path.isdir(folder):  # noqa: PTH112 (Path.is_dir fails on a name too long)
            faults.append(f"own_images.{name}: found {folder!r}{absence(folder, 'a folder')}")

    sources = [name for name in (*study.datasets, *study.own_images) if name != DIGITS]
    for key, chosen in (("train_set", [study.train_set]), ("test_sets", study.test_sets)):
        for name in chosen:
            if name not in sources:
                known = ", ".join(sources)
                faults.append(
                    f"{key}: found {name!r}; allowed: a name in datasets or own_images ({known})"
                )
    return faults


def _cascade_faults(study: StudySettings) -> list[str]:
    """Cascades that are impossible with the scales of the study."""
    base = study.cascade_from
    if not study.cascade_scales:
        return []
    if base not in study.scales:
        allowed = f"one of {study.scales}, or [] as cascade_scales"
        return [f"cascade_from: found {base}, which is not among scales; allowed: {allowed}"]
    reached = [scale for scale in study.scales if cascade_steps(base, scale)]
    others = [scale for scale in study.cascade_scales if scale not in reached]
    words = f"x{base}, applied again, reaches"
    if reached:
        allowed = f"scales that {words}: {reached}"
    else:
        allowed = f"[], because {words} no other scale of the study"
    return [f"cascade_scales: found {others}; allowed: {allowed}"] if others else []


def _faults_by_scale(study: StudySettings) -> list[str]:
    """Faults of the values per scale, for the scales of the study."""
    faults = []
    values: dict[str, Mapping[int, Any]] = {
        "patch_size": study.patch_size,
        "stride": study.stride,
        "batch_size": study.batch_size,
        "learning_rate": study.learning_rate,
        "epochs": study.epochs,
        "steps": study.steps,
    }
    for scale in study.scales:
        # DVC also refuses to run a stage with a missing entry: null must be written.
        lacking = [key for key, entries in values.items() if scale not in entries]
        faults += [
            f"{key}.x{scale}: found nothing; allowed: an entry for each of scales"
            for key in lacking
        ]
        budget = budget_fault(study, scale)
        if budget and not {"epochs", "steps"} & set(lacking):
            faults.append(budget)
    return faults
