"""What rebuilds a network: the name of its file, and how that file's function is called.

All networks have the same face: LR luma (n, h, w, 1) in [0, 1] in, HR luma (n, h * scale,
w * scale, 1) out, for any h and w of at least LEAST_SIDE, float32 whatever the precision inside.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from srstudy.common import choices
from srstudy.common.errors import InputError
from srstudy.common.scales import SCALES
from srstudy.degradations.shared.degradation import degradation
from srstudy.networks.shared.sizes import ROOM, WANTED

ODD = (5, 7)  # height and width of a plane that a network is tried on


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
        network, scale or degradation that is not known.
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
        finally:
            keras.config.set_dtype_policy(before)
        for number, layer in enumerate(model.layers):
            # Keras counts all layers of the process, and weight files hold the names.
            layer.name = f"{type(layer).__name__.lower()}_{number}"
        return model

    def check(self, model: keras.Model) -> None:
        """`InputError` names the network's file where a model has not the face of all networks.

        As one that ignores a scale it does not know, or whose last layer is not float32.
        """
        height, width = ODD
        restored = model(np.full((1, height, width, 1), 0.5, np.float32))
        shape = (1, height * self.scale, width * self.scale, 1)
        found = (
            f"{keras.backend.standardize_dtype(restored.dtype)} of shape {tuple(restored.shape)}"
        )
        if found != f"float32 of shape {shape}":
            raise InputError(
                f"srstudy/{ROOM}/{self.network}.py: gives {found} at x{self.scale} for an input of "
                f"shape {(1, height, width, 1)}; allowed: float32 of shape {shape}"
            )

    def load_matching(self, model: keras.Model, other: keras.Model, of: "Architecture") -> None:
        """Give a model of this architecture the weights of another's, where they mean the same.

        All but the scale must be equal, else ValueError. At another scale, a last layer that
        makes the HR pixels itself (pixel shuffle, deconvolution) keeps its own weights.
        """
        if (self.network, self.size, self.degradation) != (of.network, of.size, of.degradation):
            raise ValueError(f"the weights of {of} do not fit {self}")
        pairs = ([one for one in network.layers if one.weights] for network in (model, other))
        for layer, source in zip(*pairs, strict=True):
            enlarges = isinstance(layer, keras.layers.Conv2DTranspose) and self.scale != of.scale
            shapes = [[w.shape for w in one.weights] for one in (layer, source)]
            if not enlarges and shapes[0] == shapes[1]:
                layer.set_weights(source.get_weights())
