"""The networks: each one plain function from a scale to a Keras model.

All have the same face: LR luma (n, h, w, 1) in [0, 1] in, HR luma (n, h * scale, w * scale, 1)
out, for any h and w of at least 2, float32 whatever the precision inside. Networks that were
published for an enlarged input (SRCNN, VDSR) enlarge it themselves, by the degradation's own
bicubic interpolation. Convolutions pad with zeros and the loss counts the border, so that the
border of a whole image is restored as it was trained.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
from keras import layers, ops

from stages.core.degradation import Kind
from stages.core.scales import SCALES
from stages.core.upsampling import BicubicUpsampling


def build(
    network: str,
    scale: int,
    size: Mapping[str, int],
    kind: Kind = "matlab",
    precision: str = "float32",
) -> keras.Model:
    """A network by its name: srcnn, fsrcnn, espcn, vdsr or edsr.

    size: the network's own entry of `network_size`; kind: the degradation, whose interpolation
    the network starts from; precision: float32, or bfloat16 for training at twice the speed.
    Raises ValueError for a name or scale that is not known.
    """
    networks: dict[str, Callable[..., keras.Model]] = {
        "srcnn": srcnn,
        "fsrcnn": fsrcnn,
        "espcn": espcn,
        "vdsr": vdsr,
        "edsr": edsr,
    }
    if network not in networks:
        raise ValueError(f"unknown network {network!r}: allowed are {', '.join(networks)}")
    if scale not in SCALES:
        raise ValueError(f"unknown scale {scale!r}: allowed are {SCALES}")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    try:
        return networks[network](scale, kind, **size)
    finally:
        keras.config.set_dtype_policy(before)


def srcnn(scale: int, kind: Kind, middle_kernel: int = 1) -> keras.Model:
    """SRCNN 9-1-5 or 9-5-5 with 64 and 32 filters (Dong et al., TPAMI 2016)."""
    inputs, enlarged = _enlarged_input(scale, kind)
    x = _conv(64, 9, "relu")(enlarged)
    x = _conv(32, middle_kernel, "relu")(x)
    return keras.Model(inputs, _conv(1, 5, dtype="float32")(x), name="srcnn")


def vdsr(scale: int, kind: Kind, channels: int = 64, layers: int = 20) -> keras.Model:
    """VDSR: equal 3 x 3 layers, added to the enlarged input (Kim et al., CVPR 2016)."""
    inputs, enlarged = _enlarged_input(scale, kind)
    x = enlarged
    for _ in range(layers - 1):
        x = _conv(channels, 3, "relu")(x)
    return keras.Model(inputs, _add(enlarged, _last_conv(1)(x)), name="vdsr")


def fsrcnn(
    scale: int, kind: Kind, features: int = 56, shrunk: int = 12, mapping_layers: int = 4
) -> keras.Model:
    """FSRCNN(d, s, m): shrink, map, expand in LR space, then deconvolve (Dong et al., ECCV 2016).

    The published deconvolution is 9 x 9; it is as wide as twice the scale where that is more, as
    otherwise pixels at x8 would depend on one LR pixel alone.
    """
    inputs = keras.Input((None, None, 1))
    x = _prelu(_conv(features, 5)(inputs))
    x = _prelu(_conv(shrunk, 1)(x))
    for _ in range(mapping_layers):
        x = _prelu(_conv(shrunk, 3)(x))
    x = _prelu(_conv(features, 1)(x))
    last = layers.Conv2DTranspose(
        1,
        max(9, 2 * scale + 1),
        strides=scale,
        padding="same",
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.001),
        dtype="float32",
    )
    return keras.Model(inputs, last(x), name="fsrcnn")


def espcn(scale: int, kind: Kind, first: int = 64, second: int = 32) -> keras.Model:
    """ESPCN 5-3-3: two tanh layers in LR space, then a pixel shuffle (Shi et al., CVPR 2016)."""
    inputs = keras.Input((None, None, 1))
    x = _conv(first, 5, "tanh")(inputs)
    x = _conv(second, 3, "tanh")(x)
    return keras.Model(
        inputs, _shuffle(_conv(scale**2, 3, dtype="float32")(x), scale), name="espcn"
    )


def edsr(scale: int, kind: Kind, channels: int = 48, blocks: int = 4) -> keras.Model:
    """A small EDSR: residual blocks without batch norm in LR space, one pixel shuffle.

    After Lim et al., CVPRW 2017, made for minutes on a CPU: one sub-pixel step whatever the
    scale, and the output added to the bicubic enlargement, so that training starts from that.
    """
    inputs, enlarged = _enlarged_input(scale, kind)
    x = head = _conv(channels, 3)(inputs)
    for _ in range(blocks):
        residual = _conv(channels, 3, "relu")(x)
        x = layers.Add()([x, _conv(channels, 3)(residual)])
    x = layers.Add()([head, _conv(channels, 3)(x)])
    detail = _shuffle(_last_conv(scale**2)(x), scale)
    return keras.Model(inputs, _add(enlarged, detail), name="edsr")


def _enlarged_input(scale: int, kind: Kind) -> tuple[Any, Any]:
    inputs = keras.Input((None, None, 1))
    return inputs, BicubicUpsampling(scale, kind)(inputs)


def _conv(
    filters: int, kernel: int, activation: str | None = None, **more: Any
) -> keras.layers.Conv2D:
    return layers.Conv2D(
        filters,
        kernel,
        padding="same",
        activation=activation,
        kernel_initializer="he_normal" if activation == "relu" else "glorot_uniform",
        **more,
    )


def _last_conv(filters: int) -> keras.layers.Conv2D:
    # Starts at nothing: the untrained network is the bicubic interpolation.
    return layers.Conv2D(filters, 3, padding="same", kernel_initializer="zeros", dtype="float32")


def _prelu(x: Any) -> Any:
    return layers.PReLU(shared_axes=[1, 2])(x)


def _shuffle(x: Any, scale: int) -> Any:
    return ops.depth_to_space(x, scale)


def _add(enlarged: Any, detail: Any) -> Any:
    return layers.Add(dtype="float32")([enlarged, detail])
