"""What a picture can be of: a tape, the graph behind a Tensor, or a call that is recorded here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..autograd import grad
from ..errors import GraphError
from ..functions.creation import as_tensor
from ..modes import local
from ..tape import Node, Tape
from ..tensor import Tensor
from .norms import Norms, norms_of_backward, norms_of_gradients, norms_of_values
from .roles import orders, places

__all__ = ["Recording", "Source", "record"]

Source = Tape | Tensor | Callable[..., Any]


@dataclass
class Recording:
    """The nodes to draw, in order, and what is known of them.

    tape   what was recorded, if anything: it knows values
    roots  the outputs, where gradients begin
    """

    nodes: list[Node]
    tape: Tape | None = None
    roots: list[Node] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def names(self) -> Mapping[Node, str]:
        return self.tape.names if self.tape is not None else {}

    @property
    def constants(self) -> Iterable[Node]:
        return self.tape.constants if self.tape is not None else ()

    def norms(self, tint: str) -> Norms:
        """The norms for ``tint``: "value" or "grad". Raises ValueError where they are not known."""
        if tint not in ("value", "grad"):
            raise ValueError(f'tint: there are "value" and "grad" (norms of values, norms of gradients), not {tint!r}')
        if tint == "value":
            if self.tape is None or len(self.tape) < len(self.nodes):
                raise ValueError(
                    'tint="value": the graph behind a Tensor does not hold its values; record it (with tn.Tape() as tape: ...) '
                    "and draw the tape"
                )
            return norms_of_values(self.tape)
        recorded = norms_of_gradients(self.tape) if self.tape is not None else {}
        if self.roots:
            forward = [node for node, order in orders(self.nodes).items() if order == 0]
            return recorded | norms_of_backward(self.roots, {*forward, *(leaf for node in forward for leaf in node.inputs)})
        if not recorded:
            raise ValueError(
                'tint="grad": there is no gradient here; call loss.backward() inside `with tn.Tape()`, or let something require one'
            )
        return recorded


def record(source: Source, inputs: Any, order: int) -> Recording:
    """The recording of a picture's source; see ``graph``, which also says what is raised."""
    if order < 0:
        raise ValueError(f"order: 0 draws forward, 1 also the gradient, 2 also its gradient; got {order}")
    if isinstance(source, Tape | Tensor) and inputs is not None:
        raise TypeError(f"inputs: a {type(source).__name__} is drawn as it is; only a module or function is called with inputs")
    if isinstance(source, Tape):
        if order:
            raise ValueError("order: a tape is drawn as it was recorded; record the backward pass on it")
        return Recording(source.nodes, source)
    outer, local.mode.tape = local.mode.tape, None  # what is recorded for a picture is on no tape of the user's
    try:
        return _behind(source, order) if isinstance(source, Tensor) else _called(source, inputs, order)
    finally:
        local.mode.tape = outer


def _called(function: Callable[..., Any], inputs: Any, order: int) -> Recording:
    if not callable(function):
        raise TypeError(
            f"viz: draws a Tape, a Tensor, or a module (or function) with inputs=..., not a {type(function).__name__}"
        )
    if inputs is None:
        name = getattr(function, "__name__", type(function).__name__)
        raise TypeError(f"viz: to draw {name} it must be called; give inputs=x, or inputs=(x, ...) for more than one")
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    arguments = [as_tensor(x) if isinstance(x, np.ndarray) else x for x in given]
    with Tape() as tape:
        roots = [t for t in _tensors(function(*arguments)) if t.requires_grad]
        for place, argument in enumerate(arguments):
            if isinstance(argument, Tensor) and (node := argument._current_node()) in tape.leaves:
                tape.names.setdefault(node, "input" if len(arguments) == 1 else f"input {place}")
        notes = _differentiate(roots, order)
    return Recording(tape.nodes, tape, [node for t in roots if (node := t._current_node()) is not None], notes)


def _behind(tensor: Tensor, order: int) -> Recording:
    """The nodes that a Tensor was computed by."""
    root = tensor.grad_fn
    if root is None:
        raise GraphError(
            "viz: this Tensor is a leaf or needs no gradient: there is no graph behind it. Draw a Tape, or a result"
        )
    seen, stack = {root}, [root]
    while stack:
        for source in stack.pop().inputs:
            if source.op.kind not in ("leaf", "literal") and source not in seen:
                seen.add(source)
                stack.append(source)
    nodes = sorted(seen, key=lambda node: node.seq)
    if order == 0:
        return Recording(nodes, None, [root])
    with Tape() as tape:
        notes = _differentiate([tensor], order)
    return Recording([*nodes, *tape.nodes], tape, [root], notes)


def _differentiate(roots: list[Tensor], order: int) -> list[str]:
    """Record the gradient of the sum of ``roots``, then that of the sum of these gradients, ``order`` times."""
    for depth in range(1, order + 1):
        leaves = _leaves(roots)
        if not leaves:
            return [f"the derivative of order {depth} is 0 everywhere"]
        seeds = [Tensor(np.ones(root.shape, root.dtype)) for root in roots]
        found = grad(roots, leaves, seeds, retain_graph=True, create_graph=depth < order, allow_unused=True)
        roots = [g for g in found if g is not None and g.requires_grad]
    return []


def _leaves(roots: list[Tensor]) -> list[Tensor]:
    """The leaves that require a gradient and that ``roots`` depend on, in the order of their first readers."""
    stack = [node for root in roots if (node := root._current_node()) is not None]
    ends, seen = tuple(stack), set(stack)
    while stack:
        for source in stack.pop().inputs:
            if source.rg and source not in seen:
                seen.add(source)
                stack.append(source)
    computed = sorted((node for node in seen if any(node.op.vjp)), key=lambda node: node.seq)
    leaves = dict.fromkeys(node for node in (*places(computed), *ends) if node in seen and not any(node.op.vjp))
    owners = (node.taps.leaf() for node in leaves if node.taps is not None and node.taps.leaf is not None)
    return [tensor for tensor in owners if tensor is not None]


def _tensors(result: Any) -> Iterator[Tensor]:
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, Mapping):
        yield from _tensors(list(result.values()))
    elif isinstance(result, list | tuple):
        for part in result:
            yield from _tensors(part)
