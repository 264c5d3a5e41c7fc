import copy
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stages.core.errors import InputError
from stages.core.settings.cascade import CascadeSettings, cascade_steps
from stages.core.settings.data import PatchSettings, SynthesisSettings
from stages.core.settings.reader import keys_of, load_yaml, read
from stages.core.settings.study import StudySettings, read_study
from stages.core.settings.training import RegularizationSettings, TrainSettings
from tests.imports import ROOT

Values = dict[str, Any]
COMMITTED: Values = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
# The refusals below start from these, whatever the committed study is.
SCALES = {"scales": [2, 4], "datasets": ["t91", "set5"], "train_set": "t91", "test_sets": ["set5"]}
CASCADE = {"cascade_from": 2, "cascade_scales": [4]}
BASE: Values = {**COMMITTED, **SCALES, **CASCADE, "patch_size": 96, "stride": 48}
GONE = object()


def _write(path: Path, values: Values) -> Path:
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def _changed(key: str, value: Any) -> Values:
    """The base with one value changed; the key may be dotted."""
    values = copy.deepcopy(BASE)
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
    assert study.scales and set(COMMITTED) == keys_of(StudySettings)


def test_base_of_the_refusals_is_valid(tmp_path: Path) -> None:
    read_study(_write(tmp_path / "params.yaml", BASE))


@pytest.mark.parametrize(
    ("written", "value"),
    [("1e-05", 1e-5), ("1e-3", 1e-3), ("0", 0.0), ("1", 1.0), ("2.5e-1", 0.25), ("1e+2", 100.0)],
)
def test_number_in_any_notation_becomes_a_float(tmp_path: Path, written: str, value: float) -> None:
    # PyYAML reads 1e-05, which `dvc exp run -S lambda=1e-5` writes, as a string.
    path = tmp_path / "params.yaml"
    path.write_text(f"lambda: {written}\n")
    weight = read(RegularizationSettings, path).lambda_
    assert weight == value and type(weight) is float


def test_one_value_stands_for_every_scale_and_a_mapping_for_its_own(tmp_path: Path) -> None:
    values = {**BASE, "patch_size": 96, "stride": {2: 48, 4: 24}}
    patches = read(PatchSettings, _write(tmp_path / "params.yaml", values))
    assert (patches.patch_size[2], patches.patch_size[8]) == (96, 96)
    assert patches.stride == {2: 48, 4: 24}


def test_slice_reads_its_own_keys_alone(tmp_path: Path) -> None:
    path = _write(tmp_path / "params.yaml", {"degradation": "opencv", "lambda": "wrong"})
    assert read(SynthesisSettings, path).degradation == "opencv"
    assert keys_of(SynthesisSettings) == {"degradation"}
    assert keys_of(RegularizationSettings) == {"lambda"}
    assert "lambda" not in keys_of(TrainSettings)


def test_every_fault_has_its_line(tmp_path: Path) -> None:
    path = _write(tmp_path / "params.yaml", {**BASE, "lambda": -1, "seed": "x", "epochs": 0})
    for key in ("lambda", "seed", "epochs"):
        assert len(_refusal(path, key).splitlines()) == 3


EDSR = {"channels": 8, "blocks": 1, "equivariant": True}
WRONG: list[tuple[str, Any, str]] = [
    # A key that is missing, or that nobody knows.
    ("lambda", GONE, "lambda: found nothing; allowed: a number of at least 0"),
    ("network_size", GONE, "network_size: found nothing"),
    ("network_size.edsr", GONE, "network_size.edsr: found nothing; allowed: {channels, blocks, "),
    ("network_size.edsr.blocks", GONE, "network_size.edsr.blocks: found nothing"),
    ("lamda", 5, "lamda: unknown key; did you mean 'lambda'?"),
    ("network_size.edsr.chanels", 8, "did you mean 'channels'?"),
    ("network_size.unet", {}, "network_size.unet: unknown key"),
    ("zzz", 1, "zzz: unknown key; known: "),
    # A value of the wrong type.
    ("lambda", "big", "found 'big'; allowed: a number of at least 0 and at most 1000"),
    ("lambda", [0.1, 0.2], "found [0.1, 0.2]; allowed: a number"),
    ("lambda", None, "found None"),
    ("lambda", True, "found True"),
    ("learning_rate", False, "found False"),
    ("ema", {"a": 1}, "found {'a': 1}"),
    ("learning_rate", 2, "found 2; allowed: a number above 0 and at most 1, or one for"),
    ("learning_rate", {2: 0.1}, "learning_rate: found no entry for scale 4"),
    ("seed", True, "found True; allowed: a whole number"),
    ("seed", 1.0, "found 1.0"),
    ("epochs", True, "found True"),
    ("epochs", 2.5, "found 2.5"),
    ("batch_size", "16", "found '16'"),
    ("flips_and_rotations", 1, "found 1; allowed: true or false"),
    ("flips_and_rotations", "yes", "found 'yes'"),
    ("scales", 2, "found 2; allowed: a list out of [2, 3, 4, 8]"),
    ("datasets", "t91", "found 't91'; allowed: a list of names"),
    ("own_images", [], "found []; allowed: a mapping"),
    ("network_size", 64, "found 64"),
    (
        "network_size.edsr.channels",
        "48",
        "network_size.edsr.channels: found '48'; allowed: a whole",
    ),
    ("degradation", ["matlab"], "found ['matlab']; allowed: 'matlab' or 'opencv'"),
    # A value out of its range.
    ("lambda", -0.001, "found -0.001"),
    ("lambda", 1001, "found 1001"),
    ("lambda", 10**400, "lambda: found 1000"),
    ("lambda", math.nan, "found nan"),
    ("lambda", math.inf, "found inf"),
    ("lambda", "nan", "found 'nan'"),
    ("learning_rate", 0, "found 0; allowed: a number above 0 and at most 1"),
    ("learning_rate", "1e1", "found '1e1'"),
    ("learning_rate", math.nan, "found nan"),
    ("warmup_share", 0.6, "found 0.6"),
    ("final_rate_share", 1.1, "found 1.1; allowed: a number of at least 0 and at most 1"),
    ("final_rate_share", -0.1, "found -0.1"),
    ("gradient_clip", math.inf, "found inf"),
    ("ema", 1.0, "found 1.0"),
    ("validation_share", 0, "found 0"),
    ("epochs", 0, "found 0"),
    ("pretrain_epochs", -1, "found -1; allowed: a whole number from 0 to 100000"),
    ("pretrain_epochs", {2: 9}, "found {2: 9}"),
    ("loss", "l1", "found 'l1'; allowed: mse or charbonnier"),
    ("optimizer", "sgd", "found 'sgd'; allowed: muon or adam"),
    ("batch_size", -1, "found -1"),
    ("seed", -1, "found -1"),
    ("seed", 2**31, "found 2147483648"),
    ("network", "unet", "found 'unet'; allowed: srcnn, fsrcnn, espcn, vdsr, edsr or prog"),
    ("network_size.srcnn.middle_kernel", 2, "found 2; allowed: 1, 3 or 5"),
    ("network_size.edsr.channels", 0, "found 0; allowed: a whole number from 1 to 512"),
    ("network_size.edsr.equivariant", 1, "found 1; allowed: true or false"),
    ("network_size.edsr", {**EDSR, "channels": 12}, "channels a multiple of 8 where equivariant"),
    ("precision", "float16", "found 'float16'; allowed: auto, bfloat16 or float32"),
    ("degradation", "bicubic", "found 'bicubic'"),
    # Lists and mappings.
    ("scales", [], "found []"),
    ("scales", [5], "found [5]; allowed: a list out of [2, 3, 4, 8]"),
    ("scales", [2, True], "found [2, True]"),
    ("scales", [2, 4, 2], "found 2 more than once"),
    ("test_sets", [], "found []"),
    ("test_sets", ["set5", "set5"], "found set5 more than once"),
    ("copies", [0.9, 0.9], "found 0.9 more than once"),
    ("copies", [1.0], "found [1.0]; allowed: a list of factors above 0 and below 1"),
    ("copies", ["small"], "found ['small']"),
    ("patch_size", 95, "found 95 for scale 2; allowed: a multiple of 2"),
    ("stride", {2: 48, 4: 50}, "found 50 for scale 4; allowed: a multiple of 4"),
    ("patch_size", {2: 96}, "found no entry for scale 4"),
    ("epochs", {4: 5}, "found no entry for scale 2"),
    ("patch_size", 12, "found 12 for scale 4; allowed: from 16"),
    ("cascade_from", 8, "found 8, which is not among scales"),
    ("cascade_from", 5, "found 5; allowed: one of scales"),
    ("cascade_scales", [4, 4], "found 4 more than once"),
    ("cascade_scales", [16], "found [16]"),
    ("mnist.steps", 0, "mnist.steps: found 0; allowed: a whole number from 1"),
    ("mnist.dropout", 1.0, "mnist.dropout: found 1.0"),
    # Names.
    ("datasets", ["t91", "set5", "set15"], "found 'set15'; allowed: t91, set5, set14"),
    ("datasets", ["t91", "set5", "../x"], "allowed: a list of names"),
    ("test_sets", ["set14"], "found 'set14'; allowed: a name in datasets or own_images"),
    ("train_set", "mine", "found 'mine'; allowed: a name in datasets or own_images (t91, set5)"),
]


@pytest.mark.parametrize(
    ("key", "value", "fragment"), WRONG, ids=[f"{i}-{w[0]}" for i, w in enumerate(WRONG)]
)
def test_wrong_value_is_refused_with_its_key(
    tmp_path: Path, key: str, value: Any, fragment: str
) -> None:
    path = _write(tmp_path / "params.yaml", _changed(key, value))
    assert fragment in _refusal(path, key)


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


def test_own_images_may_be_trained_and_tested_on(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    mine = {"own_images": {"mine": str(tmp_path / "photos")}}
    values = {**BASE, **mine, "train_set": "mine", "test_sets": ["mine", "set5"]}
    assert read_study(_write(tmp_path / "params.yaml", values)).train_set == "mine"


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        (
            "lambda: 1\nseed: 2\nlambda: 3\n",
            " line 3: is no valid YAML: key 'lambda' is given twice",
        ),
        ("network_size:\n  edsr: {blocks: 1, blocks: 2}\n", "key 'blocks' is given twice"),
        ("lambda: !!python/object/apply:os.getcwd []\n", "is no valid YAML"),
        ("lambda: [1\n", "is no valid YAML"),
        ("\tlambda: 1\n", "is no valid YAML"),
        ("? [a, b]\n: 1\n", "a key must be a name or a number"),
        ("- scales\n- lambda\n", "found list; allowed: keys with values"),
        ("just words\n", "found str"),
        ("", "found NoneType"),
        ("lambda: " + "[" * 5000, "is no valid YAML"),
        ("lambda: &a 1\nseed: *a\n", "anchors and aliases (here 'a') are not allowed"),
        ("lambda: &a [*a]\n", "anchors and aliases"),
        ('lambda: !!int ""\n', "is no valid YAML"),
        ("lambda: !!bool maybe\n", "is no valid YAML"),
        ("lambda: !!timestamp x\n", "is no valid YAML"),
    ],
)
def test_file_that_is_no_mapping_of_keys_is_refused(
    tmp_path: Path, text: str, fragment: str
) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_study(path)
    assert fragment in str(caught.value)
    assert all(line.startswith(f"{path}:") for line in str(caught.value).splitlines())


@pytest.mark.parametrize(
    ("start", "scale", "steps"),
    # 2 twice is 4, three times 8; 3 never reaches 4; a single step is no cascade.
    [(2, 4, 2), (2, 8, 3), (3, 4, 0), (4, 4, 0), (4, 8, 0), (2, 3, 0)],
)
def test_cascade_applies_the_network_until_the_scale_is_reached(
    start: int, scale: int, steps: int
) -> None:
    settings = CascadeSettings(cascade_from=start, cascade_scales=[3, 4, 8])
    assert cascade_steps(settings, scale) == steps
    assert cascade_steps(CascadeSettings(cascade_from=start, cascade_scales=[]), scale) == 0


def test_file_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    binary = tmp_path / "params.yaml"
    binary.write_bytes(b"\xff\xfe\x00\x81")
    for path in (binary, tmp_path / "missing.yaml"):
        with pytest.raises(InputError, match=r"missing\.yaml: cannot|params\.yaml: is no valid"):
            read_study(path)


@pytest.fixture(scope="module")
def study_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Values], None]:
    path = tmp_path_factory.mktemp("any") / "params.yaml"

    def read_values(values: Values) -> None:
        try:
            read_study(_write(path, values))
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
    | st.sampled_from([2, 3, 4, 8, 96, "t91", "set5", "1e-3"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=6) | st.integers(0, 9) | st.booleans(), inner, max_size=4
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
def test_any_text_is_read_or_refused(
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
@example(key="patch_size", value={2: {4: 96}, 4: [1]})
def test_any_value_is_either_taken_or_refused_by_its_key(
    study_of: Callable[[Values], None], key: str, value: Any
) -> None:
    study_of({**BASE, key: value})
