"""LSTM (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000), with PyTorch's parameters: gates in the order
i, f, g, o, two biases.

    i = sigmoid(x W_iiᵀ + b_ii + h W_hiᵀ + b_hi)        c' = f * c + i * g
    f, o likewise; g with tanh                          h' = o * tanh(c')

Nothing here knows a derivative: backpropagation through time is the tape of these lines, replayed.
"""

from __future__ import annotations

from typing import Any

from ..errors import ShapeError
from ..functions.creation import zeros
from ..functions.linalg import matmul
from ..functions.moving import cat, stack
from ..functions.pieces import chunk
from ..functions.pointwise import sigmoid, tanh
from ..functions.shape import transpose, unsqueeze
from ..modes import scope
from ..tensor import Tensor
from . import functional as F
from .layers import uniform_parameter
from .module import Module, Parameter

__all__ = ["LSTM", "LSTMCell"]

State = tuple[Tensor, Tensor]


def lstm_step(gates_x: Tensor, h: Tensor, c: Tensor, w_hh_t: Tensor) -> State:
    """One time step. gates_x ``(B, 4H)``: the input's share with both biases; h, c ``(B, H)``; w_hh_t ``(H, 4H)``."""
    i, f, g, o = chunk(gates_x + matmul(h, w_hh_t), 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


class LSTMCell(Module):
    """One step of an LSTM.

    weight_ih ``(4H, in)``, weight_hh ``(4H, H)``, bias_ih, bias_hh ``(4H,)``; all start uniform in ±1/sqrt(H)
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, dtype: Any = None) -> None:
        _check_sizes("LSTMCell", input_size, hidden_size)
        self.input_size, self.hidden_size = input_size, hidden_size
        self.weight_ih = uniform_parameter((4 * hidden_size, input_size), hidden_size, dtype)
        self.weight_hh = uniform_parameter((4 * hidden_size, hidden_size), hidden_size, dtype)
        self.bias_ih = uniform_parameter((4 * hidden_size,), hidden_size, dtype) if bias else None
        self.bias_hh = uniform_parameter((4 * hidden_size,), hidden_size, dtype) if bias else None

    def forward(self, input: Tensor, hx: State | None = None) -> State:
        """input ``(B, in)`` or ``(in,)``; hx: h and c, ``(B, H)`` each, default 0; result: the new h and c."""
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            raise ShapeError(f"LSTMCell: needs (batch, {self.input_size}), got {input._type()}")
        x = unsqueeze(input, 0) if input.ndim == 1 else input
        shape = (x.shape[0], self.hidden_size)
        if hx is None:
            h = c = zeros(shape, dtype=x.dtype)
        else:
            h, c = (unsqueeze(s, 0) if s.ndim == 1 else s for s in hx)
            _check_state("LSTMCell", (h, c), shape)
        bias = None if self.bias_ih is None or self.bias_hh is None else self.bias_ih + self.bias_hh
        h, c = lstm_step(F.linear(x, self.weight_ih, bias), h, c, self.weight_hh.T)
        return (h[0], c[0]) if input.ndim == 1 else (h, c)

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias_ih is not None else ", bias=False")


class LSTM(Module):
    """LSTM layers over sequences.

    input_size, hidden_size  lengths of the last axis of input and state
    num_layers               stacked: each layer reads the outputs of the one below
    bias                     with bias_ih and bias_hh
    batch_first              sequences as ``(N, T, in)`` instead of ``(T, N, in)``
    dropout                  probability between layers, in training
    bidirectional            a second LSTM reads backward; outputs are joined
    Parameters per layer k: weight_ih_l{k}, weight_hh_l{k}, bias_ih_l{k}, bias_hh_l{k}; the reverse ones end in _reverse.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        dtype: Any = None,
    ) -> None:
        _check_sizes("LSTM", input_size, hidden_size, num_layers)
        if not 0 <= dropout <= 1:
            raise ValueError(f"LSTM: dropout must lie in [0, 1], got {dropout}")
        self.input_size, self.hidden_size, self.num_layers, self.bias = input_size, hidden_size, num_layers, bias
        self.batch_first, self.dropout, self.bidirectional = batch_first, dropout, bidirectional
        self.num_directions = 2 if bidirectional else 1
        for layer in range(num_layers):
            width = input_size if layer == 0 else hidden_size * self.num_directions
            for suffix in ("", "_reverse")[: self.num_directions]:
                shapes: dict[str, tuple[int, ...]] = {
                    "weight_ih": (4 * hidden_size, width),
                    "weight_hh": (4 * hidden_size, hidden_size),
                }
                if bias:
                    shapes |= {"bias_ih": (4 * hidden_size,), "bias_hh": (4 * hidden_size,)}
                for name, shape in shapes.items():
                    setattr(self, f"{name}_l{layer}{suffix}", uniform_parameter(shape, hidden_size, dtype))

    def forward(self, input: Tensor, hx: State | None = None) -> tuple[Tensor, State]:
        """Run over the sequence.

        input   ``(T, N, in)``, with batch_first ``(N, T, in)``, or one sequence ``(T, in)``
        hx      h_0 and c_0, ``(layers * directions, N, H)`` each; default 0
        result  outputs ``(T, N, directions * H)``, and (h_n, c_n) like hx
        """
        single = input.ndim == 2
        if input.ndim not in (2, 3) or input.shape[-1] != self.input_size:
            axes = "(N, T, " if self.batch_first else "(T, N, "
            raise ShapeError(f"LSTM: needs {axes}{self.input_size}) or (T, {self.input_size}), got {input._type()}")
        x = unsqueeze(input, 1) if single else transpose(input, 0, 1) if self.batch_first else input
        if x.shape[0] == 0:
            raise ShapeError(f"LSTM: the sequence {input._type()} has no time steps")
        shape = (self.num_layers * self.num_directions, x.shape[1], self.hidden_size)
        if hx is None:
            states = [(zeros(shape[1:], dtype=x.dtype),) * 2] * shape[0]
        else:
            h_0, c_0 = (unsqueeze(s, 1) if single else s for s in hx)
            _check_state("LSTM", (h_0, c_0), shape)
            states = [(h_0[k], c_0[k]) for k in range(shape[0])]

        finals: list[State] = []
        for layer in range(self.num_layers):
            if layer and self.dropout and self.training:
                x = F.dropout(x, self.dropout)
            ways = []
            for way in range(self.num_directions):
                with scope("layer", layer) if self.num_directions == 1 else scope(("forward", "reverse")[way], layer):
                    h, c = states[layer * self.num_directions + way]
                    outputs, final = self._run(x, h, c, f"_l{layer}" + ("_reverse" if way else ""), bool(way))
                ways.append(outputs)
                finals.append(final)
            x = ways[0] if len(ways) == 1 else cat(ways, -1)

        h_n, c_n = stack([h for h, _ in finals]), stack([c for _, c in finals])
        if single:
            return x[:, 0], (h_n[:, 0], c_n[:, 0])
        return (transpose(x, 0, 1) if self.batch_first else x), (h_n, c_n)

    def _run(self, x: Tensor, h: Tensor, c: Tensor, suffix: str, backward: bool) -> tuple[Tensor, State]:
        """One layer in one direction: the inputs' share of all steps in one product, then step by step."""
        w_ih, w_hh = self._parameter("weight_ih" + suffix), self._parameter("weight_hh" + suffix)
        bias = self._parameter("bias_ih" + suffix) + self._parameter("bias_hh" + suffix) if self.bias else None
        gates_x, w_hh_t = F.linear(x, w_ih, bias), w_hh.T
        outputs: list[Tensor] = []
        steps = range(x.shape[0])
        for t in reversed(steps) if backward else steps:
            with scope("step", t):
                h, c = lstm_step(gates_x[t], h, c, w_hh_t)
            outputs.append(h)
        return stack(outputs[::-1] if backward else outputs), (h, c)

    def _parameter(self, name: str) -> Parameter:
        found: Parameter = getattr(self, name)
        return found

    def extra_repr(self) -> str:
        parts = [f"{self.input_size}, {self.hidden_size}"]
        defaults = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        parts += [f"{key}={getattr(self, key)}" for key, usual in defaults.items() if getattr(self, key) != usual]
        return ", ".join(parts)


def _check_sizes(name: str, *sizes: int) -> None:
    if any(not isinstance(n, int) or n <= 0 for n in sizes):
        raise ValueError(f"{name}: sizes must be positive integers, got {sizes}")


def _check_state(name: str, state: State, shape: tuple[int, ...]) -> None:
    for what, s in zip("hc", state, strict=True):
        if s.shape != shape:
            raise ShapeError(f"{name}: the initial {what} is {s._type()}, but the input needs {list(shape)}")
