"""Activation checkpointing (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"): memory for time.

A checkpointed function records its nodes as always; then their residuals are dropped. When backward comes to the first of
them, the function runs again on the same inputs with the same random numbers, and the residuals of the new nodes stand in
for the dropped ones, one by one. The graph itself is the ordinary one, so ``autograd.grad``, hooks, ``create_graph`` and a
Tape need nothing special.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from ..engine import residuals_of
from ..errors import GraphError, typename
from ..functions.generator import default_generator
from ..inplace import write
from ..modes import enable_grad, local
from ..storage import stale_write
from ..tape import FREED, Node, Taps, next_seq, readable
from ..tensor import Tensor, from_array

__all__ = ["checkpoint", "checkpoint_sequential"]


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = False,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)``, keeping its inputs and outputs for backward but nothing in between.

    function            runs again in backward; it must compute the same from the same arguments, and not write to them
    use_reentrant       PyTorch's older mechanism, which this is not; only False
    preserve_rng_state  run again with the same numbers from the default generator, so that dropout drops the same
    State that ``function`` writes itself (running statistics) is written twice, as in PyTorch.
    Raises GraphError, in backward, where an argument or parameter was written since, or the second run differs from the first.
    """
    if use_reentrant:
        raise ValueError("checkpoint: only use_reentrant=False is there; it does all that the other one does, and more")
    if not local.mode.grad:
        return function(*args, **kwargs)
    segment = _Segment(function, args, kwargs, preserve_rng_state)
    result = function(*args, **kwargs)
    segment.drop(result)
    return result


def checkpoint_sequential(
    functions: Sequence[Callable[..., Any]] | Iterable[Callable[..., Any]],
    segments: int,
    input: Any,
    use_reentrant: bool | None = False,
    preserve_rng_state: bool = True,
) -> Any:
    """``functions`` (a Sequential, a list) one after the other, checkpointed in ``segments`` parts, all but the last.

    Raises ValueError unless there is at least one function per segment.
    """
    chain = list(functions)
    if not 1 <= segments <= len(chain):
        raise ValueError(f"checkpoint_sequential: {len(chain)} functions cannot be cut into {segments} segments")
    size = len(chain) // segments
    bounds = [*range(0, size * segments, size), len(chain)]
    for number, (start, stop) in enumerate(pairwise(bounds), 1):
        run = partial(_chained, chain[start:stop])
        if number == segments:
            return run(input)
        input = checkpoint(run, input, use_reentrant=use_reentrant, preserve_rng_state=preserve_rng_state)
    raise AssertionError("the last segment returns")


def _chained(functions: Sequence[Callable[..., Any]], value: Any) -> Any:
    for function in functions:
        value = function(value)
    return value


class _Segment:
    """One call of a checkpointed function: how to run it again, and what the last such run has left to hand out.

    It knows its nodes by their place only: the nodes refer to it, and reference counting alone frees both.
    """

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], preserve_rng_state: bool
    ) -> None:
        self.function = function
        self.args = tuple(_as_it_is(value) for value in args)
        self.kwargs = {name: _as_it_is(value) for name, value in kwargs.items()}
        self.scope = local.mode.scope
        self.random = _random_state() if preserve_rng_state else None
        self.read = [value._array for value in (*self.args, *self.kwargs.values()) if isinstance(value, Tensor)]
        self.kinds: list[tuple[Any, ...]] = []
        self.again: dict[int, Node] = {}
        self.seq = next_seq()

    def drop(self, result: Any) -> None:
        """Let go of the residuals of every node that leads to ``result``."""
        nodes = _made_since(self.seq, result)
        self.kinds = [_kind(node) for node in nodes]
        inner = set(nodes)
        for place, node in enumerate(nodes):
            for source in node.inputs:
                leaf = source.taps.leaf() if source not in inner and source.taps and source.taps.leaf else None
                if leaf is not None:
                    self.read.append(leaf._array)
            if node.saved is not None:
                node.saved = FREED
                node.taps = node.taps or Taps()
                node.taps.recompute = partial(self.residuals, place)

    def residuals(self, place: int) -> Any:
        """The residuals of the node at ``place``, from a second run."""
        if place not in self.again:
            self._run_again()
        return residuals_of(self.again.pop(place))

    def _run_again(self) -> None:
        for array in self.read:
            if (found := stale_write(array, self.seq)) is not None:
                raise GraphError(
                    f"checkpoint: {found.by} at {readable(found.line)} wrote to {typename(array.shape, array.dtype)} since forward, so "
                    f"running {_name(self.function)} again would compute something else. Write after backward, or to a clone()."
                )
        mode = local.mode
        before, state = (mode.tape, mode.scope), _random_state()
        mode.tape, mode.scope = None, self.scope  # a Tape has the first run: that one is replayed
        try:
            if self.random is not None:
                _set_random_state(self.random)
            start = next_seq()
            with enable_grad():
                nodes = _made_since(start, self.function(*self.args, **self.kwargs))
        finally:
            if self.random is not None:
                _set_random_state(state)
            mode.tape, mode.scope = before
        kinds = [_kind(node) for node in nodes]
        if kinds != self.kinds:
            raise GraphError(_difference(_name(self.function), self.kinds, kinds))
        self.again = dict(enumerate(nodes))


def _as_it_is(value: Any) -> Any:
    """A Tensor at its present node: what is done to it later does not count."""
    return from_array(value._array, value._current_node()) if isinstance(value, Tensor) else value


def _random_state() -> tuple[Any, Any]:
    return default_generator.seed._array.copy(), default_generator.offset._array.copy()


def _set_random_state(state: tuple[Any, Any]) -> None:
    write(default_generator.seed, state[0], "checkpoint")
    write(default_generator.offset, state[1], "checkpoint")


def _made_since(seq: int, result: Any) -> list[Node]:
    """The nodes newer than ``seq`` that lead to ``result`` and require grad, in order."""
    stack = [node for t in _tensors(result) if (node := t._current_node()) is not None]
    found: set[Node] = set()
    while stack:
        node = stack.pop()
        if node.rg and node.seq > seq and node not in found:
            found.add(node)
            stack.extend(node.inputs)
    return sorted(found, key=lambda node: node.seq)


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _tensors(item)


def _kind(node: Node) -> tuple[Any, ...]:
    return node.op, node.shape, node.dtype


def _difference(name: str, first: list[tuple[Any, ...]], second: list[tuple[Any, ...]]) -> str:
    show = [[f"{op.name} {typename(shape, dtype)}" for op, shape, dtype in kinds] + ["nothing"] for kinds in (first, second)]
    at = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second)))
    return (
        f"checkpoint: {name} computed something else when it ran again in backward: operation {at} was {show[0][at]}, then "
        f"{show[1][at]}. It must depend on its arguments alone: no train()/eval() in between, no other random numbers."
    )


def _name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)
