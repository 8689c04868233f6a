"""Layers without memory: linear and bilinear maps, table look-ups, changes of shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ShapeError
from ..functions.random import rand, randn
from ..functions.shape import flatten, unflatten
from ..modes import no_grad
from ..tensor import Tensor
from . import functional as F
from .applied import Applied
from .module import Module, Parameter

__all__ = ["Bilinear", "Embedding", "EmbeddingBag", "Flatten", "Identity", "Linear", "Unflatten"]


def uniform_parameter(shape: tuple[int, ...], fan_in: int, dtype: Any = None) -> Parameter:
    """U(-1/sqrt(fan_in), 1/sqrt(fan_in)): PyTorch's start of linear and recurrent layers."""
    bound = fan_in**-0.5 if fan_in > 0 else 0.0
    with no_grad():
        return Parameter(rand(shape, dtype=dtype) * (2 * bound) - bound)


class Linear(Module):
    """``x Wᵀ + b``.

    in_features, out_features  lengths of the last axis before and after
    weight ``(out, in)``, bias ``(out,)`` or None; both start uniform in ±1/sqrt(in)
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, dtype: Any = None) -> None:
        self.in_features, self.out_features = in_features, out_features
        self.weight = uniform_parameter((out_features, in_features), in_features, dtype)
        self.bias = uniform_parameter((out_features,), in_features, dtype) if bias else None

    def forward(self, input: Tensor) -> Tensor:
        """input ``(*, in)``; result ``(*, out)``."""
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Embedding(Module):
    """A table of vectors, looked up by integers.

    num_embeddings  rows V
    embedding_dim   columns D
    padding_idx     a row that starts at 0 and gets no gradient
    weight ``(V, D)`` starts standard normal
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, dtype: Any = None) -> None:
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ShapeError(f"Embedding: padding_idx={padding_idx} is no row of a table of {num_embeddings}")
        self.num_embeddings, self.embedding_dim, self.padding_idx = num_embeddings, embedding_dim, padding_idx
        self.weight = Parameter(randn(num_embeddings, embedding_dim, dtype=dtype))
        if padding_idx is not None:
            with no_grad():
                self.weight[padding_idx] = 0.0

    def forward(self, input: Tensor) -> Tensor:
        """input ``(*)`` of integers in [0, V); result ``(*, D)``."""
        return F.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}" + (
            "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        )


class EmbeddingBag(Embedding):
    """The sum, mean or largest of looked-up rows, one vector per bag: ``F.embedding_bag``.

    num_embeddings, embedding_dim, padding_idx  as of ``Embedding``
    mode                 "sum", "mean" or "max"
    include_last_offset  offsets end with the length of the input
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, *, mode: str = "mean", include_last_offset: bool = False,
        padding_idx: int | None = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        if mode not in ("sum", "mean", "max"):
            raise ValueError(f"EmbeddingBag: mode must be 'sum', 'mean' or 'max', got {mode!r}")
        super().__init__(num_embeddings, embedding_dim, padding_idx, dtype)
        self.mode, self.include_last_offset = mode, include_last_offset

    def forward(self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None) -> Tensor:
        """input ``(B, L)``, or ``(N,)`` with offsets ``(B,)``; result ``(B, D)``."""
        return F.embedding_bag(
            input, self.weight, offsets, mode=self.mode, per_sample_weights=per_sample_weights,
            include_last_offset=self.include_last_offset, padding_idx=self.padding_idx,
        )  # fmt: skip

    def extra_repr(self) -> str:
        shown = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}, mode={self.mode!r}{shown}"


class Bilinear(Module):
    """``y_k = x1ᵀ W_k x2 + b_k``; weight ``(out, in1, in2)`` and bias ``(out,)`` start uniform in ±1/sqrt(in1)."""

    def __init__(self, in1_features: int, in2_features: int, out_features: int, bias: bool = True, dtype: Any = None) -> None:
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        self.weight = uniform_parameter((out_features, in1_features, in2_features), in1_features, dtype)
        self.bias = uniform_parameter((out_features,), in1_features, dtype) if bias else None

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """input1 ``(*, in1)``, input2 ``(*, in2)``; result ``(*, out)``."""
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Identity(Module):
    """Its input; a place holder that takes any arguments."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """The input itself."""
        return input


class Flatten(Applied, function=flatten, settings="start_dim end_dim"):
    """The axes from ``start_dim`` to ``end_dim`` as one; by default all but the first."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__(start_dim, end_dim)


class Unflatten(Module):
    """One axis as several."""

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, input: Tensor) -> Tensor:
        """The axis ``dim`` of the input becomes axes of ``unflattened_size``."""
        return unflatten(input, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
