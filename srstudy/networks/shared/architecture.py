"""A description from which a network can be rebuilt: its file's name and the function's arguments.

All networks have the same interface: the input is LR luma (n, h, w, 1) in [0, 1], the output is HR
luma (n, h * scale, w * scale, 1), for any h and w of at least LEAST_SIDE. Both are float32, also if
the network computes in another precision.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import keras

from srstudy.common import choices
from srstudy.common.errors import ChoiceError, InputError
from srstudy.common.scales import SCALES
from srstudy.degradations.shared.degradation import degradation
from srstudy.networks.shared.described import misfit
from srstudy.networks.shared.sizes import ROOM, WANTED


@dataclass(frozen=True)
class Architecture:
    """A network's name, its scale, its sizes and the degradation for which it was made."""

    network: str
    scale: int
    size: dict[str, Any]
    degradation: str

    def build(self, precision: str = "float32") -> keras.Model:
        """The network with fresh weights.

        precision: float32, or bfloat16 for training at twice the speed. bfloat16 is for networks
        that add detail to the enlarged image (their files say BFLOAT16). In the others, the layers
        carry the image itself, and bfloat16's 8 bits would round it. Raises ValueError for an
        unknown network, scale or degradation, and for a network that cannot be built.
        """
        file = choices.chosen(ROOM, self.network, WANTED)
        if self.scale not in SCALES:
            raise ValueError(f"unknown scale {self.scale!r}: allowed are {SCALES}")
        interpolation = degradation(self.degradation).interpolation
        half = precision == "bfloat16" and file.BFLOAT16
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy("mixed_bfloat16" if half else "float32")
        try:
            model = file.network(self.scale, interpolation, **self.size)
        except Exception as error:  # the function may be the user's own and raise anything
            what = f"cannot be built at x{self.scale}"
            raise choices.failure(ROOM, self.network, what, error) from error
        finally:
            keras.config.set_dtype_policy(before)
        if not isinstance(model, keras.Model) or not isinstance(model, keras.Function):
            raise ChoiceError(
                f"{choices.file_of(ROOM, self.network)}: gives {type(model).__name__}; "
                "allowed: keras.Model(inputs, outputs)"
            )
        _name(model, self.network)
        return model

    def misfit(self, of: "Architecture") -> str | None:
        """Why the weights of another architecture do not fit this one; None if they fit."""
        return misfit(asdict(of), self.network, self.size, self.degradation)

    def load_matching(self, model: keras.Model, other: keras.Model, of: "Architecture") -> int:
        """Copy the weights of another architecture's model into a model of this one.

        Network and sizes must be equal, and both degradations need the same interpolation and
        protocol; else `InputError`. If the scales differ, these layers keep their own weights: a
        last layer that makes the HR pixels itself (pixel shuffle, deconvolution), and layers that
        the other scale does not have. Returns the number of layers that took the other's weights.
        """
        if fault := self.misfit(of):
            raise InputError(f"weights of another network: {fault}")
        taken = 0
        for layer, source in zip(*map(layers_with_weights, (model, other)), strict=False):
            # Transposed convolutions with different strides do different things.
            strides = [getattr(one, "strides", None) for one in (layer, source)]
            shapes = [[w.shape for w in one.weights] for one in (layer, source)]
            if shapes[0] == shapes[1] and strides[0] == strides[1]:
                layer.set_weights(source.get_weights())
                taken += 1
        return taken


def layers_with_weights(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """The layers with weights, in order, including those of nested models."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from layers_with_weights(layer)
        elif layer.weights:
            yield layer


def _name(model: keras.Model, name: str) -> None:
    """Give layers names that depend only on the network.

    Files of weights contain the names, and Keras's own names count all layers of the process.
    """
    model.name = name
    for number, layer in enumerate(model.layers):
        inner = f"{type(layer).__name__.lower()}_{number}"
        if isinstance(layer, keras.Model):
            _name(layer, inner)
        layer.name = inner
