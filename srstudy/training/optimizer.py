"""The optimizer: Adam; or Muon for kernels with as many output as input channels, Adam for others.

All weights form one vector here. So a step, the moving average and a checkpoint need only a few
lines, for every network.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

# Adam's constants (Kingma and Ba, 2015), with Keras's defaults.
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7
# Muon's constants: momentum, the polynomial and its number of iterations (Jordan et al., 2024), and
# the size of its update relative to Adam's, so that both use one learning rate (Liu et al., arXiv
# 2502.16982).
MOMENTUM, COEFFICIENTS, ITERATIONS, RELATIVE_SIZE = 0.95, (3.4445, -4.7750, 2.0315), 5, 0.2


class Optimizer:
    """Updates a network's variables in place and keeps the moving average of its weights.

    kind: "adam", or "muon" for kernels of shape (k, k, n, n), n > 1; clip: the largest global norm
    of a gradient; ema: the momentum of the moving average, 0 for none; trained: the number of steps
    for which the variables were trained before. `state` is everything on which later steps depend:
    float32 vectors by name. If the Keras constraint of a variable is a linear projection
    (`Equivariant`), the variable always satisfies it.
    """

    def __init__(
        self,
        variables: Sequence[tf.Variable],
        kind: str,
        clip: float,
        ema: float,
        trained: int = 0,
    ) -> None:
        shapes = [tuple(variable.shape) for variable in variables]
        muon = [kind == "muon" and len(s) == 4 and s[2] == s[3] > 1 for s in shapes]
        # Muon's kernels come last, grouped by shape: so each group is a slice of the vector.
        self._order = sorted(
            range(len(shapes)), key=lambda i: (muon[i], shapes[i] if muon[i] else ())
        )
        self._variables = [variables[i] for i in self._order]
        self._shapes = [shapes[i] for i in self._order]
        self._sizes = [math.prod(shape) for shape in self._shapes]
        self._constraints = [getattr(v, "constraint", None) for v in self._variables]
        kernels = [shape for shape, taken in zip(shapes, muon, strict=True) if taken]
        # As matrices: (number of kernels, k * k * inputs, outputs).
        self._groups = [(kernels.count(s), math.prod(s[:3]), s[3]) for s in sorted(set(kernels))]
        size = sum(self._sizes)
        # The number of weights that Adam updates: they are the first in the vector.
        self._adams = size - sum(math.prod(group) for group in self._groups)
        self._decay = np.where(np.arange(size) < self._adams, BETA_1, MOMENTUM).astype("float32")
        self._clip, self._ema, self._trained = clip, ema, float(trained)
        weights = self._in_order([tf.convert_to_tensor(variable) for variable in variables])
        self.state = {
            "weights": tf.Variable(weights),
            "average": tf.Variable(weights),
            "momentum": tf.Variable(tf.zeros(size)),
            "square": tf.Variable(tf.zeros(self._adams)),
            "steps": tf.Variable(tf.zeros(1)),
        }

    def vector(self, gradients: Sequence[Any]) -> tf.Tensor:
        """The gradients of all variables as one vector, for `apply`."""
        return self._constrained(self._in_order(gradients))

    def apply(self, gradient: tf.Tensor, rate: tf.Tensor) -> None:
        """Do one step at a learning rate; gradient: of the whole batch, as from `vector`."""
        state, adams = self.state, self._adams
        gradient = tf.clip_by_norm(gradient, self._clip)
        steps = state["steps"].assign_add([1.0])[0]
        fresh = (1.0 - self._decay) * gradient
        momentum = state["momentum"].assign(self._decay * state["momentum"] + fresh)
        squared = (1.0 - BETA_2) * tf.square(gradient[:adams])
        square = state["square"].assign(BETA_2 * state["square"] + squared)
        deviation = tf.sqrt(square / (1.0 - BETA_2**steps))
        updates = [momentum[:adams] / (1.0 - BETA_1**steps) / (deviation + EPSILON)]
        ahead, start = self._decay * momentum + fresh, adams  # Nesterov's momentum
        for group in self._groups:
            end = start + math.prod(group)
            updates.append(tf.reshape(_orthogonal(tf.reshape(ahead[start:end], group)), [-1]))
            start = end
        # Constrained again, because orthogonalization amplifies rounding errors.
        update = self._constrained(tf.concat(updates, 0))
        weights = state["weights"].assign_sub(rate * update)
        # At fresh weights, the average must follow fast, or it would keep the random values.
        # Trained weights are already an average.
        steps += self._trained
        kept = tf.minimum(self._ema, steps / (steps + 10.0))
        state["average"].assign_add((1.0 - kept) * (weights - state["average"]))
        self._write(weights, self._variables)

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Continue from a saved state. Raises ValueError if it is of another network."""
        for name, variable in self.state.items():
            variable.assign(state[name])
        self._write(self.state["weights"], self._variables)

    def write_average(self, variables: Sequence[tf.Variable]) -> None:
        """Write the averaged weights into the variables of an equal network."""
        self._write(self.state["average"], [variables[i] for i in self._order])

    def _in_order(self, tensors: Sequence[Any]) -> tf.Tensor:
        return tf.concat([tf.reshape(tensors[i], [-1]) for i in self._order], 0)

    def _constrained(self, vector: tf.Tensor) -> tf.Tensor:
        if not any(self._constraints):
            return vector
        pieces = tf.split(vector, self._sizes)
        for i, constraint in enumerate(self._constraints):
            if constraint is not None:
                within = constraint(tf.reshape(pieces[i], self._shapes[i]))
                pieces[i] = tf.reshape(within, [-1])
        return tf.concat(pieces, 0)

    def _write(self, vector: tf.Tensor, ordered: Sequence[tf.Variable]) -> None:
        pieces = tf.split(vector, self._sizes)
        for variable, piece, shape in zip(ordered, pieces, self._shapes, strict=True):
            variable.assign(tf.reshape(piece, shape))


def _orthogonal(matrices: tf.Tensor) -> tf.Tensor:
    """An approximation of U V^T for each matrix U S V^T, times RELATIVE_SIZE * sqrt(n).

    matrices: (count, n, m) with n >= m; the result has the same shape. The polynomial
    is applied to the small products M^T M, which costs very little.
    """
    a, b, c = COEFFICIENTS
    rows, columns = matrices.shape[-2:]
    norm = tf.sqrt(tf.reduce_sum(tf.square(matrices), [-2, -1], keepdims=True))
    matrices = matrices / (norm + EPSILON)
    gram = tf.matmul(matrices, matrices, transpose_a=True)
    one = tf.eye(columns)
    product = tf.zeros_like(gram) + one
    for _ in range(ITERATIONS):
        now = tf.matmul(product, tf.matmul(gram, product))
        product = tf.matmul(a * one + tf.matmul(now, b * one + c * now), product)
    return RELATIVE_SIZE * math.sqrt(rows) * tf.matmul(matrices, product)
