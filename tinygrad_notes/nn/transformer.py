"""The Transformer (Vaswani et al. 2017): layers of attention and a small network per position, stacked."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from ..errors import ArgumentError, ShapeError
from ..functions.creation import full
from ..functions.moving import triu
from ..tensor import Tensor
from . import functional as F
from .attention import MultiheadAttention
from .containers import ModuleList
from .dropout import Dropout
from .init import xavier_uniform_
from .layers import Linear
from .module import Module
from .normalization import LayerNorm

__all__ = [
    "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer",
]  # fmt: skip

Activation = Callable[[Tensor], Tensor]
_ACTIVATIONS: dict[str, Activation] = {"relu": F.relu, "gelu": F.gelu}


class _Layer(Module):
    """Sub-layers, each with a residual and a normalisation; the last one is a network per position."""

    _attentions: tuple[str, ...] = ()

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        if isinstance(activation, str) and activation not in _ACTIVATIONS:
            raise ArgumentError(f"{type(self).__name__}: activation should be relu, gelu or a function, not {activation!r}")
        for name in self._attentions:
            setattr(self, name, MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype))
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype)
        self.norm_first = norm_first
        numbers = range(1, len(self._attentions) + 2)
        for i in numbers:
            setattr(self, f"norm{i}", LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype))
        for i in numbers:
            setattr(self, f"dropout{i}", Dropout(dropout))
        self.activation = _ACTIVATIONS[activation] if isinstance(activation, str) else activation

    def _residual(self, number: int, x: Tensor, sublayer: Callable[[Tensor], Tensor]) -> Tensor:
        """``norm(x + dropout(sublayer(x)))``, or ``x + dropout(sublayer(norm(x)))`` with norm_first."""
        norm, dropout = getattr(self, f"norm{number}"), getattr(self, f"dropout{number}")
        result: Tensor = x + dropout(sublayer(norm(x))) if self.norm_first else norm(x + dropout(sublayer(x)))
        return result

    def _network(self, x: Tensor) -> Tensor:
        result: Tensor = self.linear2(self.dropout(self.activation(self.linear1(x))))
        return result


class TransformerEncoderLayer(_Layer):
    """Self-attention, then a network per position; around each a residual, dropout and a normalisation.

    d_model          features E of every position
    nhead            attention heads
    dim_feedforward  hidden units of the network
    dropout          probability behind each sub-layer, inside the network and of attention weights, in training
    activation       of the network: "relu", "gelu" or a function
    layer_norm_eps   of the normalisations
    batch_first      ``(N, L, E)`` instead of ``(L, N, E)``
    norm_first       normalise what goes into a sub-layer, not the sum behind it
    bias             with biases
    Raises ArgumentError for an activation that is not known, ValueError for sizes that do not fit.
    """

    _attentions = ("self_attn",)
    self_attn: MultiheadAttention

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """src and result ``(L, N, E)``; masks as of ``MultiheadAttention``."""

        def attention(x: Tensor) -> Tensor:
            out: Tensor = self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)[0]
            return out

        return self._residual(2, self._residual(1, src, attention), self._network)


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to the encoder's output, a network per position. Arguments as of ``TransformerEncoderLayer``."""

    _attentions = ("self_attn", "multihead_attn")
    self_attn: MultiheadAttention
    multihead_attn: MultiheadAttention

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """tgt and result ``(T, N, E)``; memory, the encoder's output, ``(S, N, E)``; masks as of ``MultiheadAttention``."""

        def attention(x: Tensor) -> Tensor:
            out: Tensor = self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal)[0]
            return out

        def cross(x: Tensor) -> Tensor:
            masks: dict[str, Any] = {"key_padding_mask": memory_key_padding_mask, "attn_mask": memory_mask}
            out: Tensor = self.multihead_attn(x, memory, memory, need_weights=False, is_causal=memory_is_causal, **masks)[0]
            return out

        return self._residual(3, self._residual(2, self._residual(1, tgt, attention), cross), self._network)


class _Stack(Module):
    """Copies of one layer, one after the other."""

    def __init__(self, layer: Module, num_layers: int, norm: Module | None) -> None:
        if not isinstance(num_layers, int) or num_layers < 0:
            raise ValueError(f"{type(self).__name__}: num_layers must be an integer of 0 or more, got {num_layers!r}")
        self.layers = ModuleList(deepcopy(layer) for _ in range(num_layers))
        self.num_layers = num_layers
        self.norm = norm

    def _run(self, x: Tensor, *rest: Any, **masks: Any) -> Tensor:
        for layer in self.layers:
            x = layer(x, *rest, **masks)
        return x if self.norm is None else self.norm(x)


class TransformerEncoder(_Stack):
    """``num_layers`` copies of ``encoder_layer`` (each starts with its values), then ``norm``."""

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(encoder_layer, num_layers, norm)

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """src and result ``(L, N, E)``; masks as of ``MultiheadAttention``; is_causal: a hint, which changes nothing here."""
        return self._run(src, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=bool(is_causal))


class TransformerDecoder(_Stack):
    """``num_layers`` copies of ``decoder_layer`` (each starts with its values), then ``norm``."""

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """tgt and result ``(T, N, E)``; memory ``(S, N, E)``; masks as of ``MultiheadAttention``."""
        masks = tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask
        return self._run(tgt, memory, *masks, tgt_is_causal=bool(tgt_is_causal), memory_is_causal=memory_is_causal)


class Transformer(Module):
    """Encoder and decoder, each with a last normalisation; all matrices start with Xavier's uniform values.

    num_encoder_layers, num_decoder_layers  how many layers
    custom_encoder, custom_decoder          modules to use instead
    The other arguments as of ``TransformerEncoderLayer``.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = F.relu,
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        layer = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, dtype)

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)

        self.encoder = custom_encoder or TransformerEncoder(TransformerEncoderLayer(*layer), num_encoder_layers, norm())
        self.decoder = custom_decoder or TransformerDecoder(TransformerDecoderLayer(*layer), num_decoder_layers, norm())
        for parameter in self.parameters():
            if parameter.ndim > 1:
                xavier_uniform_(parameter)
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """src ``(S, N, E)``; tgt and result ``(T, N, E)``; masks as of ``MultiheadAttention``."""
        along = 0 if self.batch_first or src.ndim == 2 else 1
        if src.ndim != tgt.ndim or (src.ndim == 3 and src.shape[along] != tgt.shape[along]):
            raise ShapeError(f"Transformer: src {src._type()} and tgt {tgt._type()} must hold the same number of sequences")
        if not src.shape[-1] == tgt.shape[-1] == self.d_model:
            raise ShapeError(f"Transformer: src {src._type()} and tgt {tgt._type()} must have {self.d_model} features")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        masks = tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask
        result: Tensor = self.decoder(tgt, memory, *masks, tgt_is_causal=tgt_is_causal, memory_is_causal=memory_is_causal)
        return result

    @staticmethod
    def generate_square_subsequent_mask(sz: int, dtype: Any = None) -> Tensor:
        """``(sz, sz)``: -inf above the diagonal, where position i would look at a later one, else 0."""
        return triu(full((sz, sz), float("-inf"), dtype=dtype), 1)
