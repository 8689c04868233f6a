"""Multi-head attention (Vaswani et al. 2017) as a module, with PyTorch's parameters."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError, DtypeError, ShapeError
from ..functions import pointwise
from ..functions.creation import zeros
from ..functions.moving import cat
from ..functions.reduce import mean
from ..functions.shape import expand, permute, reshape, squeeze, unsqueeze
from ..tensor import Tensor
from . import functional as F
from .functional.attention import attend
from .init import xavier_normal_, xavier_uniform_
from .layers import Linear
from .module import Module, Parameter

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """``cat(head_1 ... head_h) W_Oᵀ + b_O``, each head attention over its own E / h features of Q, K and V.

    embed_dim      E, of queries and results
    num_heads      h; divides E
    dropout        probability with which an attention weight is dropped, in training
    bias           with in_proj_bias ``(3E,)`` and out_proj.bias ``(E,)``, which start at 0
    add_bias_kv    one more key and value, learned: bias_k, bias_v ``(1, 1, E)``
    add_zero_attn  one more key and value, 0
    kdim, vdim     features of keys and values, where they are not E
    batch_first    sequences as ``(N, L, E)`` instead of ``(L, N, E)``
    in_proj_weight ``(3E, E)``; with kdim or vdim instead q_proj_weight ``(E, E)``, k_proj_weight ``(E, kdim)``, v_proj_weight
    ``(E, vdim)``: Xavier's uniform at first.
    Raises ValueError for sizes that are not positive or heads that do not divide E.
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0 or embed_dim % num_heads:
            raise ValueError(f"MultiheadAttention: {embed_dim} features do not divide into {num_heads} heads")
        if not 0 <= dropout <= 1:
            raise ValueError(f"MultiheadAttention: dropout must lie in [0, 1], got {dropout}")
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.kdim, self.vdim = embed_dim if kdim is None else kdim, embed_dim if vdim is None else vdim
        self.dropout, self.batch_first, self.add_zero_attn = dropout, batch_first, add_zero_attn

        def weight(*shape: int) -> Parameter:
            made = Parameter(zeros(*shape, dtype=dtype))
            (xavier_uniform_ if len(shape) == 2 else xavier_normal_)(made)
            return made

        joint = self.kdim == self.vdim == embed_dim
        self.in_proj_weight = weight(3 * embed_dim, embed_dim) if joint else None
        if not joint:
            self.q_proj_weight, self.k_proj_weight = weight(embed_dim, embed_dim), weight(embed_dim, self.kdim)
            self.v_proj_weight = weight(embed_dim, self.vdim)
        self.in_proj_bias = Parameter(zeros(3 * embed_dim, dtype=dtype)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype)
        if self.out_proj.bias is not None:
            self.out_proj.bias.detach().zero_()
        self.bias_k, self.bias_v = (weight(1, 1, embed_dim) if add_bias_kv else None for _ in "kv")

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend.

        query                 ``(L, N, E)``, with batch_first ``(N, L, E)``, or one sequence ``(L, E)``
        key, value            ``(S, N, kdim)``, ``(S, N, vdim)``, likewise
        key_padding_mask      ``(N, S)``: bools, True where a key is padding, or floats that are added to the scores
        attn_mask             ``(L, S)`` or ``(N h, L, S)``: bools, **True where a query may not look**, or floats that are added
        need_weights          return the weights ``(N, L, S)`` too, the mean over heads
        average_attn_weights  False: the weights ``(N, h, L, S)`` of each head
        is_causal             a hint that attn_mask is causal; it changes nothing here
        result                ``(L, N, E)`` like query, and the weights or None
        A query that may look nowhere gets weights 0. Raises ShapeError where shapes do not fit.
        """
        self._check(query, key, value)
        if is_causal and attn_mask is None:
            raise ArgumentError(
                "MultiheadAttention: is_causal=True says what attn_mask is, it does not replace it; give "
                "attn_mask=nn.Transformer.generate_square_subsequent_mask(length)"
            )
        single = query.ndim == 2
        if single:
            axis = 0 if self.batch_first else 1
            query, key, value = (unsqueeze(x, axis) for x in (query, key, value))
            key_padding_mask = None if key_padding_mask is None else unsqueeze(key_padding_mask, 0)
        q, k, v = self._projected(query, key, value)
        mask = self._mask(q, k, key_padding_mask, attn_mask)
        k, v, mask = self._extended(k, v, mask)
        dropped = self.dropout if self.training else 0.0
        out, weights = attend(self._heads(q), self._heads(k), self._heads(v), mask, dropped)
        out = permute(out, *((0, 2, 1, 3) if self.batch_first else (2, 0, 1, 3)))
        result = self.out_proj(reshape(out, *query.shape[:2], self.embed_dim))
        if single:
            result = squeeze(result, axis)
        if not need_weights:
            return result, None
        shown = mean(weights, 1) if average_attn_weights else weights
        return result, shown[0] if single else shown

    def _check(self, query: Tensor, key: Tensor, value: Tensor) -> None:
        axes = "(N, L, E)" if self.batch_first else "(L, N, E)"
        wanted = f"MultiheadAttention: needs query {axes}, key and value alike with {self.kdim} and {self.vdim} features"
        given = f", got {query._type()}, {key._type()} and {value._type()}"
        if query.ndim not in (2, 3) or not query.ndim == key.ndim == value.ndim:
            raise ShapeError(f"{wanted}, or all three without N{given}")
        if (query.shape[-1], key.shape[-1], value.shape[-1]) != (self.embed_dim, self.kdim, self.vdim):
            raise ShapeError(f"{wanted}, E = {self.embed_dim}{given}")
        batch = 0 if self.batch_first else 1
        if key.shape[:-1] != value.shape[:-1] or (query.ndim == 3 and query.shape[batch] != key.shape[batch]):
            raise ShapeError(f"{wanted}, as many values as keys, one N{given}")

    def _projected(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Q, K and V, each ``(..., E)``. The weights are cut, not the results: three gradients of slices of W cost little."""
        e, b = self.embed_dim, self.in_proj_bias
        if self.in_proj_weight is None:
            weights = self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        else:
            weights = tuple(self.in_proj_weight[i * e : (i + 1) * e] for i in range(3))  # type: ignore[assignment]
        biases = (None,) * 3 if b is None else (b[i * e : (i + 1) * e] for i in range(3))
        q, k, v = (F.linear(x, w, c) for x, w, c in zip((query, key, value), weights, biases, strict=True))
        return q, k, v

    def _heads(self, x: Tensor) -> Tensor:
        """``(N, L, E)`` or ``(L, N, E)`` to ``(N, h, L, E / h)``."""
        split = reshape(x, *x.shape[:2], self.num_heads, self.head_dim)
        return permute(split, *((0, 2, 1, 3) if self.batch_first else (1, 2, 0, 3)))

    def _mask(self, q: Tensor, k: Tensor, padding: Tensor | None, mask: Tensor | None) -> Tensor | None:
        """Both masks as one that broadcasts to ``(N, h, L, S)``: bools, True where a query may look, or floats to add."""
        along = 1 if self.batch_first else 0
        n, length, keys = q.shape[1 - along], q.shape[along], k.shape[along]
        for name, given in (("key_padding_mask", padding), ("attn_mask", mask)):
            if given is not None and given.dtype.kind not in "bf":
                raise DtypeError(f"MultiheadAttention: {name} must hold bools or floats, got {given._type()}")
        if padding is not None:
            if padding.shape != (n, keys):
                raise ShapeError(f"MultiheadAttention: key_padding_mask must be {[n, keys]}, got {padding._type()}")
            padding = reshape(padding, n, 1, 1, keys)
        if mask is not None:
            if mask.shape not in ((length, keys), (n * self.num_heads, length, keys)):
                wanted = f"{[length, keys]} or {[n * self.num_heads, length, keys]}"
                raise ShapeError(f"MultiheadAttention: attn_mask must be {wanted}, got {mask._type()}")
            mask = reshape(mask, -1, self.num_heads, length, keys) if mask.ndim == 3 else mask
        masks = [m for m in (padding, mask) if m is not None]
        if not masks:
            return None
        if all(m.dtype.kind == "b" for m in masks):
            return ~(masks[0] if len(masks) == 1 else masks[0] | masks[1])
        added = [m.to(q.dtype) if m.dtype.kind == "f" else _blinding(m, q.dtype) for m in masks]
        return added[0] if len(added) == 1 else added[0] + added[1]

    def _extended(self, k: Tensor, v: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """Keys and values with those that ``add_bias_kv`` and ``add_zero_attn`` append; every query may look at them."""
        along = 1 if self.batch_first else 0
        shape = [*k.shape]
        shape[along] = 1
        more: list[tuple[Tensor, Tensor]] = []
        if self.bias_k is not None and self.bias_v is not None:
            more.append((expand(self.bias_k, *shape), expand(self.bias_v, *shape)))
        if self.add_zero_attn:
            more.append((zeros(*shape, dtype=k.dtype),) * 2)
        for extra_k, extra_v in more:
            k, v = cat([k, extra_k], along), cat([v, extra_v], along)
        if mask is not None and more:
            open_ = zeros(*mask.shape[:-1], len(more), dtype=mask.dtype)
            mask = cat([mask, ~open_ if mask.dtype.kind == "b" else open_], -1)
        return k, v, mask


def _blinding(mask: Tensor, dtype: Any) -> Tensor:
    """Bools that forbid as floats to add."""
    return pointwise.where(mask, float("-inf"), zeros((), dtype=dtype))
