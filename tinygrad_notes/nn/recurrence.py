"""What all recurrent layers share: the step of each kind, and one loop over time for whole and packed sequences.

    RNN    h' = tanh(x W_ihᵀ + b_ih + h W_hhᵀ + b_hh)          (or relu)
    LSTM   i, f, o = sigmoid(...), g = tanh(...)                c' = f c + i g,  h' = o tanh(c')
    GRU    r, z = sigmoid(...)                                  h' = (1 - z) n + z h
           n = tanh(x W_inᵀ + b_in + r (h W_hnᵀ + b_hn))

Nothing here knows a derivative: backpropagation through time is the tape of these lines, replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..functions.linalg import matmul
from ..functions.moving import cat
from ..functions.pieces import chunk
from ..functions.pointwise import sigmoid, tanh
from ..modes import scope
from ..tensor import Tensor
from . import functional as F

__all__ = ["GRU_STEP", "LSTM_STEP", "RNN_STEPS", "Step", "Weights", "over_time"]

State = tuple[Tensor, ...]


@dataclass(frozen=True)
class Weights:
    """Of one layer in one direction: weight_ih ``(G H, in)``, weight_hh ``(G H, H)``, bias_ih and bias_hh ``(G H,)`` or None."""

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None
    bias_hh: Tensor | None


@dataclass(frozen=True)
class Step:
    """A kind of recurrent layer.

    gates   how many blocks of H rows its weights have
    states  what it carries: h, or h and c
    shares  the input's share of every step at once, and the bias that is left for each step
    step    (that share of one step, state, w_hhᵀ, that bias) -> the state after it
    """

    gates: int
    states: str
    shares: Callable[[Tensor, Weights], tuple[Tensor, Tensor | None]]
    step: Callable[[Tensor, State, Tensor, Tensor | None], State]


def _both_biases(x: Tensor, w: Weights) -> tuple[Tensor, None]:
    bias = None if w.bias_ih is None or w.bias_hh is None else w.bias_ih + w.bias_hh
    return F.linear(x, w.weight_ih, bias), None


def _own_bias(x: Tensor, w: Weights) -> tuple[Tensor, Tensor | None]:
    return F.linear(x, w.weight_ih, w.bias_ih), w.bias_hh


def _lstm(gates_x: Tensor, state: State, w_hh_t: Tensor, bias: Tensor | None) -> State:
    h, c = state
    i, f, g, o = chunk(gates_x + matmul(h, w_hh_t), 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def _gru(gates_x: Tensor, state: State, w_hh_t: Tensor, bias: Tensor | None) -> State:
    (h,) = state
    gates_h = matmul(h, w_hh_t)
    r_x, z_x, n_x = chunk(gates_x, 3, -1)
    r_h, z_h, n_h = chunk(gates_h if bias is None else gates_h + bias, 3, -1)
    z, n = sigmoid(z_x + z_h), tanh(n_x + sigmoid(r_x + r_h) * n_h)
    return (n + z * (h - n),)


def _plain(nonlinearity: Callable[[Tensor], Tensor]) -> Callable[[Tensor, State, Tensor, Tensor | None], State]:
    return lambda gates_x, state, w_hh_t, bias: (nonlinearity(gates_x + matmul(state[0], w_hh_t)),)


LSTM_STEP = Step(4, "hc", _both_biases, _lstm)
"""Gates in the order i, f, g, o."""
GRU_STEP = Step(3, "h", _own_bias, _gru)
"""Gates in the order r, z, n."""
RNN_STEPS = {"tanh": Step(1, "h", _both_biases, _plain(tanh)), "relu": Step(1, "h", _both_biases, _plain(F.relu))}


def over_time(
    kind: Step,
    share: Callable[[int], Tensor],
    sizes: Sequence[int],
    bias: Tensor | None,
    w_hh: Tensor,
    start: State,
    backward: bool,
) -> tuple[list[Tensor], State]:
    """One layer in one direction: the outputs of all steps, in the order of time, and the state at each sequence's end.

    share  gives the input's share of step t, ``(sizes[t], G H)``
    sizes  how many sequences reach step t; the longest come first
    start  ``(N, H)`` each
    """
    state, ended, outputs, w_hh_t = start, [], [], w_hh.T
    steps = range(len(sizes))
    for count, t in enumerate(reversed(steps) if backward else steps):
        running, before = sizes[t], state[0].shape[0]
        if running < before:
            if count:
                ended.append(tuple(s[running:] for s in state))
            state = tuple(s[:running] for s in state)
        elif running > before:  # backward, sequences begin at their own ends
            state = tuple(cat([s, first[before:running]]) for s, first in zip(state, start, strict=True))
        with scope("step", t):
            state = kind.step(share(t), state, w_hh_t, bias)
        outputs.append(state[0])
    if ended:
        state = tuple(cat(parts) for parts in zip(state, *reversed(ended), strict=True))
    return outputs[::-1] if backward else outputs, state
