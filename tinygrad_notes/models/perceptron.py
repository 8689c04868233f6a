"""The perceptron (Rosenblatt 1958): a line between two classes, learned without a gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import nn
from ..errors import ShapeError
from ..functions.creation import as_tensor, zeros
from ..functions.linalg import matmul
from ..modes import no_grad
from ..nn.functional import step
from ..tensor import Tensor

__all__ = ["Perceptron"]


class Perceptron(nn.Module):
    """``y = step(w x + b)``, 1 where ``w x + b > 0``, else 0.

    features  length of x
    weight ``(features,)`` and bias ``()`` start at 0

    It learns what a line divides (AND, OR), and nothing else: for XOR the four conditions b <= 0, w1 + b > 0, w2 + b > 0,
    w1 + w2 + b <= 0 contradict each other, the two in the middle adding up to w1 + w2 + 2 b > 0, the others to <= 0.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, features: int) -> None:
        self.features = features
        self.register_buffer("weight", zeros(features))
        self.register_buffer("bias", zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """x ``(N, features)``; result ``(N,)``, 0 or 1."""
        if x.ndim != 2 or x.shape[1] != self.features:
            raise ShapeError(f"Perceptron: needs (N, {self.features}), got {x._type()}")
        return step(matmul(x, self.weight) + self.bias)

    def fit(self, x: Any, y: Any, learning_rate: float = 1.0, epochs: int = 100) -> list[int]:
        """Rosenblatt's rule, one example after the other: ``w += lr (y - ŷ) x``, ``b += lr (y - ŷ)``, until an epoch has no mistakes:
        that takes finitely many corrections if a line divides the classes (Novikoff 1962).

        x ``(N, features)``, y ``(N,)`` of 0 and 1; result: the mistakes of each epoch, the last is 0 if all is learned.
        """
        inputs, labels = as_tensor(x).float(), as_tensor(y).float()
        if labels.shape != inputs.shape[:1] or not np.isin(labels.numpy(), (0, 1)).all():
            raise ValueError(f"Perceptron: needs one label, 0 or 1, for each of {inputs._type()}, got {labels._type()}")
        if not learning_rate > 0:
            raise ValueError(f"Perceptron: the learning rate must be positive, got {learning_rate}")
        mistakes: list[int] = []
        while len(mistakes) < epochs and (not mistakes or mistakes[-1]):
            mistakes.append(0)
            for n in range(len(inputs)):
                with no_grad():
                    error = labels[n] - self(inputs[n : n + 1])[0]
                    self.weight.add_(learning_rate * error * inputs[n])
                    self.bias.add_(learning_rate * error)
                mistakes[-1] += int(error.item() != 0)
        return mistakes

    def extra_repr(self) -> str:
        return f"features={self.features}"
