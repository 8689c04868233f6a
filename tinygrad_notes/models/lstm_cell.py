"""An LSTM written out gate by gate, learning to label each symbol of one sequence at a time: the whole way from forward pass over
backpropagation through time to the training loop, to read and to change. ``nn.LSTM`` is the one to use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import IndexOutOfRange
from ..functions.creation import as_tensor, zeros
from ..functions.linalg import matmul
from ..functions.moving import stack
from ..functions.pointwise import sigmoid, tanh
from ..functions.random import rand
from ..modes import no_grad, scope
from ..nn.functional import cross_entropy, softmax
from ..tensor import Tensor

__all__ = ["LSTMcell", "States"]


class States(NamedTuple):
    """What happened at each step, ``(T, hidden)`` each: gates, candidate, cell, output; and the scores ``(T, symbols)``."""

    i: Tensor
    f: Tensor
    o: Tensor
    a: Tensor
    c: Tensor
    h: Tensor
    scores: Tensor

    @property
    def y(self) -> Tensor:
        """The probabilities of the symbols at each step."""
        return softmax(self.scores, -1)


class LSTMcell:
    """Symbols in, symbols out: at each step the distribution of the label.

        i, f, o = sigmoid(W_x[:, x_t] + W_h h + b)         c' = f c + i a
        a = tanh(W_x[:, x_t] + W_h h + b)                  h' = o tanh(c'),  y = softmax(W_y h' + b_y)

    data_dim    number of symbols V
    hidden_dim  units H
    weights     by name: whi, wxi, bi of gate i, likewise f, o and a; wy, by. Matrices start uniform in ±1/sqrt(their columns)

    Example::

        cell = LSTMcell(data_dim=5, hidden_dim=16)
        history = cell.train(xs, ys, learning_rate=0.1, n_epoch=20)
        cell.predict(xs[0])

    Two things that are easily got wrong: the candidate a has tanh, a sigmoid there could never lower the cell; and tanh is not
    ``(e^x - e^-x) / (e^x + e^-x)``, which overflows.
    """

    GATES = "ifoa"

    def __init__(self, data_dim: int, hidden_dim: int = 100, dtype: Any = None) -> None:
        if min(data_dim, hidden_dim) < 1:
            raise ValueError(f"LSTMcell: sizes must be positive, got {data_dim} and {hidden_dim}")
        self.data_dim, self.hidden_dim = data_dim, hidden_dim
        self.weights: dict[str, Tensor] = {}
        for gate in self.GATES:
            self.weights[f"wh{gate}"] = self._matrix(hidden_dim, hidden_dim, dtype)
            self.weights[f"wx{gate}"] = self._matrix(hidden_dim, data_dim, dtype)
            self.weights[f"b{gate}"] = zeros(hidden_dim, dtype=dtype, requires_grad=True)
        self.weights["wy"] = self._matrix(data_dim, hidden_dim, dtype)
        self.weights["by"] = zeros(data_dim, dtype=dtype, requires_grad=True)

    @staticmethod
    def _matrix(rows: int, columns: int, dtype: Any) -> Tensor:
        bound = columns**-0.5
        start: Tensor = rand(rows, columns, dtype=dtype) * (2 * bound) - bound
        return start.requires_grad_()

    def _symbols(self, x: Any) -> Tensor:
        symbols = as_tensor(x)
        found = symbols.numpy()
        if symbols.ndim != 1 or found.size == 0 or found.dtype.kind not in "iu":
            raise ValueError(f"LSTMcell: a sequence holds integers along one axis, at least one; got {symbols._type()}")
        if found.min() < 0 or found.max() >= self.data_dim:
            raise IndexOutOfRange(f"LSTMcell: symbols lie in [0, {self.data_dim}), got {found.min()} to {found.max()}")
        return symbols

    def forward(self, x: Any) -> States:
        """One sequence: x ``(T,)`` of symbols."""
        symbols, w = self._symbols(x), self.weights
        h = c = zeros(self.hidden_dim, dtype=w["wy"].dtype)
        steps = []
        for t in range(len(symbols)):
            with scope("step", t):
                net = {g: matmul(w[f"wh{g}"], h) + w[f"wx{g}"][:, symbols[t]] + w[f"b{g}"] for g in self.GATES}
                i, f, o, a = sigmoid(net["i"]), sigmoid(net["f"]), sigmoid(net["o"]), tanh(net["a"])
                c = f * c + i * a
                h = o * tanh(c)
                steps.append((i, f, o, a, c, h, matmul(w["wy"], h) + w["by"]))
        return States(*(stack(parts) for parts in zip(*steps, strict=True)))

    def predict(self, x: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The likeliest label of each symbol, ``(T,)``."""
        with no_grad():
            found: np.ndarray[Any, np.dtype[np.int64]] = self.forward(x).scores.argmax(-1).numpy()
        return found

    def loss(self, x: Sequence[Any], y: Sequence[Any]) -> float:
        """The mean of -log(probability of the right label), in nats, over all symbols of many sequences."""
        self._check_pairs(x, y)
        with no_grad():
            total = sum(self._sequence_loss(one, labels).item() for one, labels in zip(x, y, strict=True))
        return total / sum(len(labels) for labels in y)

    def _sequence_loss(self, x: Any, y: Any) -> Tensor:
        labels = self._symbols(y)
        if len(labels) != len(x):
            raise ValueError(f"LSTMcell: a sequence of {len(x)} symbols needs as many labels, got {len(labels)}")
        return cross_entropy(self.forward(x).scores, labels, reduction="sum")

    def bptt(self, x: Any, y: Any) -> dict[str, Tensor]:
        """Backpropagation through time: the gradient of one sequence's summed loss with respect to each weight. The tape of
        ``forward`` is replayed backward, the last step first."""
        for weight in self.weights.values():
            weight.grad = None
        self._sequence_loss(x, y).backward()
        return {name: weight.grad for name, weight in self.weights.items() if weight.grad is not None}

    def sgd_step(self, x: Any, y: Any, learning_rate: float) -> None:
        """One sequence's gradient step: ``w -= learning_rate dw``."""
        if not learning_rate > 0:
            raise ValueError(f"LSTMcell: the learning rate must be positive, got {learning_rate}")
        gradients = self.bptt(x, y)
        with no_grad():
            for name, gradient in gradients.items():
                self.weights[name].sub_(learning_rate * gradient)

    def train(
        self,
        x_train: Sequence[Any],
        y_train: Sequence[Any],
        learning_rate: float = 0.05,
        n_epoch: int = 5,
        verbose: bool = False,
    ) -> list[float]:
        """Steps over all sequences, n_epoch times; the rate is halved whenever the loss has risen. Returns the losses."""
        self._check_pairs(x_train, y_train)
        losses: list[float] = []
        for epoch in range(n_epoch):
            for x, y in zip(x_train, y_train, strict=True):
                self.sgd_step(x, y, learning_rate)
            losses.append(self.loss(x_train, y_train))
            if verbose:
                print(f"epoch {epoch + 1}: loss = {losses[-1]:.4f}, learning rate = {learning_rate:g}")  # noqa: T201
            if len(losses) > 1 and losses[-1] > losses[-2]:
                learning_rate *= 0.5
        return losses

    @staticmethod
    def _check_pairs(x: Sequence[Any], y: Sequence[Any]) -> None:
        if len(x) != len(y) or not len(x):
            raise ValueError(
                f"LSTMcell: needs as many sequences of labels as sequences, at least one; got {len(x)} and {len(y)}"
            )
