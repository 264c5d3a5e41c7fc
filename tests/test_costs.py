from collections.abc import Callable
from typing import Any

import keras
import pytest
from keras import layers, ops

from srstudy.networks.shared.architecture import Architecture
from tools.costs import multiply_adds, parameters
from tools.published import costs as published_costs


def _network(name: str, scale: int, **size: object) -> keras.Model:
    return Architecture(name, scale, size, "matlab").build()


# Without the interpolation of the input, biases and slopes, as the literature counts.
@pytest.mark.parametrize(
    ("method", "name", "size", "scale"),
    [
        ("SRCNN", "srcnn", {"middle_kernel": 5}, 2),
        ("FSRCNN", "fsrcnn", {"features": 56, "shrunk": 12, "mapping_layers": 4}, 2),
        ("FSRCNN", "fsrcnn", {"features": 56, "shrunk": 12, "mapping_layers": 4}, 4),
        ("VDSR", "vdsr", {"channels": 64, "layers": 20}, 4),
    ],
)
def test_costs_equal_those_of_the_literature(
    method: str, name: str, size: dict[str, object], scale: int
) -> None:
    network, published = _network(name, scale, **size), published_costs()[method]
    assert parameters(network) / 1e3 == pytest.approx(published.parameters, rel=0.08)
    expected = published.multiply_adds[f"x{scale}"]
    assert multiply_adds(network, scale) / 1e9 == pytest.approx(expected, rel=0.01)


def test_every_use_of_shared_weights_is_counted() -> None:
    size = {"channels": 8, "blocks": 1, "equivariant": True}
    x2, x4 = (_network("progressive", scale, **size) for scale in (2, 4))
    assert parameters(x2) == parameters(x4)
    # The first step on a quarter of the pixels, then one as that of x2.
    assert multiply_adds(x4, 4) == pytest.approx(1.25 * multiply_adds(x2, 2), rel=1e-6)


def test_dense_and_depthwise_layers_are_counted() -> None:
    inputs = keras.Input((None, None, 1))
    x = layers.Conv2D(6, 1)(inputs)
    x = layers.DepthwiseConv2D(3, padding="same")(x)
    x = layers.Conv2D(4, 1)(x)
    model = keras.Model(inputs, keras.ops.depth_to_space(x, 2))
    assert multiply_adds(model, 2, 8, 12) == 4 * 6 * (6 + 6 * 9 + 6 * 4)


# Of x, 4 x 6 LR pixels of 4 channels; Keras puts grouped convolutions into a function of their own.
@pytest.mark.parametrize(
    ("layer", "count"),
    [
        (lambda x: layers.Conv2D(4, 3, groups=2, padding="same")(x), 24 * 9 * 4 * 2),
        (lambda x: layers.Dense(4)(x), 24 * 4 * 4),
        # Channel attention, and attention along a row: four projections and two products.
        (lambda x: ops.matmul(x, ops.matmul(ops.transpose(x, (0, 1, 3, 2)), x)), 2 * 24 * 4 * 4),
        (
            lambda x: layers.MultiHeadAttention(1, 4, attention_axes=(2,))(x, x),
            24 * 4 * 4 * 4 + 2 * 24 * 6 * 4,
        ),
    ],
)
def test_other_operations_that_a_user_network_can_have_are_counted(
    layer: Callable[[Any], Any], count: int
) -> None:
    inputs = keras.Input((4, 6, 1))
    x = layers.Conv2D(4, 1)(inputs)
    model = keras.Model(inputs, ops.depth_to_space(layer(x), 2))
    assert multiply_adds(model, 2, 8, 12) == 24 * 4 + count
