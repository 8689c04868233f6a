"""Positional encodings: what tells attention, which sees a set, where in the sequence a vector stands."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import canonical_dtype, float32
from ..errors import ShapeError
from ..functions.random import randn
from ..modes import no_grad
from ..tensor import Tensor, from_array
from .dropout import Dropout
from .module import Module, Parameter

__all__ = ["LearnedPositionalEncoding", "SinusoidalPositionalEncoding"]


class _Positional(Module):
    """``dropout(x + pe[:L])``: ``pe`` is ``(max_len, d_model)``."""

    pe: Tensor

    def __init__(self, d_model: int, dropout: float, max_len: int, batch_first: bool) -> None:
        if d_model <= 0 or max_len <= 0:
            raise ValueError(f"{type(self).__name__}: sizes must be positive, got {d_model} and {max_len}")
        self.dropout = Dropout(dropout)
        self.batch_first = batch_first

    def forward(self, input: Tensor) -> Tensor:
        """input and result ``(L, N, E)``, with batch_first ``(N, L, E)``, or ``(L, E)``. Raises ShapeError where L > max_len."""
        along = 1 if self.batch_first and input.ndim == 3 else 0
        longest, features = self.pe.shape
        if input.ndim not in (2, 3) or input.shape[-1] != features or input.shape[along] > longest:
            axes = "(N, L, " if self.batch_first else "(L, N, "
            raise ShapeError(f"{type(self).__name__}: needs {axes}{features}) with L up to {longest}, got {input._type()}")
        pe = self.pe[: input.shape[along]]
        result: Tensor = self.dropout(input + (pe.unsqueeze(1) if input.ndim == 3 and along == 0 else pe))
        return result

    def extra_repr(self) -> str:
        return f"{self.pe.shape[1]}, max_len={self.pe.shape[0]}, batch_first={self.batch_first}"


class SinusoidalPositionalEncoding(_Positional):
    """Adds ``pe[t, 2i] = sin(t / 10000^(2i/E))``, ``pe[t, 2i+1] = cos(t / 10000^(2i/E))`` (Vaswani et al. 2017, 3.5), then dropout.

    d_model      features E
    dropout      probability, in training
    max_len      longest sequence
    batch_first  sequences as ``(N, L, E)`` instead of ``(L, N, E)``
    ``pe`` is a buffer that is not saved: it is the same for every model.
    """

    def __init__(
        self, d_model: int, dropout: float = 0.1, max_len: int = 5000, batch_first: bool = False, dtype: Any = None
    ) -> None:
        super().__init__(d_model, dropout, max_len, batch_first)
        angles = np.arange(max_len)[:, None] * np.exp(np.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        table = np.zeros((max_len, d_model))
        table[:, 0::2] = np.sin(angles)
        table[:, 1::2] = np.cos(angles[:, : d_model // 2])
        kind = float32 if dtype is None else canonical_dtype(dtype)
        self.register_buffer("pe", from_array(table.astype(kind)), persistent=False)


class LearnedPositionalEncoding(_Positional):
    """Adds a learned vector per position, then dropout. Arguments as of ``SinusoidalPositionalEncoding``.

    pe ``(max_len, d_model)`` starts normal with deviation 0.02 (Radford et al. 2018).
    """

    pe: Parameter

    def __init__(
        self, d_model: int, dropout: float = 0.1, max_len: int = 5000, batch_first: bool = False, dtype: Any = None
    ) -> None:
        super().__init__(d_model, dropout, max_len, batch_first)
        with no_grad():
            self.pe = Parameter(randn(max_len, d_model, dtype=dtype) * 0.02)
