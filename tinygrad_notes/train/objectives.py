"""What a batch is learned by: from a model and a batch to losses, one update each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ..errors import ShapeError
from ..modes import scope
from ..tensor import Tensor

__all__ = ["Outcome", "Supervised", "TruncatedBPTT"]


class Outcome(NamedTuple):
    """One loss of a batch, the output and target it compares, and how many examples it is the mean of."""

    loss: Tensor
    output: Tensor
    target: Tensor
    size: int


class Supervised:
    """``loss(model(*inputs), target)`` of batches ``(*inputs, target)``."""

    def __init__(self, loss: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.loss = loss

    def __call__(self, model: Callable[..., Any], batch: Any) -> Iterator[Outcome]:
        if not isinstance(batch, tuple | list) or len(batch) < 2:
            raise TypeError(f"Supervised: a batch must be (input, ..., target), got {type(batch).__name__}")
        *inputs, target = batch
        output = model(*inputs)
        yield Outcome(self.loss(output, target), output, target, len(target))


class TruncatedBPTT:
    """Backpropagation through time over windows (Williams & Peng 1990): one update per window, the state carried on, detached.

    loss         of the outputs and targets of a window, ``(T, N, ...)`` both
    length       time steps per window; None: the whole sequence at once
    batch_first  sequences are ``(N, T, ...)``
    carry        also carry the state from one batch to the next of an epoch: batches are consecutive parts of long streams
    The model is called with ``(input, state)``, state None at first, and returns ``(output, state)``; batches are (input, target).
    """

    def __init__(
        self,
        loss: Callable[[Tensor, Tensor], Tensor],
        length: int | None = None,
        batch_first: bool = False,
        carry: bool = False,
    ) -> None:
        if length is not None and (not isinstance(length, int) or length <= 0):
            raise ValueError(f"TruncatedBPTT: length must be a positive integer, got {length!r}")
        self.loss, self.length, self.batch_first, self.carry = loss, length, batch_first, carry
        self.state: Any = None

    def start_epoch(self) -> None:
        """Forget the carried state: the streams start again."""
        self.state = None

    def __call__(self, model: Callable[..., Any], batch: Any) -> Iterator[Outcome]:
        x, y = batch
        along = 1 if self.batch_first else 0
        if min(x.ndim, y.ndim) < 2 or x.shape[:2] != y.shape[:2]:
            axes = "(N, T, ...)" if self.batch_first else "(T, N, ...)"
            raise ShapeError(f"TruncatedBPTT: input and target must be {axes} alike, got {x._type()} and {y._type()}")
        if not self.carry:
            self.state = None
        length = self.length or x.shape[along]
        for start in range(0, x.shape[along], length):
            window = (slice(None),) * along + (slice(start, start + length),)
            output, state = model(x[window], self.state)
            with scope("carried state"):
                self.state = _detached(state)  # now: an update that is broken off must not leave its graph behind
            target = y[window]
            yield Outcome(self.loss(output, target), output, target, target.shape[0] * target.shape[1])
        if not self.carry:
            self.state = None

    def state_dict(self) -> dict[str, Any]:
        """The carried state."""
        return {"carried": self.state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue with what ``state_dict`` gave."""
        self.state = state["carried"]


def _detached(state: Any) -> Any:
    if isinstance(state, Tensor):
        return state.detach()
    if isinstance(state, tuple | list):
        return type(state)(_detached(part) for part in state)
    return state
