import json
from dataclasses import replace
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from srstudy.common.errors import InputError
from srstudy.common.files import NETWORK_ATTRIBUTE
from srstudy.images.interpolation import Interpolation
from srstudy.networks.shared.architecture import Architecture, layers_with_weights
from srstudy.networks.shared.weights import load, save, trained_steps
from tests.small import network_of_own

SIZE = {"channels": 4, "blocks": 1, "equivariant": False}
EDSR = Architecture("edsr", 2, SIZE, "opencv")
IMAGE = np.random.default_rng(0).random((1, 6, 5, 1), np.float32)


def _model(architecture: Architecture = EDSR) -> keras.Model:
    """A network in which every weight differs from its initial value."""
    model = architecture.build()
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0, 0.1, w.shape) for w in model.get_weights()])
    return model


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "models" / "x2-plain.weights.h5"
    save(path, _model(), EDSR)
    return path


def _refusal(path: Path, scale: int | None = None) -> str:
    with pytest.raises(InputError) as caught:
        load(path, scale)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    return message


@pytest.mark.parametrize(
    "architecture",
    [
        Architecture("srcnn", 3, {"middle_kernel": 5}, "matlab"),
        Architecture("fsrcnn", 8, {"features": 4, "shrunk": 2, "mapping_layers": 1}, "matlab"),
        Architecture("espcn", 4, {"first": 4, "second": 2}, "opencv"),
        Architecture("vdsr", 2, {"channels": 4, "layers": 3}, "opencv"),
        EDSR,
    ],
    ids=lambda a: a.network,
)
def test_loaded_network_restores_the_same(tmp_path: Path, architecture: Architecture) -> None:
    model = _model(architecture)
    save(tmp_path / "a.weights.h5", model, architecture)
    loaded, described = load(tmp_path / "a.weights.h5", architecture.scale)
    assert described == architecture
    np.testing.assert_array_equal(loaded(IMAGE), model(IMAGE))


def test_size_that_is_a_text_is_saved_and_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def network(scale: int, interpolation: Interpolation, activation: str = "relu") -> keras.Model:
        inputs = keras.Input((None, None, 1))
        x = keras.layers.Conv2D(scale**2, 3, padding="same", activation=activation)(inputs)
        return keras.Model(inputs, keras.ops.depth_to_space(x, scale))

    name = network_of_own(monkeypatch, network, {"activation": ("relu", "tanh")})
    architecture, path = (
        Architecture(name, 2, {"activation": "tanh"}, "matlab"),
        tmp_path / "a.weights.h5",
    )
    model = _model(architecture)
    save(path, model, architecture)
    loaded, described = load(path)
    assert described == architecture
    np.testing.assert_array_equal(loaded(IMAGE), model(IMAGE))


def test_network_trained_in_bfloat16_is_loaded_in_float32(tmp_path: Path) -> None:
    model = EDSR.build("bfloat16")
    save(tmp_path / "a.weights.h5", model, EDSR)
    loaded, _ = load(tmp_path / "a.weights.h5")
    assert all(layer.compute_dtype == "float32" for layer in loaded.layers)
    for mine, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_same_weights_give_the_same_bytes(path: Path) -> None:
    again = path.with_name("again.weights.h5")
    save(again, _model(), EDSR)
    assert again.read_bytes() == path.read_bytes()
    assert sorted(p.name for p in path.parent.iterdir()) == [again.name, path.name]


def test_loading_and_saving_again_gives_the_same_bytes(path: Path) -> None:
    before = path.read_bytes()
    save(path, *load(path))
    assert path.read_bytes() == before


def test_network_of_another_scale_is_refused(path: Path) -> None:
    assert "scale: found 2; allowed here: 4" in _refusal(path, 4)


def test_file_of_another_suffix_is_refused(path: Path) -> None:
    # Keras would take it for its older format and say that it holds no layers.
    other = path.rename(path.with_name("x2-plain.h5"))
    assert "allowed: a file whose name ends with .weights.h5" in _refusal(other)


def test_missing_broken_and_foreign_files_are_refused_by_name(path: Path, tmp_path: Path) -> None:
    _refusal(tmp_path / "missing.weights.h5")
    garbage = tmp_path / "garbage.weights.h5"
    garbage.write_bytes(b"garbage" * 99)
    _refusal(garbage)
    garbage.write_bytes(b"")
    _refusal(garbage)
    foreign = tmp_path / "foreign.weights.h5"
    with h5py.File(foreign, "w") as file:
        file["numbers"] = [1, 2, 3]
    _refusal(foreign)
    path.write_bytes(path.read_bytes()[:-2000])
    _refusal(path)


def test_number_of_steps_that_is_not_a_number_is_refused_by_name(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.attrs["steps"] = "many"
    with pytest.raises(InputError, match=path.name):
        trained_steps(path)


def test_at_the_same_scale_all_weights_are_loaded() -> None:
    source, model = _model(), EDSR.build()
    EDSR.load_matching(model, source, EDSR)
    for mine, theirs in zip(model.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    ("network", "size", "kept"),
    [
        ("edsr", SIZE, 2),
        ("progressive", SIZE, 0),
        ("espcn", {"first": 4, "second": 2}, 2),
        ("fsrcnn", {"features": 4, "shrunk": 2, "mapping_layers": 1}, 2),
        ("srcnn", {"middle_kernel": 1}, 0),
        ("vdsr", {"channels": 4, "layers": 3}, 0),
    ],
)
def test_at_another_scale_only_layers_that_make_pixels_stay_fresh(
    network: str, size: dict[str, int], kept: int
) -> None:
    # FSRCNN's deconvolution has the same shape at x2 and x4, but not the same meaning.
    x2, x4 = (Architecture(network, scale, size, "matlab") for scale in (2, 4))
    source, model = _model(x2), x4.build()
    before = model.get_weights()
    x4.load_matching(model, source, x2)
    last = len(before) - kept
    for i, (now, was) in enumerate(zip(model.get_weights(), before, strict=True)):
        np.testing.assert_array_equal(now, source.get_weights()[i] if i < last else was)


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        (replace(EDSR, network="progressive"), "network: found 'edsr'; allowed: 'progressive'"),
        (
            replace(EDSR, size=SIZE | {"blocks": 2}),
            "size: found {'blocks': 1, 'channels': 4, 'equivariant': False}; "
            "allowed: {'channels': 4, 'blocks': 2, 'equivariant': False}",
        ),
        (
            replace(EDSR, degradation="matlab"),
            "degradation: found 'opencv'; allowed: 'matlab' or 'photo'",
        ),
    ],
    ids=["network", "size", "degradation"],
)
def test_file_whose_weights_do_not_fit_is_named_with_what_is_found_and_allowed(
    path: Path, wanted: Architecture, fault: str
) -> None:
    with pytest.raises(InputError) as caught:
        load(path, fits=wanted)
    assert str(caught.value) == f"{path}: {fault}"


def test_file_of_fitting_weights_is_loaded_for_another_scale(path: Path) -> None:
    _, architecture = load(path, fits=replace(EDSR, scale=8))
    assert architecture == EDSR


@pytest.mark.filterwarnings("error::UserWarning")
def test_weights_of_another_network_than_described_are_refused_in_a_short_line(path: Path) -> None:
    # Keras would warn of each layer, and show whole arrays.
    with h5py.File(path, "r+") as file:
        described = {**json.loads(file.attrs[NETWORK_ATTRIBUTE]), "size": SIZE | {"blocks": 2}}
        file.attrs[NETWORK_ATTRIBUTE] = json.dumps(described)
    said = _refusal(path)
    assert "allowed: a file of weights that one of its trainings wrote; found: " in said
    assert said.endswith("found: weights that do not fit the description edsr x2, "
                         "{'channels': 4, 'blocks': 2, 'equivariant': False}")  # fmt: skip


def test_weights_of_another_network_are_not_loaded() -> None:
    other = Architecture("edsr", 2, SIZE | {"channels": 8}, "opencv")
    with pytest.raises(InputError, match=r"^weights of another network: size: found "):
        EDSR.load_matching(EDSR.build(), other.build(), other)


def test_weights_fit_degradations_with_equal_interpolation_and_protocol() -> None:
    matlab, photo, opencv = (replace(EDSR, degradation=d) for d in ("matlab", "photo", "opencv"))
    source = matlab.build()
    layers = list(layers_with_weights(source))
    assert photo.load_matching(photo.build(), source, matlab) == len(layers)
    with pytest.raises(InputError, match=r"^weights of another network: degradation: found "):
        opencv.load_matching(opencv.build(), source, matlab)


@pytest.mark.parametrize(
    "described",
    [
        {"network": "os.system", "scale": 2, "size": {}, "degradation": "matlab"},
        {"network": "edsr", "scale": 5, "size": SIZE, "degradation": "matlab"},
        {"network": "edsr", "scale": 2, "size": {"layers": 1}, "degradation": "matlab"},
        {"network": "edsr", "scale": 2, "size": SIZE, "degradation": "lanczos"},
        {"network": "edsr", "scale": 2, "size": SIZE},
        {"network": "shared", "scale": 2, "size": {}, "degradation": "matlab"},
        {"network": ["edsr"], "scale": 2, "size": SIZE, "degradation": "matlab"},
        {"network": "edsr", "scale": 2, "size": [4, 1], "degradation": "matlab"},
        # What would be built for hours, or is no number.
        {
            "network": "edsr",
            "scale": 2,
            "size": SIZE | {"blocks": 10**9},
            "degradation": "matlab",
        },
        {
            "network": "edsr",
            "scale": 2,
            "size": SIZE | {"blocks": "1"},
            "degradation": "matlab",
        },
        "[" * 100_000,
        # Another size than that of the weights.
        {
            "network": "edsr",
            "scale": 2,
            "size": SIZE | {"channels": 8},
            "degradation": "matlab",
        },
        [],
        "not JSON",
    ],
)
def test_file_that_describes_another_network_is_refused(path: Path, described: object) -> None:
    # The description is data: a name is looked up among our networks, nothing is executed.
    with h5py.File(path, "r+") as file:
        text = described if isinstance(described, str) else json.dumps(described)
        file.attrs[NETWORK_ATTRIBUTE] = text
    _refusal(path)


def test_file_without_weights_is_refused(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        for name in list(file):
            del file[name]
    _refusal(path)
