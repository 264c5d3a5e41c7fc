import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from stages.core.degradation import Kind, upscale_float
from stages.core.networks import build
from stages.core.scales import SCALES
from stages.core.upsampling import BicubicUpsampling

TINY: dict[str, dict[str, int]] = {
    "srcnn": {"middle_kernel": 1},
    "fsrcnn": {"features": 4, "shrunk": 2, "mapping_layers": 1},
    "espcn": {"first": 4, "second": 2},
    "vdsr": {"channels": 4, "layers": 3},
    "edsr": {"channels": 4, "blocks": 1},
    "progressive": {"channels": 4, "blocks": 1},
}
PUBLISHED: dict[str, dict[str, int]] = {
    "srcnn": {"middle_kernel": 1},
    "fsrcnn": {"features": 56, "shrunk": 12, "mapping_layers": 4},
    "espcn": {"first": 64, "second": 32},
    "vdsr": {"channels": 64, "layers": 20},
}
KINDS: tuple[Kind, ...] = ("matlab", "opencv")


def _input(height: int, width: int, batch: int = 1) -> NDArray[np.float32]:
    return np.random.default_rng(0).random((batch, height, width, 1), np.float32)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("network", TINY)
def test_output_is_scale_times_the_input_for_any_size(network: str, scale: int) -> None:
    model = build(network, scale, TINY[network])
    for height, width, batch in ((7, 5, 2), (2, 2, 1)):
        output = model(_input(height, width, batch))
        assert output.shape == (batch, height * scale, width * scale, 1)
        assert output.dtype == tf.float32
        assert np.isfinite(output.numpy()).all()


@pytest.mark.parametrize("network", TINY)
def test_bfloat16_network_has_float32_weights_and_output(network: str) -> None:
    before = keras.config.dtype_policy().name
    model = build(network, 2, TINY[network], precision="bfloat16")
    assert keras.config.dtype_policy().name == before  # nothing is left behind
    # In the other networks the layers carry the image itself, which 8 bits would round.
    half = any(layer.compute_dtype == "bfloat16" for layer in model.layers)
    assert half == (network in ("vdsr", "edsr", "progressive"))
    assert {variable.dtype for variable in model.variables} == {"float32"}
    assert model(_input(5, 4)).dtype == tf.float32


def test_unknown_network_scale_and_size_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown network 'unet': allowed are srcnn, fsrcnn"):
        build("unet", 2, {})
    for scale in (0, 1, 5, 16):
        with pytest.raises(ValueError, match=f"unknown scale {scale}"):
            build("edsr", scale, TINY["edsr"])
    with pytest.raises(TypeError, match="bogus"):
        build("edsr", 2, {"bogus": 1})


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
    ],
)
def test_published_network_has_its_number_of_weights(network: str, scale: int, count: int) -> None:
    assert build(network, scale, PUBLISHED[network]).count_params() == count


def test_edsr_has_the_number_of_weights_of_its_blocks() -> None:
    # 3 3 1 8 + 8 = 80; 2 blocks of 2 (3 3 8 8 + 8) = 1168; 3 3 8 16 + 16 = 1168.
    model = build("edsr", 4, {"channels": 8, "blocks": 2})
    assert model.count_params() == 80 + 2 * 1168 + 1168


@pytest.mark.parametrize(("scale", "times"), [(2, 1), (4, 2), (8, 3)])
def test_progressive_is_its_x2_applied_again_with_the_same_weights(scale: int, times: int) -> None:
    step, whole = (build("progressive", s, TINY["progressive"]) for s in (2, scale))
    random = np.random.default_rng(0)
    weights = [random.normal(0, 0.1, w.shape) for w in step.get_weights()]
    step.set_weights(weights)
    whole.set_weights(weights)
    image = expected = _input(6, 5)
    for _ in range(times):
        expected = step(expected)
    np.testing.assert_allclose(whole(image), expected, atol=1e-5)


def test_progressive_at_x2_is_edsr() -> None:
    edsr, progressive = (build(name, 2, TINY["edsr"]) for name in ("edsr", "progressive"))
    assert [w.shape for w in edsr.weights] == [w.shape for w in progressive.weights]
    progressive.set_weights(edsr.get_weights())
    np.testing.assert_array_equal(progressive(_input(5, 4)), edsr(_input(5, 4)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", SCALES)
def test_bicubic_layer_is_the_degradations_own_enlargement(scale: int, kind: Kind) -> None:
    plane = np.random.default_rng(0).random((9, 7), np.float32)
    output = BicubicUpsampling(scale, kind)(plane[None, ..., None]).numpy()[0, ..., 0]
    inside = slice(2 * scale, -2 * scale)
    expected = upscale_float(plane, scale, kind)
    np.testing.assert_allclose(output[inside, inside], expected[inside, inside], atol=1e-5)
    if kind == "matlab":  # its edges are mirrored in the same way
        np.testing.assert_allclose(output, expected, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("network", ["vdsr", "edsr", "progressive"])
def test_untrained_residual_network_is_the_bicubic_enlargement(network: str, kind: Kind) -> None:
    image = _input(6, 5)
    output = build(network, 3, TINY[network], kind)(image)
    np.testing.assert_array_equal(output, BicubicUpsampling(3, kind)(image))


def test_bicubic_layer_has_nothing_to_train_and_is_rebuilt_from_its_config() -> None:
    layer = BicubicUpsampling(4, "opencv")
    again = BicubicUpsampling.from_config(layer.get_config())
    assert not layer.variables and (again.scale, again.kind) == (4, "opencv")
