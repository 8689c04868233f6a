"""Activations as modules."""

from __future__ import annotations

from typing import Any

from ..functions.creation import full
from ..tensor import Tensor
from . import functional as F
from .applied import Applied
from .layers import Linear
from .module import Module, Parameter

__all__ = [
    "CELU", "ELU", "GELU", "GLU", "SELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU", "LogSigmoid",
    "LogSoftmax", "Maxout", "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "SiLU", "Sigmoid", "Softmax", "Softmin", "Softplus",
    "Softshrink", "Softsign", "Step", "Tanh", "Tanhshrink", "Threshold",
]  # fmt: skip


class ReLU(Applied, function=F.relu):
    """``max(x, 0)``."""


class ReLU6(Applied, function=F.relu6):
    """``min(max(x, 0), 6)``."""


class LeakyReLU(Applied, function=F.leaky_relu):
    """``x`` where it is positive, else ``negative_slope * x``."""


class RReLU(Applied, function=F.rrelu, settings="lower upper inplace"):
    """``x`` where it is positive, else ``a x``; a is random between the bounds in training, their middle in evaluation."""

    lower: float
    upper: float
    inplace: bool

    def forward(self, input: Tensor) -> Tensor:
        """input and result of any shape."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class Step(Applied, function=F.step):
    """0 below 0, 1 above, ``at_zero`` at 0; no gradient passes."""


class ELU(Applied, function=F.elu):
    """``x`` where it is positive, else ``alpha (exp(x) - 1)``."""


class CELU(Applied, function=F.celu):
    """``x`` where it is positive, else ``alpha (exp(x / alpha) - 1)``."""


class SELU(Applied, function=F.selu):
    """``1.0507 elu(x, alpha=1.6733)``."""


class GELU(Applied, function=F.gelu):
    """``x Φ(x)``, or its approximation by tanh."""


class SiLU(Applied, function=F.silu):
    """``x σ(x)``."""


class Mish(Applied, function=F.mish):
    """``x tanh(softplus(x))``."""


class Sigmoid(Applied, function=F.sigmoid):
    """``1 / (1 + exp(-x))``."""


class LogSigmoid(Applied, function=F.logsigmoid):
    """``log σ(x)``."""


class Tanh(Applied, function=F.tanh):
    """``tanh(x)``."""


class Tanhshrink(Applied, function=F.tanhshrink):
    """``x - tanh(x)``."""


class Softplus(Applied, function=F.softplus):
    """``log(1 + exp(beta x)) / beta``."""


class Softsign(Applied, function=F.softsign):
    """``x / (1 + |x|)``."""


class Hardtanh(Applied, function=F.hardtanh):
    """``x`` between two bounds, else the nearer one."""


class Hardsigmoid(Applied, function=F.hardsigmoid):
    """``x / 6 + 1/2`` between 0 and 1."""


class Hardswish(Applied, function=F.hardswish):
    """``x`` times ``Hardsigmoid``."""


class Threshold(Applied, function=F.threshold, settings="threshold value inplace"):
    """``x`` where it is above the threshold, else ``value``."""


class _Shrink:
    """torch shows their setting without its name."""

    lambd: float

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(_Shrink, Applied, function=F.hardshrink):
    """``x`` outside ``[-lambd, lambd]``, else 0."""


class Softshrink(_Shrink, Applied, function=F.softshrink):
    """``x`` moved by ``lambd`` towards 0."""


class _Along(Applied):
    def __init__(self, dim: int) -> None:
        super().__init__(dim)


class Softmax(_Along, function=F.softmax, settings="dim"):
    """``exp(x_i) / sum_j exp(x_j)`` along ``dim``."""


class LogSoftmax(_Along, function=F.log_softmax, settings="dim"):
    """The logarithm of ``Softmax``."""


class Softmin(_Along, function=F.softmin, settings="dim"):
    """``Softmax`` of ``-x``."""


class GLU(Applied, function=F.glu, settings="dim"):
    """``a σ(b)`` of the two halves along ``dim``."""


class PReLU(Module):
    """``x`` where it is positive, else ``weight * x``; the weight is learned, one for all or one per channel.

    weight ``(num_parameters,)`` starts at ``init``
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, dtype: Any = None) -> None:
        self.num_parameters = num_parameters
        self.weight = Parameter(full((num_parameters,), init, dtype=dtype))

    def forward(self, input: Tensor) -> Tensor:
        """input and result ``(N, C, ...)``, or any shape for a single weight."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class Maxout(Module):
    """Each unit is the largest of ``pieces`` linear functions of the input, all learned (Goodfellow et al. 2013).

    in_features, out_features  lengths of the last axis before and after
    pieces                     linear functions per unit; ``linear`` holds them, those of a unit side by side
    """

    def __init__(self, in_features: int, out_features: int, pieces: int = 2, bias: bool = True, dtype: Any = None) -> None:
        if pieces < 1:
            raise ValueError(f"Maxout: needs at least one piece per unit, got {pieces}")
        self.in_features, self.out_features, self.pieces = in_features, out_features, pieces
        self.linear = Linear(in_features, out_features * pieces, bias, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """input ``(*, in)``; result ``(*, out)``."""
        return F.maxout(self.linear(input), self.pieces)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, pieces={self.pieces}"
