"""The networks of the study, as published or as changed for this study."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from srstudy.common import choices
from srstudy.common.scales import SCALES
from srstudy.degradations.shared.degradation import degradation, names
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.sizes import sizes
from srstudy.networks.shared.upsampling import BicubicUpsampling
from tests.small import NETWORKS, small, small_size

TINY = {"channels": 4, "blocks": 1, "equivariant": False}
RESIDUAL = ["edsr", "progressive", "vdsr", "sesr"]


def _input(height: int, width: int, batch: int = 1) -> NDArray[np.float32]:
    return np.random.default_rng(0).random((batch, height, width, 1), np.float32)


def _build(network: str, scale: int, size: dict[str, int], kind: str = "matlab") -> keras.Model:
    return Architecture(network, scale, size, kind).build()


def test_the_study_has_its_networks() -> None:
    assert set(NETWORKS) >= {"srcnn", "fsrcnn", "espcn", "vdsr", "edsr", "progressive", "sesr"}
    assert "shared" not in NETWORKS


@pytest.mark.parametrize("network", NETWORKS)
def test_bfloat16_network_has_float32_weights_and_output(network: str) -> None:
    before = keras.config.dtype_policy().name
    model = small(network, 2).build(precision="bfloat16")
    assert keras.config.dtype_policy().name == before  # nothing is left behind
    half = any(layer.compute_dtype == "bfloat16" for layer in model.layers)
    file = choices.chosen("networks", network, ("BFLOAT16",))
    assert half == file.BFLOAT16
    assert {variable.dtype for variable in model.variables} == {"float32"}
    assert model(_input(5, 4)).dtype == tf.float32


def test_networks_that_gain_from_bfloat16_train_in_it() -> None:
    ours = ("srcnn", "fsrcnn", "espcn", "vdsr", "edsr", "progressive", "sesr")
    half = {n for n in ours if choices.chosen("networks", n, ("BFLOAT16",)).BFLOAT16}
    assert half == {"srcnn", *RESIDUAL}


def test_unknown_network_scale_and_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"networks: found 'unet'; allowed: .*edsr, .*srcnn"):
        _build("unet", 2, {})
    for scale in (0, 1, 5, 16):
        with pytest.raises(ValueError, match=f"unknown scale {scale}"):
            _build("edsr", scale, TINY)
    with pytest.raises(ValueError, match=r"degradations: found 'lanczos'; allowed: .*matlab"):
        _build("edsr", 2, TINY, "lanczos")
    with pytest.raises(ValueError, match=r"networks/edsr\.py: cannot be built at x2: .*bogus"):
        _build("edsr", 2, {"bogus": 1})


# Weights and biases of k x k convolutions from m to n channels: k k m n + n.
@pytest.mark.parametrize(
    ("network", "scale", "count"),
    [
        # 9 9 1 64 + 64 = 5248; 1 1 64 32 + 32 = 2080; 5 5 32 1 + 1 = 801. The paper's 8,032
        # leaves out the 97 biases.
        ("srcnn", 2, 8_129),
        # Each layer with a PReLU slope a channel: 5 5 1 56 + 2 56 = 1512; 56 12 + 2 12 = 696;
        # 4 (3 3 12 12 + 2 12) = 5280; 12 56 + 2 56 = 784; 9 9 56 1 + 1 = 4537. The paper's
        # 12,464 leaves out biases and slopes.
        ("fsrcnn", 3, 12_809),
        # 5 5 1 64 + 64 = 1664; 3 3 64 32 + 32 = 18464; 3 3 32 9 + 9 = 2601.
        ("espcn", 3, 22_729),
        # 3 3 1 64 + 64 = 640; 18 (3 3 64 64 + 64) = 664704; 3 3 64 1 + 1 = 577. The paper: 665 k.
        ("vdsr", 2, 665_921),
        # 5 5 1 16 + 16 = 416; 11 (3 3 16 16 + 16) = 25520; 5 5 16 4 + 4 = 1604.
        ("sesr", 2, 27_540),
    ],
)
def test_published_network_is_the_default_and_has_its_number_of_weights(
    network: str, scale: int, count: int
) -> None:
    assert _build(network, scale, sizes(network, {})).count_params() == count


def test_edsr_has_the_number_of_weights_of_its_blocks() -> None:
    # 3 3 1 8 + 8 = 80; 2 blocks of 2 (3 3 8 8 + 8) = 1168; 3 3 8 16 + 16 = 1168.
    model = _build("edsr", 4, {"channels": 8, "blocks": 2})
    assert model.count_params() == 80 + 2 * 1168 + 1168


@pytest.mark.parametrize(("scale", "times"), [(2, 1), (4, 2), (8, 3)])
def test_progressive_is_its_x2_applied_again_with_the_same_weights(scale: int, times: int) -> None:
    step, whole = (_build("progressive", s, TINY) for s in (2, scale))
    random = np.random.default_rng(0)
    weights = [random.normal(0, 0.1, w.shape) for w in step.get_weights()]
    step.set_weights(weights)
    whole.set_weights(weights)
    image = expected = _input(6, 5)
    for _ in range(times):
        expected = step(expected)
    np.testing.assert_allclose(whole(image), expected, atol=1e-5)


def test_progressive_at_x2_is_edsr() -> None:
    edsr, progressive = (_build(name, 2, TINY) for name in ("edsr", "progressive"))
    assert [w.shape for w in edsr.weights] == [w.shape for w in progressive.weights]
    progressive.set_weights(edsr.get_weights())
    np.testing.assert_array_equal(progressive(_input(5, 4)), edsr(_input(5, 4)))


@pytest.mark.parametrize("scale", SCALES)
def test_bicubic_layer_is_matlabs_enlargement_also_at_the_edges(scale: int) -> None:
    # For all degradations away from the edges: tests/test_every_degradation.py.
    plane = np.random.default_rng(0).random((9, 7), np.float32)
    interpolation = degradation("matlab").interpolation
    output = BicubicUpsampling(scale, interpolation.a)(plane[None, ..., None]).numpy()[0, ..., 0]
    np.testing.assert_allclose(output, interpolation.planes(plane, scale), atol=1e-5)


@pytest.mark.parametrize("kind", names())
@pytest.mark.parametrize("network", RESIDUAL)
def test_untrained_residual_network_is_the_bicubic_enlargement(network: str, kind: str) -> None:
    image, a = _input(6, 5), degradation(kind).interpolation.a
    output = _build(network, 3, small_size(network), kind)(image)
    np.testing.assert_array_equal(output, BicubicUpsampling(3, a)(image))


@pytest.mark.parametrize("kind", names())
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("network", ["srcnn", "fsrcnn", "espcn"])
def test_untrained_network_without_skip_enlarges_almost_like_bicubic(
    network: str, scale: int, kind: str
) -> None:
    # Filters beside the image, tanh and a kernel that is cut to the layer's width: on a slope, away
    # from the border's padding, 12 draws of ESPCN's weights are off by at most 6.2 grey levels, the
    # other networks by 1.7. Random weights are off by a hundred.
    keras.utils.set_random_seed(1)
    slope = np.linspace(0.2, 0.8, 24, dtype=np.float32)
    image = np.tile(slope[None, :, None, None], (1, 1, 24, 1))
    interpolation = degradation(kind).interpolation
    output = _build(network, scale, sizes(network, {}), kind)(image).numpy()
    expected = BicubicUpsampling(scale, interpolation.a)(image).numpy()
    inside = (0, slice(6 * scale, -6 * scale), slice(6 * scale, -6 * scale))
    levels = 10 if network == "espcn" else 5
    np.testing.assert_allclose(output[inside], expected[inside], atol=levels / 255)


@pytest.mark.parametrize("network", ["srcnn", "fsrcnn", "espcn"])
def test_seed_decides_the_initial_weights(network: str) -> None:
    def start(seed: int) -> list[np.ndarray]:
        keras.utils.set_random_seed(seed)
        return _build(network, 2, sizes(network, {})).get_weights()

    one, again, other = start(1), start(1), start(2)
    for a, b in zip(one, again, strict=True):
        np.testing.assert_array_equal(a, b)
    kernels = [(a, b) for a, b in zip(one, other, strict=True) if a.ndim == 4]
    assert kernels and all((a != b).any() for a, b in kernels)


@pytest.mark.parametrize("network", ["srcnn", "fsrcnn", "espcn", "vdsr", "edsr", "progressive"])
def test_no_two_layers_start_with_equal_weights(network: str) -> None:
    weights = _build(network, 2, sizes(network, {})).get_weights()
    kernels = [kernel.tobytes() for kernel in weights if kernel.ndim == 4 and kernel.any()]
    assert len(kernels) > 2 and len(set(kernels)) == len(kernels)


def test_bicubic_layer_has_nothing_to_train_and_is_rebuilt_from_its_config() -> None:
    layer = BicubicUpsampling(4, -0.75)
    again = BicubicUpsampling.from_config(layer.get_config())
    assert not layer.variables and (again.scale, again.a) == (4, -0.75)
