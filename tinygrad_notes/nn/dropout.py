"""Dropout as modules."""

from __future__ import annotations

from ..tensor import Tensor
from . import functional as F
from .module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d"]


class Dropout(Module):
    """In training, each value is 0 with probability p and the others are divided by 1 - p; in evaluation, nothing.

    Srivastava et al. 2014 drop half of the hidden values, and of the inputs, in front of the first layer, a fifth: ``Dropout(0.2)``.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"{type(self).__name__}: the probability must lie in [0, 1], got {p}")
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        """input and result of any shape."""
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout1d(Dropout):
    """Dropout of whole channels, whose neighbours hold much of what a single value does."""

    def forward(self, input: Tensor) -> Tensor:
        """input and result ``(N, C, L)`` or ``(C, L)``."""
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(Dropout):
    """Dropout of whole channels."""

    def forward(self, input: Tensor) -> Tensor:
        """input and result ``(N, C, H, W)`` or ``(N, C, L)``."""
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(Dropout):
    """Dropout of whole channels."""

    def forward(self, input: Tensor) -> Tensor:
        """input and result ``(N, C, D, H, W)`` or ``(C, D, H, W)``."""
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(Dropout):
    """Dropout that keeps mean 0 and variance 1 behind ``SELU``."""

    def forward(self, input: Tensor) -> Tensor:
        """input and result of any shape."""
        return F.alpha_dropout(input, self.p, self.training, self.inplace)
