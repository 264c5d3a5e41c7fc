import copy
import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import parse_yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from srstudy.common import choices
from srstudy.common.errors import InputError
from srstudy.common.params import keys_of, read
from srstudy.common.yaml_file import DEEPEST, LARGEST, load_yaml
from srstudy.degradations.shared.settings import SynthesisSettings
from srstudy.patches.settings import PatchSettings
from srstudy.study.settings import StudySettings, read_study
from srstudy.training.settings import RegularizationSettings, TrainSettings
from tests.described import write_description
from tests.imports import ROOT

Values = dict[str, Any]
COMMITTED: Values = load_yaml(ROOT / "params.yaml")
# The tests of wrong values start from these values, so they do not depend on the committed study.
BASE: Values = {
    **COMMITTED,
    **{"scales": [2, 4], "datasets": ["t91", "set5"], "train_set": "t91", "test_sets": ["set5"]},
    **{"cascade_from": 2, "cascade_scales": [4]},
    **{"patch_size": {"x2": 96, "x4": 96}, "stride": {"x2": 48, "x4": 48}},
    **{"batch_size": {"x2": 8, "x4": 8}, "learning_rate": {"x2": 0.1, "x4": 0.1}},
    **{"epochs": {"x2": 1, "x4": 1}, "steps": {"x2": None, "x4": None}},
    **{"pretrain_epochs": 1, "pretrain_steps": None},
    **{"validation_share": 0.1, "validation_images": None, "validation_list": False},
}
GONE = object()


def _write(path: Path, values: Values) -> Path:
    yaml = YAML(typ="safe")
    yaml.representer.ignore_aliases = lambda _: True
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(values, file)
    return path


def _changed(key: str, value: Any, base: Values = BASE) -> Values:
    """The base with one value changed; the key may be dotted."""
    values = copy.deepcopy(base)
    *outer, last = key.split(".")
    inner = values
    for step in outer:
        inner = inner[step]
    if value is GONE:
        del inner[last]
    else:
        inner[last] = value
    return values


def _refusal(path: Path, key: str) -> str:
    """The message: its every line must start with the file's name, and one name the key."""
    with pytest.raises(InputError) as caught:
        read_study(path)
    lines = str(caught.value).splitlines()
    assert lines and all(line.startswith(f"{path}:") for line in lines)
    assert any(line.startswith(f"{path}: {key}:") for line in lines)
    return str(caught.value)


def test_committed_params_are_valid() -> None:
    study = read_study()
    assert study.scales
    assert set(COMMITTED) == {key.partition(".")[0] for key in keys_of(StudySettings)}


def test_base_of_the_refusals_is_valid(tmp_path: Path) -> None:
    read_study(_write(tmp_path / "params.yaml", BASE))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *[("1e-05", 1e-5), ("1e-3", 1e-3), ("0", 0.0), ("1", 1.0), ("2.5e-1", 0.25)],
        *[("1e+2", 100.0), ("1_0.5", 10.5), ("010", 10.0)],
    ],
)
def test_number_in_any_notation_becomes_a_float(tmp_path: Path, written: str, value: float) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(f"lambda: {written}\n")
    weight = read(RegularizationSettings, path).lambda_
    assert weight == value and type(weight) is float


@pytest.mark.parametrize(
    "value", ["010", "0o10", "0x10", "yes", "on", "true", "~", "1e-5", "1e-05", "1:30", "1_000"]
)
def test_value_is_the_one_that_dvc_records(tmp_path: Path, value: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(f"seed: {value}\n")
    ours, theirs = load_yaml(path), parse_yaml(path.read_text(), path)
    assert ours == theirs and type(ours["seed"]) is type(theirs["seed"])
    assert load_yaml(ROOT / "params.yaml") == parse_yaml(
        (ROOT / "params.yaml").read_text("utf-8"), "params.yaml"
    )


def test_overrides_of_dvc_exp_run_are_read_as_numbers_and_entries(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    shutil.copy(ROOT / "params.yaml", path)
    apply_overrides(path, ["lambda=1e-5", "steps.x2=200", "steps.x8=null", "epochs.x8=9"])
    assert read(RegularizationSettings, path).lambda_ == 1e-5
    study = read_study(path)
    assert (study.steps[2], study.epochs[2], study.epochs[8]) == (200, None, 9)


def test_values_per_scale_have_the_scales_themselves_as_keys(tmp_path: Path) -> None:
    values = {**BASE, "stride": {"x2": 48, "x8": 24}}
    patches = read(PatchSettings, _write(tmp_path / "params.yaml", values))
    assert patches.patch_size == {2: 96, 4: 96} and patches.stride == {2: 48, 8: 24}


def test_slice_reads_only_its_own_keys(tmp_path: Path) -> None:
    path = _write(tmp_path / "params.yaml", {"degradation": "opencv", "lambda": "wrong"})
    assert read(SynthesisSettings, path).degradation == "opencv"
    assert keys_of(SynthesisSettings) == {"degradation"}
    assert keys_of(RegularizationSettings) == {"lambda"}
    assert "lambda" not in keys_of(TrainSettings)


def test_keys_name_the_single_entry_that_a_stage_reads() -> None:
    by_scale = {"epochs", "steps", "batch_size", "learning_rate"}
    entries = {key for key in keys_of(TrainSettings) if "." in key}
    assert entries == {f"{key}.x{{scale}}" for key in by_scale} | {"network_size.{network}"}
    assert keys_of(PatchSettings) == {
        *("patch_size.x{scale}", "stride.x{scale}"),
        *("validation_share", "validation_images", "validation_list"),
    }


def test_training_reads_only_the_entry_of_its_network(tmp_path: Path) -> None:
    values = _changed("network_size", {"edsr": {"blocks": 2}, "unet": 1, "srcnn": {"a": 1}})
    values["network"] = "edsr"
    sizes = read(TrainSettings, _write(tmp_path / "params.yaml", values)).size
    assert sizes["blocks"] == 2 and set(sizes) > {"blocks"}
    values["network"] = "srcnn"
    path = _write(tmp_path / "params.yaml", values)
    with pytest.raises(InputError, match=r"network_size\.srcnn\.a: unknown key"):
        read(TrainSettings, path)


@pytest.mark.parametrize(
    "given",
    [
        {"epochs": {"x2": None, "x4": 1}, "steps": {"x2": 9, "x4": None}},
        {"pretrain_epochs": None, "pretrain_steps": 9},
        {"pretrain_epochs": 0},
        {"validation_share": None, "validation_images": 9},
        {"validation_share": None, "validation_list": True},
    ],
)
def test_budget_may_be_steps_or_epochs(tmp_path: Path, given: Values) -> None:
    study = read_study(_write(tmp_path / "params.yaml", {**BASE, **given}))
    for key, value in given.items():
        by_scale = {int(k[1:]): v for k, v in value.items()} if isinstance(value, dict) else value
        assert getattr(study, key) == by_scale


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, None),
        ({"degradation": "photo"}, None),  # alike: the same interpolation and protocol
        ({"network": "espcn"}, "network: found 'edsr'; allowed: 'espcn'"),
        (
            {"network_size.edsr.blocks": 3},
            r"size: found {.*'blocks': 2.*}; allowed: {.*'blocks': 3",
        ),
        ({"degradation": "opencv"}, "degradation: found 'matlab'; allowed: 'opencv'"),
    ],
)
def test_start_weights_must_fit_the_chosen_network(
    tmp_path: Path, change: Values, fault: str | None
) -> None:
    values = {**BASE, "network": "edsr", "start_from": str(tmp_path / "before.weights.h5")}
    values["network_size"] = {**values["network_size"], "edsr": {"blocks": 2}}
    write_description(Path(values["start_from"]), "edsr", {"blocks": 2}, scale=8)
    for key, value in change.items():
        values = _changed(key, value, values)
    path = _write(tmp_path / "params.yaml", values)
    if fault is None:
        assert read_study(path).start == Path(values["start_from"])
        return
    with pytest.raises(InputError, match=f"start_from: .*before.weights.h5: {fault}"):
        read_study(path)


def test_error_has_one_line_per_fault(tmp_path: Path) -> None:
    path = _write(
        tmp_path / "params.yaml", {**BASE, "lambda": -1, "seed": "x", "epochs": {"x2": 0, "x4": 1}}
    )
    for key in ("lambda", "seed", "epochs.x2"):
        assert len(_refusal(path, key).splitlines()) == 3


WRONG: list[tuple[str, Any, str]] = [
    # Missing and unknown keys.
    ("lambda", GONE, "lambda: found nothing; allowed: a number of at least 0"),
    ("network_size", GONE, "network_size: found nothing"),
    ("steps", GONE, "steps: found nothing; allowed: a mapping with keys x2, x3, x4, x8, as in {"),
    ("pretrain_steps", GONE, "pretrain_steps: found nothing; allowed: a whole number from 1 to"),
    ("mnist.seeds", GONE, "mnist.seeds: found nothing; allowed: a list of whole numbers"),
    ("mnist.seed", 1, "mnist.seed: is now mnist.seeds, a list"),
    ("lamda", 5, "lamda: unknown key; did you mean 'lambda'?"),
    ("network_size.edsr.chanels", 8, "did you mean 'channels'?"),
    ("mnist.step", 1, "mnist.step: unknown key; did you mean 'steps'?"),
    ("zzz", 1, "zzz: unknown key; known: "),
    # Values of the wrong type.
    ("lambda", "big", "found 'big'; allowed: a number of at least 0 and at most 1000"),
    ("lambda", [0.1, 0.2], "found [0.1, 0.2]; allowed: a number"),
    ("lambda", None, "found null"),
    ("lambda", True, "found true"),
    ("lambda", "1e-3", "found '1e-3'"),
    ("learning_rate", False, "found false"),
    ("ema", {"a": 1}, "found {'a': 1}"),
    ("seed", True, "found true; allowed: a whole number"),
    ("seed", 1.0, "found 1.0"),
    ("epochs.x2", True, "found true"),
    ("epochs.x2", 2.5, "found 2.5; allowed: a whole number from 1 to 100000, or null"),
    ("batch_size.x2", "16", "found '16'; allowed: a whole number from 1 to 100000"),
    ("batch_size.x2", None, "found null; allowed: a whole number from 1 to 100000"),
    ("flips_and_rotations", 1, "found 1; allowed: true or false"),
    ("flips_and_rotations", "yes", "found 'yes'"),
    ("scales", 2, "found 2; allowed: a list out of [2, 3, 4, 8]"),
    ("datasets", "t91", "found 't91'; allowed: a list of names"),
    ("own_images", [], "found []; allowed: a mapping"),
    ("network_size", 64, "found 64"),
    ("network_size.edsr", 64, "found 64; allowed: a mapping of channels, blocks, equivariant"),
    ("network_size.edsr", None, "found null; allowed: a mapping of channels, blocks"),
    ("network_size.edsr.channels", "48", "found '48'; allowed: a whole number from 1 to 512"),
    ("degradation", ["matlab"], "found ['matlab']; allowed: matlab, opencv"),
    # Values out of range.
    ("lambda", -0.001, "found -0.001"),
    ("lambda", 1001, "found 1001"),
    ("lambda", 10**400, "lambda: found 1000"),
    ("lambda", math.nan, "found nan"),
    ("lambda", math.inf, "found inf"),
    ("lambda", "nan", "found 'nan'"),
    ("learning_rate.x2", 0, "found 0; allowed: a number above 0 and at most 1"),
    ("learning_rate.x4", math.nan, "found nan"),
    ("warmup_share", 0.6, "found 0.6"),
    ("final_rate_share", 1.1, "found 1.1; allowed: a number of at least 0 and at most 1"),
    ("final_rate_share", -0.1, "found -0.1"),
    ("gradient_clip", math.inf, "found inf"),
    ("ema", 1.0, "found 1.0"),
    ("validation_share", 0, "found 0"),
    ("validation_images", 0, "found 0; allowed: a whole number from 1 to 1000000, or null"),
    ("epochs.x2", 0, "found 0"),
    ("steps.x2", 10_000_001, "found 10000001; allowed: a whole number from 1 to 10000000"),
    ("pretrain_steps", 0, "found 0; allowed: a whole number from 1 to 10000000, or null"),
    ("pretrain_epochs", -1, "found -1; allowed: a whole number from 0 to 100000"),
    ("pretrain_epochs", {"x2": 9}, "found {'x2': 9}"),
    ("loss", "l1", "found 'l1'; allowed: charbonnier, mse"),
    ("optimizer", "sgd", "found 'sgd'; allowed: muon or adam"),
    ("batch_size.x4", -1, "found -1"),
    ("seed", -1, "found -1"),
    ("seed", 2**31, "found 2147483648"),
    ("network", "unet", "found 'unet'; allowed: edsr, espcn, fsrcnn, progressive, sesr, srcnn"),
    ("network", "../edsr", "found '../edsr'; allowed: edsr, espcn"),
    ("network", "shared", "found 'shared'; allowed: edsr, espcn"),
    ("network_size.srcnn.middle_kernel", 2, "found 2; allowed: 1, 3 or 5"),
    ("network_size.edsr.channels", 0, "found 0; allowed: a whole number from 1 to 512"),
    ("network_size.edsr.equivariant", 1, "found 1; allowed: true or false"),
    ("precision", "float16", "found 'float16'; allowed: auto, bfloat16 or float32"),
    ("degradation", "bicubic", "found 'bicubic'"),
    # Lists and mappings.
    ("scales", [], "found []"),
    ("scales", [5], "found [5]; allowed: a list out of [2, 3, 4, 8]"),
    ("scales", [2, True], "found [2, True]"),
    ("scales", [2, 4, 2], "found 2 more than once"),
    ("test_sets", [], "found []"),
    ("test_sets", ["set5", "set5"], "found set5 more than once"),
    ("downscaled_copies", [0.9, 0.9], "found 0.9 more than once"),
    ("downscaled_copies", [1.0], "found [1.0]; allowed: a list of factors above 0 and below 1"),
    ("downscaled_copies", ["small"], "found ['small']"),
    ("patch_size.x2", 95, "found 95; allowed: a multiple of 2"),
    ("stride.x4", 50, "found 50; allowed: a multiple of 4"),
    ("patch_size.x4", 12, "found 12; allowed: from 16 (4 LR pixels) to 4096"),
    ("patch_size.x4", 4100, "found 4100; allowed: from 16"),
    # Per scale.
    ("patch_size.x4", GONE, "found nothing; allowed: an entry for each of scales"),
    ("epochs.x2", GONE, "found nothing; allowed: an entry for each of scales"),
    ("steps.x2", GONE, "found nothing; allowed: an entry for each of scales"),
    ("learning_rate.x4", GONE, "found nothing; allowed: an entry for each of scales"),
    ("epochs", 3, "found 3; allowed: a mapping with keys x2, x3, x4, x8, as in {x2: 2, x4: "),
    ("epochs", None, "found null; allowed: a mapping with keys x2, x3, x4, x8"),
    ("learning_rate", 0.002, "found 0.002; allowed: a mapping with keys x2, x3, x4, x8"),
    ("epochs.2", 1, "epochs.2: is now epochs.x2"),
    ("stride.x5", 1, "stride.x5: unknown key; known: x2, x3, x4, x8"),
    ("stride.all", 1, "stride.all: unknown key; known: x2, x3, x4, x8"),
    # Budgets: one of two.
    ("epochs.x2, steps.x2", {"steps.x2": 9}, "found both, 1 and 9; allowed: one of the two"),
    ("epochs.x4, steps.x4", {"epochs.x4": None}, "found neither; allowed: one of the two"),
    ("pretrain_epochs, pretrain_steps", {"pretrain_steps": 9}, "found both, 1 and 9"),
    ("pretrain_epochs, pretrain_steps", {"pretrain_epochs": None}, "found neither"),
    ("start_from", "", "found ''; allowed: weights/fresh, or a file of weights"),
    ("start_from", "none.weights.h5", "found 'none.weights.h5'; allowed: a file that exists"),
    ("start_from", "weights", "found 'weights'; allowed: a file that exists"),
    ("start_from", "weights/x2-plain.onnx", "allowed: a file whose name ends with .weights.h5"),
    ("start_from", "models/x2-plain.weights.h5", "but this study writes models/; allowed: a copy"),
    (
        "validation_share, validation_images, validation_list",
        {"validation_images": 9},
        "found validation_share 0.1 and validation_images 9; allowed: one of the three, with null",
    ),
    (
        "validation_share, validation_images, validation_list",
        {"validation_list": True},
        "found validation_share 0.1 and validation_list true; allowed: one of the three",
    ),
    (
        "validation_share, validation_images, validation_list",
        {"validation_share": None},
        "found none of them; allowed: one of the three",
    ),
    ("cascade_from", 8, "found 8, which is not among scales; allowed: one of [2, 4], or []"),
    ("cascade_scales", [8], "found [8]; allowed: scales that x2, applied again, reaches"),
    (
        "cascade_scales",
        [2],
        "found [2]; allowed: scales that x2, applied again, reaches: [4]",
    ),
    ("self_ensemble", True, "found true; allowed: a list out of [plain, regularized], each once"),
    ("self_ensemble", ["both"], "found ['both']; allowed: a list out of [plain, regularized]"),
    ("self_ensemble", ["plain", "plain"], "found plain more than once"),
    ("mnist.seeds", [1, 2, 1], "mnist.seeds: found 1 more than once"),
    ("mnist.seeds", [-1], "mnist.seeds: found [-1]; allowed: a list of whole numbers"),
    ("mnist.seeds", 1, "mnist.seeds: found 1; allowed: a list of whole numbers"),
    ("datasets", ["t91", "set5", "mnist"], "found 'mnist', which mnist.seeds now downloads"),
    ("own_images.mnist", "/", "own_images.mnist: the name of a known dataset"),
    ("own_images.mine", "$HOME", "own_images.mine: found '$HOME'; allowed: a path without"),
    ("own_images.mine", "a`b", "own_images.mine: found 'a`b'; allowed: a path without"),
    ("cascade_from", 5, "found 5; allowed: one of scales"),
    ("cascade_scales", [4, 4], "found 4 more than once"),
    ("cascade_scales", [16], "found [16]"),
    ("mnist.steps", 0, "mnist.steps: found 0; allowed: a whole number from 1"),
    ("mnist.dropout", 1.0, "mnist.dropout: found 1.0"),
    # Names.
    ("datasets", ["t91", "set5", "set15"], "found 'set15'; allowed: "),
    ("datasets", ["t91", "set5", "../x"], "allowed: a list of names"),
    ("test_sets", ["set14"], "found 'set14'; allowed: a name in datasets or own_images"),
    ("train_set", "mine", "found 'mine'; allowed: a name in datasets or own_images (t91, set5)"),
]


@pytest.mark.parametrize(
    ("key", "value", "fragment"), WRONG, ids=[f"{i}-{w[0]}" for i, w in enumerate(WRONG)]
)
def test_wrong_value_is_refused_and_its_key_is_named(
    tmp_path: Path, key: str, value: Any, fragment: str
) -> None:
    values = BASE
    for changed, to in value.items() if ", " in key else [(key, value)]:
        values = _changed(changed, to, values)
    assert fragment in _refusal(_write(tmp_path / "params.yaml", values), key)


def test_cascade_of_a_scale_outside_the_study_is_refused_with_a_hint(tmp_path: Path) -> None:
    path = _write(tmp_path / "params.yaml", {**BASE, "scales": [2]})
    line = _refusal(path, "cascade_scales")
    assert (
        "found [4]; allowed: [], because x2, applied again, reaches no other scale of the study"
        in line
    )
    read_study(
        _write(path, {**BASE, "scales": [4], "cascade_scales": []})
    )  # cascade_from is unused


@pytest.mark.parametrize(
    ("folders", "key", "fragment"),
    [
        ({"mine": "no/such/folder"}, "own_images.mine", "allowed: a folder that exists"),
        ({"mine": "params.yaml"}, "own_images.mine", "allowed: a folder that exists"),
        ({"mine": "x" * 5000}, "own_images.mine", "allowed: a folder that exists"),
        ({"set14": "data"}, "own_images.set14", "the name of a known dataset"),
        ({"mine": 5}, "own_images.mine", "found 5"),
        ({"a/b": "data"}, "own_images.a/b", "allowed: a mapping from names to folders"),
    ],
)
def test_wrong_own_images_are_refused(
    tmp_path: Path, folders: dict, key: str, fragment: str
) -> None:
    path = _write(tmp_path / "params.yaml", {**BASE, "own_images": folders})
    assert fragment in _refusal(path, key)


@pytest.mark.parametrize("link", [False, True])
def test_start_weights_must_not_be_made_by_this_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link: bool
) -> None:
    # Also if the files exist already: DVC would call this a cycle, or not notice it.
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "models/pretrained.weights.h5"
    made.parent.mkdir()
    network, size = BASE["network"], BASE["network_size"][BASE["network"]]
    write_description(made, network, size)
    start = tmp_path / "link.weights.h5" if link else made
    if link:
        start.symlink_to(made)
    path = _write(tmp_path / "params.yaml", {**BASE, "start_from": str(start)})
    assert "but this study writes models/; allowed: a copy elsewhere" in _refusal(
        path, "start_from"
    )


@pytest.mark.parametrize(
    ("folder", "fragment"),
    [
        ("photos/mine", "which is not in this temporary copy of the project: DVC copies what git"),
        ("photos/mine", "allowed: an absolute path, or a folder in git"),
        ("/no/such/folder", "found '/no/such/folder'; allowed: a folder that exists"),
    ],
)
def test_error_says_that_missing_own_images_are_outside_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, fragment: str
) -> None:
    path = _write(tmp_path / "params.yaml", {**BASE, "own_images": {"mine": folder}})
    (tmp_path / ".dvc/tmp/exps/tmp1").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / ".dvc/tmp/exps/tmp1")
    assert fragment in _refusal(path, "own_images.mine")


def test_error_says_that_missing_start_weights_are_outside_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _write(tmp_path / "params.yaml", {**BASE, "start_from": "before.weights.h5"})
    (tmp_path / ".dvc/tmp/exps/tmp1").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / ".dvc/tmp/exps/tmp1")
    said = _refusal(path, "start_from")
    assert "not in this temporary copy" in said and "or a file in git" in said


def test_own_images_may_be_trained_and_tested_on(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    mine = {"own_images": {"mine": str(tmp_path / "photos")}}
    values = {**BASE, **mine, "train_set": "mine", "test_sets": ["mine", "set5"]}
    assert read_study(_write(tmp_path / "params.yaml", values)).train_set == "mine"


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("lambda: 1\nseed: 2\nlambda: 3\n", " line 3: is not valid YAML: found duplicate key"),
        ("network_size:\n  edsr: {blocks: 1, blocks: 2}\n", 'duplicate key "blocks"'),
        ("a: 1\nlambda: !!python/object/apply:os.getcwd []\n", " line 2: tags (here "),
        ("lambda: !!set {a}\n", " line 1: tags (here "),
        ("lambda: !mine 3\n", " line 1: tags (here '!mine')"),
        ('lambda: !!int ""\n', " line 1: tags (here "),
        ("lambda: [1\n", " line 2: is not valid YAML"),
        ("\tlambda: 1\n", " line 1: is not valid YAML"),
        ("lambda: 1\n---\nlambda: 2\n", "is not valid YAML: but found another document"),
        ("? [a, b]\n: 1\n", "a key must be a name or a number"),
        ("? {a: 1}\n: 1\n", "is not valid YAML: found unhashable key"),
        ("network_size: {true: 1}\n", "found True as a key; a key must be a name or a number"),
        ("a: [{1.5: 1}]\n", "found 1.5 as a key"),
        ("- scales\n- lambda\n", "found list; allowed: keys with values"),
        ("just words\n", "found str"),
        ("", "found NoneType"),
        ("lambda: " + "[" * 5000, " line 1: found too many levels of nested values; allowed"),
        ("lambda:\n" + "".join(f"{' ' * n}a:\n" for n in range(1, DEEPEST + 1)), "nested values"),
        ("#" * (LARGEST + 1), f"found over {LARGEST} bytes"),
        ("lambda: &a 1\nseed: *a\n", "anchors and aliases (here 'a') are not allowed"),
        ("lambda: &a [*a]\n", "anchors and aliases"),
        ("lambda: *a\n", "anchors and aliases"),
        ("<<: {lambda: 1}\n", " line 1: merged keys ('<<') are not allowed"),
        ("lambda: " + "1" * 5000, "is not valid YAML: Exceeds the limit"),
        ("lambda: 2026-13-45\n", "is not valid YAML: month must be in 1..12"),
        ("lambda: \x07\n", "is not valid YAML: unacceptable character"),
    ],
)
def test_file_without_a_mapping_of_keys_is_refused(
    tmp_path: Path, text: str, fragment: str
) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_study(path)
    assert fragment in str(caught.value)
    assert all(line.startswith(f"{path}:") for line in str(caught.value).splitlines())


@pytest.mark.parametrize(
    ("key", "value", "fragment"),
    [
        ("two\nlines", 1, "'two\\nlines': unknown key; known: "),
        ("epochs", {"two\nlines": 1}, "epochs.'two\\nlines': unknown key; known: x2, "),
        ("network_size", {"two\nlines": {}}, "network_size.'two\\nlines': there is no file"),
        ("network_size", {2: {}}, "network_size.2: found {}; allowed: a mapping with one entry"),
        ("network_size.edsr", {"two\nlines": 1}, "network_size.edsr.'two\\nlines': unknown key"),
        ("network_size.edsr", {2: 1}, "network_size.edsr.2: unknown key"),
    ],
)
def test_error_about_a_key_with_odd_characters_is_one_line(
    tmp_path: Path, key: str, value: Any, fragment: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_study(_write(tmp_path / "params.yaml", _changed(key, value)))
    lines = str(caught.value).splitlines()
    assert sum(f"params.yaml: {fragment}" in line for line in lines) == 1
    assert all(line.startswith(f"{tmp_path}/params.yaml: ") for line in lines)


@pytest.mark.parametrize("old", [2, 4, 8])
def test_error_names_the_new_form_of_an_old_scale_key(tmp_path: Path, old: int) -> None:
    values = {**BASE, "epochs": {old: 1}, "steps": {str(old): 1}}
    message = _refusal(_write(tmp_path / "params.yaml", values), f"epochs.{old}")
    assert [line.partition(": ")[2] for line in message.splitlines()] == [
        f"epochs.{old}: is now epochs.x{old}",
        f"steps.{old}: is now steps.x{old}",
    ]


def test_error_names_the_new_name_of_an_old_key(tmp_path: Path) -> None:
    values = {**BASE, "copies": [0.9]}
    del values["downscaled_copies"]
    path = _write(tmp_path / "params.yaml", values)
    assert _refusal(path, "copies") == f"{path}: copies: is now downscaled_copies"


Library = Callable[[dict[str, str]], None]


@pytest.fixture
def with_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """Puts files among those that can be chosen, in a copy of the rooms under another name."""

    def put(files: dict[str, str]) -> None:
        library = tmp_path / f"library_of_{tmp_path.name}"
        for room in ("networks", "degradations", "losses"):
            shutil.copytree(
                ROOT / "srstudy" / room,
                library / room,
                ignore=shutil.ignore_patterns("shared", "__pycache__"),
            )
        for name, text in files.items():
            (library / name).write_text(text, "utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(choices, "LIBRARY", library)

    return put


NETWORK = "SOURCE = ''\nBFLOAT16 = True\nSIZES = {}\ndef network(scale, interpolation): ...\n"


def test_missing_network_entry_is_refused_with_the_line_to_add(
    tmp_path: Path, with_files: Library
) -> None:
    with_files({"networks/imdn.py": NETWORK})
    path = _write(tmp_path / "params.yaml", BASE)
    line = f"{path}: network_size: has no entry for 'imdn'; add the line \"  imdn: {{}}\""
    assert _refusal(path, "network_size") == line
    added = path.read_text("utf-8").replace("network_size:\n", "network_size:\n  imdn: {}\n")
    path.write_text(added, "utf-8")
    read_study(path)


def test_entry_of_an_unknown_network_is_refused_with_the_allowed_names(tmp_path: Path) -> None:
    path = _write(tmp_path / "params.yaml", _changed("network_size.unet", {}))
    message = _refusal(path, "network_size.unet")
    assert "no file srstudy/networks/unet.py; allowed: edsr, espcn, fsrcnn, progressive" in message


@pytest.mark.parametrize(
    ("name", "text", "chosen", "fragment"),
    [
        ("networks/x.py", "SIZES = {}", {}, "network_size.x: "),
        ("networks/x.py", "SIZES = {", {}, "x.py line 1: cannot be imported: SyntaxError: "),
        ("networks/x.py", NETWORK + "\n1 / 0", {}, "x.py line 6: cannot be imported: ZeroDiv"),
        ("networks/x.py", "import no_such", {}, "x.py line 1: cannot be imported: ModuleNot"),
        ("degradations/x.py", "", {"degradation": "x"}, "degradation: "),
        ("degradations/x.py", "PROTOCOL = 1", {"degradation": "x"}, "has no DESCRIPTION and no IN"),
    ],
)
def test_incomplete_chosen_file_is_refused_in_one_line(
    tmp_path: Path, with_files: Library, name: str, text: str, chosen: Values, fragment: str
) -> None:
    with_files({name: text})
    values = {**_changed("network_size.x", {}), **chosen}
    if name.startswith("degradations"):
        values = {**BASE, **chosen}
    with pytest.raises(InputError) as caught:
        read_study(_write(tmp_path / "params.yaml", values))
    assert fragment in str(caught.value) and name in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_unchosen_degradation_is_not_imported(tmp_path: Path, with_files: Library) -> None:
    with_files({"degradations/x.py": "1 / 0"})
    read_study(_write(tmp_path / "params.yaml", BASE))


def test_check_does_not_start_tensorflow() -> None:
    code = (
        "import sys, time; from srstudy.study.settings import read_study; read_study();"
        "print(time.process_time(), 'keras' in sys.modules, 'tensorflow' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    seconds, *started = output.split()
    assert started == ["False", "False"] and float(seconds) < 2


def test_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    binary = tmp_path / "params.yaml"
    binary.write_bytes(b"\xff\xfe\x00\x81")
    for path in (binary, tmp_path / "missing.yaml"):
        with pytest.raises(InputError, match=r"missing\.yaml: cannot|params\.yaml: is not valid"):
            read_study(path)


@pytest.fixture(scope="module")
def study_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Any], None]:
    """Reads the base with one value changed: it is valid, or refused in lines."""
    path = tmp_path_factory.mktemp("any") / "params.yaml"
    base = {key: _write(path, {key: value}).read_text("utf-8") for key, value in BASE.items()}

    def read_values(key: str, value: Any) -> None:
        changed = _write(path, {key: value}).read_text("utf-8")
        path.write_text("".join({**base, key: changed}.values()), "utf-8")
        try:
            read_study(path)
        except InputError as error:
            lines = str(error).splitlines()
            assert lines and all(line.startswith(f"{path}: ") for line in lines)

    return read_values


JSON_LIKE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([2, 3, 4, 8, 96, "t91", "set5", "1e-3", "x2", "edsr", "blocks"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=6)
            | st.integers(0, 9)
            | st.sampled_from(["x2", "x4", "edsr", "blocks"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "lambda",
                "seed",
                ": ",
                "- ",
                "\n",
                "  ",
                "!!",
                "int ",
                "float ",
                "bool ",
                "set ",
                "{",
                "}",
            ]
            + [
                "[",
                "]",
                "&a ",
                "*a ",
                "<<",
                '"',
                "'",
                "1",
                ".nan",
                "2026-01-01",
                "? ",
                ", ",
                "|",
                "#",
            ]
        ),
        max_size=12,
    )
)
def test_any_text_is_accepted_or_refused(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "text.yaml"
    path.write_text("".join(parts), encoding="utf-8")
    try:
        assert isinstance(load_yaml(path), dict)
    except InputError as error:
        assert str(error).startswith(f"{path}:") and "\n" not in str(error)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(key=st.sampled_from(sorted(BASE)), value=JSON_LIKE)
@example(key="two\nlines", value=1)
@example(key="seed", value="two\nlines")
@example(key="patch_size", value={"x2": {4: 96}, "x4": [1]})
@example(key="epochs", value={"two\nlines": 1, 2: 2})
@example(key="network_size", value={"two\nlines": {}, 2: {}, "edsr": {"two\nlines": 1}})
def test_any_value_is_accepted_or_refused_by_its_key(
    study_with: Callable[[str, Any], None], key: str, value: Any
) -> None:
    study_with(key, value)


def test_dvc_writes_a_changed_list_below_its_comment(tmp_path: Path) -> None:
    lists = {
        **{"scales": "[2]", "cascade_scales": "[4]", "self_ensemble": "[plain]"},
        **{"datasets": "[set5]", "test_sets": "[set5]", "downscaled_copies": "[0.5]"},
    }
    path = tmp_path / "params.yaml"
    shutil.copy(ROOT / "params.yaml", path)
    apply_overrides(path, [f"{key}={value}" for key, value in lists.items()])
    lines = path.read_text("utf-8").splitlines()
    for key in lists:
        at = next(i for i, line in enumerate(lines) if line.startswith(f"{key}:"))
        assert lines[at + 1].startswith("- "), key
