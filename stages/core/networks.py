"""The networks: each one plain function from a scale to a Keras model.

All have the same face: LR luma (n, h, w, 1) in [0, 1] in, HR luma (n, h * scale, w * scale, 1)
out, for any h and w of at least 2, float32 whatever the precision inside. Networks that were
published for an enlarged input (SRCNN, VDSR) enlarge it themselves, by the degradation's own
bicubic interpolation. Convolutions pad with zeros and the loss counts the border, so that the
border of a whole image is restored as it was trained. Sizes and layers are the published ones; how
weights start is ours, made for minutes of training instead of days.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
from keras import layers, ops

from stages.core.degradation import KINDS, Kind
from stages.core.equivariance import Channels, Equivariant, EquivariantStart
from stages.core.orientations import ORIENTATIONS
from stages.core.scales import SCALES
from stages.core.upsampling import BicubicUpsampling

# Detail that a residual network adds starts at nothing and grows slowly: without this factor,
# training at a high learning rate has spikes that cost tenths of a dB.
DETAIL = 0.1
RELU_GAIN = 2.0**0.5  # keeps the size of what passes through a ReLU


def build(
    network: str,
    scale: int,
    size: Mapping[str, int],
    kind: Kind = "matlab",
    precision: str = "float32",
) -> keras.Model:
    """A network by its name: srcnn, fsrcnn, espcn, vdsr, edsr or progressive.

    size: the network's own entry of `network_size`; kind: the degradation, whose interpolation
    the network starts from; precision: float32, or bfloat16 for training at twice the speed. The
    latter is for networks that add detail to the enlarged image: in the others the layers carry
    the image itself, which bfloat16's 8 bits would round. Raises ValueError for a name or scale
    that is not known.
    """
    networks: dict[str, Callable[..., keras.Model]] = {
        "srcnn": srcnn,
        "fsrcnn": fsrcnn,
        "espcn": espcn,
        "vdsr": vdsr,
        "edsr": edsr,
        "progressive": progressive,
    }
    if network not in networks:
        raise ValueError(f"unknown network {network!r}: allowed are {', '.join(networks)}")
    if scale not in SCALES:
        raise ValueError(f"unknown scale {scale!r}: allowed are {SCALES}")
    if kind not in KINDS:
        raise ValueError(f"unknown degradation {kind!r}: allowed are {', '.join(KINDS)}")
    half = precision == "bfloat16" and network in ("vdsr", "edsr", "progressive")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if half else "float32")
    try:
        model = networks[network](scale, kind, **size)
    finally:
        keras.config.set_dtype_policy(before)
    for number, layer in enumerate(model.layers):
        # Keras counts all layers of the process, and weight files hold the names.
        layer.name = f"{type(layer).__name__.lower()}_{number}"
    return model


def srcnn(scale: int, kind: Kind, middle_kernel: int = 1) -> keras.Model:
    """SRCNN 9-1-5 or 9-5-5 with 64 and 32 filters (Dong et al., TPAMI 2016).

    One channel of each layer starts as the identity, so that training starts from bicubic.
    """
    inputs, x = _enlarged_input(scale, kind)
    for filters, kernel in ((64, 9), (32, middle_kernel)):
        start = PassThrough(keras.initializers.HeNormal())
        x = _conv(filters, kernel, "relu", kernel_initializer=start)(x)
    start = PassThrough(keras.initializers.RandomNormal(stddev=0.001))
    return keras.Model(inputs, _conv(1, 5, kernel_initializer=start)(x), name="srcnn")


def vdsr(scale: int, kind: Kind, channels: int = 64, layers: int = 20) -> keras.Model:
    """VDSR: equal 3 x 3 layers, added to the enlarged input (Kim et al., CVPR 2016)."""
    inputs, enlarged = _enlarged_input(scale, kind)
    x = enlarged
    for _ in range(layers - 1):
        x = _conv(channels, 3, "relu")(x)
    # Starts at nothing: the untrained network is the bicubic interpolation.
    last = _conv(1, 3, kernel_initializer="zeros", dtype="float32")
    return keras.Model(inputs, _add_detail(enlarged, last(x)), name="vdsr")


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
    )
    return keras.Model(inputs, last(x), name="fsrcnn")


def espcn(scale: int, kind: Kind, first: int = 64, second: int = 32) -> keras.Model:
    """ESPCN 5-3-3: two tanh layers in LR space, then a pixel shuffle (Shi et al., CVPR 2016)."""
    inputs = keras.Input((None, None, 1))
    x = _conv(first, 5, "tanh")(inputs)
    x = _conv(second, 3, "tanh")(x)
    shuffled = ops.depth_to_space(_conv(scale**2, 3)(x), scale)
    return keras.Model(inputs, shuffled, name="espcn")


def edsr(
    scale: int, kind: Kind, channels: int = 32, blocks: int = 13, equivariant: bool = False
) -> keras.Model:
    """A small EDSR: residual blocks without batch norm in LR space, one pixel shuffle.

    After Lim et al., CVPRW 2017, made for minutes on a CPU: one sub-pixel step whatever the
    scale, no skip around all blocks, and the output added to the bicubic enlargement.
    equivariant: the output turns and mirrors with the input; channels a multiple of 8.
    """
    inputs = keras.Input((None, None, 1))
    step = _residual_step(scale, kind, channels, blocks, equivariant)
    return keras.Model(inputs, step(inputs), name="edsr")


def progressive(
    scale: int, kind: Kind, channels: int = 32, blocks: int = 13, equivariant: bool = False
) -> keras.Model:
    """edsr's x2, applied again to its own output until the scale is reached: one set of weights.

    The student project's way to 4x and 8x, trained as a whole. That the steps share their weights
    is after MS-LapSRN (Lai et al., TPAMI 2018). x3 is a single step, as no power of 2 leads there.
    """
    factor, steps = (2, scale.bit_length() - 1) if scale.bit_count() == 1 else (scale, 1)
    step = _residual_step(factor, kind, channels, blocks, equivariant)
    image = inputs = keras.Input((None, None, 1))
    for _ in range(steps):
        image = step(image)
    return keras.Model(inputs, image, name="progressive")


def _residual_step(
    factor: int, kind: Kind, channels: int, blocks: int, equivariant: bool
) -> Callable[[Any], Any]:
    """From an image to its enlargement with detail; every call uses the same weights."""

    def conv(one: Channels, other: Channels, gain: float, **more: Any) -> keras.layers.Conv2D:
        filters = factor**2 if other == "phases" else channels
        start = _normal(gain) if gain else keras.initializers.Zeros()
        if equivariant:
            part = Equivariant(one, other)
            start = EquivariantStart(start, part)
            more |= {"kernel_constraint": part, "bias_constraint": part}
        return _conv(filters, 3, kernel_initializer=start, **more)

    if equivariant and channels % ORIENTATIONS:
        raise ValueError(f"channels: found {channels}; allowed where equivariant: multiples of 8")
    bicubic = BicubicUpsampling(factor, kind)
    centre = layers.Rescaling(1.0, -0.5, dtype="float32")
    first = conv("image", "features", 1.0)
    pairs = [
        (
            conv("features", "features", RELU_GAIN, activation="relu"),
            conv("features", "features", 0.5),
        )
        for _ in range(blocks)
    ]
    # Starts at nothing: the untrained network is the bicubic interpolation.
    last = conv("features", "phases", 0.0, dtype="float32")

    def step(image: Any) -> Any:
        x = first(centre(image))
        for one, other in pairs:
            x = layers.Add()([x, other(one(x))])
        return _add_detail(bicubic(image), ops.depth_to_space(last(x), factor))

    return step


@keras.saving.register_keras_serializable("sr")
class PassThrough(keras.initializers.Initializer):
    """Another initializer's kernel whose first output channel repeats the first input channel."""

    def __init__(self, other: keras.initializers.Initializer) -> None:
        self.other = other

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """A kernel of shape (k, k, inputs, outputs), k odd."""
        kernel = ops.convert_to_numpy(self.other(shape, dtype)).copy()
        kernel[..., 0] = 0
        kernel[shape[0] // 2, shape[1] // 2, 0, 0] = 1
        return ops.convert_to_tensor(kernel)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the initializer."""
        return {"other": self.other}


def _enlarged_input(scale: int, kind: Kind) -> tuple[Any, Any]:
    inputs = keras.Input((None, None, 1))
    return inputs, BicubicUpsampling(scale, kind)(inputs)


def _conv(
    filters: int, kernel: int, activation: str | None = None, **more: Any
) -> keras.layers.Conv2D:
    if activation == "relu":
        more.setdefault("kernel_initializer", _normal(RELU_GAIN))
    return layers.Conv2D(filters, kernel, padding="same", activation=activation, **more)


def _normal(gain: float) -> keras.initializers.Initializer:
    """Normal weights of standard deviation gain / sqrt(inputs of a unit)."""
    return keras.initializers.VarianceScaling(gain**2, "fan_in", "untruncated_normal")


def _prelu(x: Any) -> Any:
    return layers.PReLU(shared_axes=[1, 2])(x)


def _add_detail(enlarged: Any, detail: Any) -> Any:
    scaled = layers.Rescaling(DETAIL, dtype="float32")(detail)
    return layers.Add(dtype="float32")([enlarged, scaled])
