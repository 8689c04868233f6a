"""Recurrent layers with PyTorch's parameters and order of gates: plain (Elman 1990), LSTM (Hochreiter & Schmidhuber 1997; forget
gate: Gers et al. 2000), GRU (Cho et al. 2014). Their formulas stand in ``recurrence``; here is what is around a step.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

from ..errors import ShapeError
from ..functions.creation import zeros
from ..functions.moving import cat, stack
from ..functions.select import index_select
from ..functions.shape import transpose, unsqueeze
from ..modes import no_grad, scope
from ..tensor import Tensor
from . import functional as F
from .layers import uniform_parameter
from .module import Module
from .recurrence import GRU_STEP, LSTM_STEP, RNN_STEPS, Step, Weights, over_time
from .utils.rnn import PackedSequence

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNCell"]

State = tuple[Tensor, ...]


class _Recurrent(Module):
    """Parameters of one or many layers, and their states."""

    kind: ClassVar[Step]
    hidden_size: int
    bias: bool

    def _add(self, width: int, ending: str, dtype: Any) -> None:
        """Parameters of one layer in one direction."""
        rows, hidden = self.kind.gates * self.hidden_size, self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, width), "weight_hh": (rows, hidden)}
        shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)} if self.bias else {}
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            setattr(self, name + ending, uniform_parameter(shapes[name], hidden, dtype) if name in shapes else None)

    def _weights(self, ending: str) -> Weights:
        found = {name: getattr(self, name + ending) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
        return Weights(**found)

    def _state(self, hx: Any, shape: tuple[int, ...], dtype: Any, missing: int | None) -> State:
        """The state that a call starts from: hx, with the examples' axis where one is missing, or 0."""
        if hx is None:
            return (zeros(shape, dtype=dtype),) * len(self.kind.states)
        given = (hx,) if isinstance(hx, Tensor) else tuple(hx)
        if len(given) != len(self.kind.states) or not all(isinstance(s, Tensor) for s in given):
            wanted = " and ".join(self.kind.states)
            raise TypeError(f"{type(self).__name__}: the initial state must be {wanted}, each a Tensor of shape {list(shape)}")
        state = given if missing is None else tuple(unsqueeze(s, missing) if s.ndim == len(shape) - 1 else s for s in given)
        for what, s in zip(self.kind.states, state, strict=True):
            if s.shape != shape:
                raise ShapeError(f"{type(self).__name__}: the initial {what} is {s._type()}, but the input needs {list(shape)}")
        return state

    def _form(self, state: State) -> Any:
        """A state as users see it: one Tensor, or a tuple of two."""
        return state if len(state) > 1 else state[0]


# ---- one step ----


class _Cell(_Recurrent):
    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, dtype: Any = None) -> None:
        _check_sizes(type(self).__name__, input_size, hidden_size)
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        self._add(input_size, "", dtype)

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        """input ``(B, in)`` or ``(in,)``; hx: the state, ``(B, H)`` or ``(H,)`` each, default 0; result: the state after."""
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            raise ShapeError(f"{type(self).__name__}: needs (batch, {self.input_size}), got {input._type()}")
        x = unsqueeze(input, 0) if input.ndim == 1 else input
        state, weights = self._state(hx, (x.shape[0], self.hidden_size), x.dtype, 0), self._weights("")
        share, bias = self.kind.shares(x, weights)
        state = self.kind.step(share, state, weights.weight_hh.T, bias)
        return self._form(tuple(s[0] for s in state) if input.ndim == 1 else state)

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(_Cell):
    """One step of a plain recurrent layer.

    nonlinearity  "tanh" or "relu"
    weight_ih ``(H, in)``, weight_hh ``(H, H)``, bias_ih, bias_hh ``(H,)``; all start uniform in ±1/sqrt(H)
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", dtype: Any = None
    ) -> None:
        self.nonlinearity, self.kind = nonlinearity, _plain_kind("RNNCell", nonlinearity)  # type: ignore[misc]
        super().__init__(input_size, hidden_size, bias, dtype)

    def extra_repr(self) -> str:
        return super().extra_repr() + ("" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}")


class GRUCell(_Cell):
    """One step of a GRU; parameters as of ``RNNCell`` with 3 H rows: r, z, n."""

    kind = GRU_STEP


class _ForgetBias(_Recurrent):
    def forget_bias_(self, value: float = 1.0) -> Self:
        """Let the forget gates start open: the sum of their two biases becomes ``value`` (Gers et al. 2000; Jozefowicz et al. 2015
        recommend 1). Raises ValueError for a layer without biases."""
        if not self.bias:
            raise ValueError(f"{type(self).__name__}: a layer without biases has no forget bias")
        forget = slice(self.hidden_size, 2 * self.hidden_size)
        with no_grad():
            for name, parameter in self.named_parameters():
                if name.startswith("bias"):
                    parameter[forget] = value if name.startswith("bias_ih") else 0.0
        return self


class LSTMCell(_Cell, _ForgetBias):
    """One step of an LSTM, whose state is (h, c); parameters as of ``RNNCell`` with 4 H rows: i, f, g, o."""

    kind = LSTM_STEP


# ---- sequences ----


class _Layers(_Recurrent):
    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, dtype: Any = None,
    ) -> None:  # fmt: skip
        name = type(self).__name__
        _check_sizes(name, input_size, hidden_size, num_layers)
        if not 0 <= dropout <= 1:
            raise ValueError(f"{name}: dropout must lie in [0, 1], got {dropout}")
        self.input_size, self.hidden_size, self.num_layers, self.bias = input_size, hidden_size, num_layers, bias
        self.batch_first, self.dropout, self.bidirectional = batch_first, dropout, bidirectional
        self.num_directions = 2 if bidirectional else 1
        for layer in range(num_layers):
            for ending in ("", "_reverse")[: self.num_directions]:
                self._add(input_size if layer == 0 else hidden_size * self.num_directions, f"_l{layer}{ending}", dtype)

    def forward(self, input: Tensor | PackedSequence, hx: Any = None) -> tuple[Any, Any]:
        """Run over the sequence.

        input   ``(T, N, in)``, with batch_first ``(N, T, in)``, one sequence ``(T, in)``, or sequences of unequal lengths, packed
        hx      the state, ``(layers * directions, N, H)``, for LSTM a pair (h, c); default 0
        result  outputs ``(T, N, directions * H)``, packed if the input was; and the state after each sequence's end, like hx
        """
        if isinstance(input, PackedSequence):
            return self._packed(input, hx)
        self._check(input, (2, 3))
        single = input.ndim == 2
        x = unsqueeze(input, 1) if single else transpose(input, 0, 1) if self.batch_first else input
        if x.shape[0] == 0:
            raise ShapeError(f"{type(self).__name__}: the sequence {input._type()} has no time steps")
        start = self._starts(hx, x.shape[1], x.dtype, 1 if single else None)
        x, last = self._all_layers(x, [x.shape[1]] * x.shape[0], start)
        if single:
            return x[:, 0], self._form(tuple(s[:, 0] for s in last))
        return (transpose(x, 0, 1) if self.batch_first else x), self._form(last)

    def _packed(self, input: PackedSequence, hx: Any) -> tuple[PackedSequence, Any]:
        self._check(input.data, (2,))
        sizes = [int(n) for n in input.batch_sizes.tolist()]
        start = self._starts(hx, sizes[0], input.data.dtype, None)
        if hx is not None and input.sorted_indices is not None:
            start = [tuple(index_select(s, 0, input.sorted_indices) for s in state) for state in start]
        out, last = self._all_layers(input.data, sizes, start)
        if input.unsorted_indices is not None:
            last = tuple(index_select(s, 1, input.unsorted_indices) for s in last)
        return input._replace(data=out), self._form(last)

    def _check(self, x: Tensor, axes: tuple[int, ...]) -> None:
        if x.ndim not in axes or x.shape[-1] != self.input_size:
            shown = "(N, T, " if self.batch_first else "(T, N, "
            raise ShapeError(
                f"{type(self).__name__}: needs {shown}{self.input_size}) or (T, {self.input_size}), got {x._type()}"
            )

    def _starts(self, hx: Any, batch: int, dtype: Any, missing: int | None) -> list[State]:
        """The state that each layer and direction starts from, ``(N, H)`` each."""
        count = self.num_layers * self.num_directions
        if hx is None:
            return [self._state(None, (batch, self.hidden_size), dtype, None)] * count
        state = self._state(hx, (count, batch, self.hidden_size), dtype, missing)
        return [tuple(s[k] for s in state) for k in range(count)]

    def _all_layers(self, x: Tensor, sizes: list[int], start: list[State]) -> tuple[Tensor, State]:
        """x ``(T, N, in)``, or packed ``(sum of sizes, in)``; start: of each layer and direction."""
        finals: list[State] = []
        for layer in range(self.num_layers):
            if layer and self.dropout and self.training:
                x = F.dropout(x, self.dropout)
            ways = []
            for way in range(self.num_directions):
                with scope("layer", layer) if self.num_directions == 1 else scope(("forward", "reverse")[way], layer):
                    own = start[layer * self.num_directions + way]
                    outputs, final = self._one_way(x, sizes, own, f"_l{layer}" + ("_reverse" if way else ""), bool(way))
                ways.append(outputs)
                finals.append(final)
            x = ways[0] if len(ways) == 1 else cat(ways, -1)
        return x, tuple(stack(parts) for parts in zip(*finals, strict=True))

    def _one_way(self, x: Tensor, sizes: list[int], start: State, ending: str, backward: bool) -> tuple[Tensor, State]:
        """One layer in one direction: the inputs' share of all steps in one product, then step by step."""
        weights, packed = self._weights(ending), x.ndim == 2
        shares, bias = self.kind.shares(x, weights)
        offsets = [0]
        for size in sizes if packed else ():
            offsets.append(offsets[-1] + size)

        def share(t: int) -> Tensor:
            part: Tensor = shares[offsets[t] : offsets[t + 1]] if packed else shares[t]
            return part

        outputs, final = over_time(self.kind, share, sizes, bias, weights.weight_hh, start, backward)
        return cat(outputs) if packed else stack(outputs), final

    def extra_repr(self) -> str:
        parts = [f"{self.input_size}, {self.hidden_size}"]
        defaults = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        parts += [f"{key}={getattr(self, key)}" for key, usual in defaults.items() if getattr(self, key) != usual]
        return ", ".join(parts)


class RNN(_Layers):
    """Plain recurrent layers over sequences; ``nonlinearity``: "tanh" or "relu"; all else as of ``LSTM``."""

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, dtype: Any = None,
    ) -> None:  # fmt: skip
        self.nonlinearity, self.kind = nonlinearity, _plain_kind("RNN", nonlinearity)  # type: ignore[misc]
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype)


class GRU(_Layers):
    """GRU layers over sequences; arguments as of ``LSTM``; weights have 3 H rows: r, z, n."""

    kind = GRU_STEP


class LSTM(_Layers, _ForgetBias):
    """LSTM layers over sequences.

    input_size, hidden_size  lengths of the last axis of input and state
    num_layers               stacked: each layer reads the outputs of the one below
    bias                     with bias_ih and bias_hh
    batch_first              sequences as ``(N, T, in)`` instead of ``(T, N, in)``
    dropout                  probability between layers, in training
    bidirectional            a second LSTM reads backward; outputs are joined
    Parameters per layer k: weight_ih_l{k}, weight_hh_l{k}, bias_ih_l{k}, bias_hh_l{k}; the reverse ones end in _reverse. All start
    uniform in ±1/sqrt(H); ``forget_bias_(1.0)`` opens the forget gates.
    """

    kind = LSTM_STEP


def _plain_kind(name: str, nonlinearity: str) -> Step:
    if nonlinearity not in RNN_STEPS:
        raise ValueError(f"{name}: nonlinearity must be {' or '.join(map(repr, RNN_STEPS))}, got {nonlinearity!r}")
    return RNN_STEPS[nonlinearity]


def _check_sizes(name: str, *sizes: int) -> None:
    if any(not isinstance(n, int) or n <= 0 for n in sizes):
        raise ValueError(f"{name}: sizes must be positive integers, got {sizes}")
