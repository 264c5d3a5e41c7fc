"""What rebuilds a network: the name of its file, and how that file's function is called.

All networks have the same face: LR luma (n, h, w, 1) in [0, 1] in, HR luma (n, h * scale,
w * scale, 1) out, for any h and w of at least LEAST_SIDE, float32 whatever the precision inside.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

from srstudy.common import choices
from srstudy.common.errors import ChoiceError, InputError
from srstudy.common.scales import SCALES
from srstudy.degradations.shared.degradation import alike, degradation
from srstudy.networks.shared.sizes import ROOM, WANTED


@dataclass(frozen=True)
class Architecture:
    """A network by its name, with a scale, its sizes and the degradation it was made for."""

    network: str
    scale: int
    size: dict[str, Any]
    degradation: str

    def build(self, precision: str = "float32") -> keras.Model:
        """The network with fresh weights.

        precision: float32, or bfloat16 for training at twice the speed. The latter is for networks
        that add detail to the enlarged image (their files say BFLOAT16): in the others the layers
        carry the image itself, which bfloat16's 8 bits would round. Raises ValueError for a
        network, scale or degradation that is not known, and for a network that cannot be built.
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
        except Exception as error:  # whatever a function of the user's own does
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

    def load_matching(self, model: keras.Model, other: keras.Model, of: "Architecture") -> int:
        """Give a model of this architecture the weights of another's, where they mean the same.

        Network and sizes must be equal, and the degradations alike, else `InputError`. At another
        scale, a last layer that makes the HR pixels itself (pixel shuffle, deconvolution) keeps its
        own weights, as do layers that the other scale has not. Returns how many layers took the
        other's weights.
        """
        same = (self.network, self.size) == (of.network, of.size)
        if not same or of.degradation not in alike(self.degradation):
            raise InputError(f"the weights of {of} do not fit {self}")
        taken = 0
        for layer, source in zip(*map(layers_with_weights, (model, other)), strict=False):
            # A transposed convolution whose step is another's does another thing.
            steps = [getattr(one, "strides", None) for one in (layer, source)]
            shapes = [[w.shape for w in one.weights] for one in (layer, source)]
            if shapes[0] == shapes[1] and steps[0] == steps[1]:
                layer.set_weights(source.get_weights())
                taken += 1
        return taken


def layers_with_weights(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """The layers that have weights, in order, those of models inside models too."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from layers_with_weights(layer)
        elif layer.weights:
            yield layer


def _name(model: keras.Model, name: str) -> None:
    """Names that depend on the network alone: Keras counts all layers of the process.

    Files of weights hold the names.
    """
    model.name = name
    for number, layer in enumerate(model.layers):
        inner = f"{type(layer).__name__.lower()}_{number}"
        if isinstance(layer, keras.Model):
            _name(layer, inner)
        layer.name = inner
