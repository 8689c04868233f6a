"""Reverse mode: replays the tape backward (Linnainmaa 1976; Griewank & Walther, "Evaluating Derivatives", 2008).

One loop serves two ways of running the same rules. On raw arrays it computes gradients as fast as it can; on Tensors (a
``Tape`` is active, or ``create_graph``) the rules record what they do, so gradients have gradients and the tape is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heapify, heappop
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import GraphError, typename
from .modes import local
from .optable import residuals
from .storage import stale_write, writes
from .tape import FREED, readable

if TYPE_CHECKING:
    from .tape import Node, Tape

__all__ = ["Gradients", "new_table", "residuals_of", "run_backward"]

Array = np.ndarray[Any, Any]
by_seq = attrgetter("seq")
new_table: Callable[[], dict[Node, Any]] = dict
"""Makes the table of cotangents; in anomaly mode one that looks at what comes in."""


class Gradients:
    """What a backward pass found: (node, cotangent, owned) per leaf and retained node; cotangents of requested nodes."""

    __slots__ = ("captured", "commits")

    def __init__(self) -> None:
        self.commits: list[tuple[Any, Any, bool]] = []
        self.captured: dict[Node, Any] = {}


def run_backward(
    roots: Iterable[tuple[Node, Any]],
    *,
    retain: bool,
    targets: Iterable[Node] | None = None,
    wrap: Callable[[Array, Node], Any] | None = None,
    grad_mode: bool = False,
) -> Gradients:
    """Propagate the cotangents of ``roots`` to the leaves, or only to ``targets``.

    retain     keep the residuals for another backward
    wrap       makes a Tensor of a residual and its node: given, the rules record; else they run on raw arrays
    grad_mode  what is recorded requires gradients itself (``create_graph``)
    Raises GraphError on freed or stale residuals, before any gradient is committed.
    """
    cotangents = new_table()
    for node, g in roots:
        cotangents[node] = cotangents[node] + g if node in cotangents else g
    wanted = None if targets is None else set(targets)
    needed = None if wanted is None else _leading_to(wanted, cotangents)

    mode = local.mode
    before = mode.grad, mode.scope
    mode.grad = grad_mode
    try:
        with np.errstate(all="ignore"):
            return _propagate(cotangents, needed, wanted, retain, wrap)
    finally:
        mode.grad, mode.scope = before
        if mode.tape is not None:
            mode.tape.turn = None


def _propagate(
    cotangents: dict[Node, Any],
    needed: set[Node] | None,
    wanted: set[Node] | None,
    retain: bool,
    wrap: Callable[[Array, Node], Any] | None,
) -> Gradients:
    """Newest node first: all that read it were made after it, so its cotangent is complete when its turn comes."""
    found = Gradients()
    in_place = wrap is None and new_table is dict  # in anomaly mode the table looks at every sum, so each is a new array
    owned: set[Node] | None = set() if in_place else None
    last_write, mode = writes.last, local.mode
    pop: Callable[[Node], Any] = cotangents.pop
    if wrap is not None and mode.tape is not None:
        pop = _noting(pop, mode.tape)
    plain = wrap is None and wanted is None and not retain
    waiting = [(-node.seq, node) for node in cotangents if needed is None or node in needed]
    heapify(waiting)
    while waiting:
        node = heappop(waiting)[1]
        g = pop(node)
        if node.taps is not None:
            g = _tapped(node, g, found, wanted is None, owned is not None and node in owned)
            if wanted is None and not any(node.op.vjp):  # a leaf: if it requires grad, it has taps
                continue
        if wanted is not None and node in wanted:
            found.captured[node] = g
            if needed is not None and not any(source in needed for source in node.inputs):
                continue  # nothing below is asked for: its own residuals may be long gone
        saved = node.saved
        if saved is not None and (saved is FREED or node.seq < last_write):
            saved = residuals_of(node, retain)
        if plain:
            node.saved = FREED
        else:
            if not retain:
                node.saved = FREED
            if wrap is not None:
                saved = saved and _wrapped(node, saved, wrap)
                mode.scope = node.scope.mirror()
        node.op.backward(node, saved, g, cotangents, owned, needed, waiting)
    return found


def _noting(pop: Callable[[Node], Any], tape: Tape) -> Callable[[Node], Any]:
    """``pop`` that also tells the tape whose turn it is, and which node holds the cotangent."""

    def take(node: Node) -> Any:
        g = pop(node)
        if (made := g._current_node()) is not None:
            tape.gradients.setdefault(node, []).append(made)
        tape.turn = node
        return g

    return take


def _leading_to(wanted: set[Node], roots: Iterable[Node]) -> set[Node]:
    """The nodes below ``roots`` through which a gradient reaches one of ``wanted``."""
    stack = list(roots)
    seen = set(stack)
    for node in stack:
        fresh = [source for source in node.inputs if source.rg and source not in seen]
        seen.update(fresh)
        stack.extend(dict.fromkeys(fresh))
    found: set[Node] = set()
    for node in sorted(seen, key=by_seq):
        if node in wanted or any(source in found for source in node.inputs):
            found.add(node)
    return found


def _tapped(node: Node, g: Any, found: Gradients, commit: bool, owned: bool) -> Any:
    """Run the hooks of a node; note the Tensors that want its gradient."""
    taps = node.taps
    assert taps is not None
    for hook in tuple(taps.hooks.values()):
        g = hook(g)
    for reference in (taps.leaf, taps.retain):
        if reference is not None and commit:
            found.commits.append((reference, g, owned and not taps.hooks and taps.retain is None))
    return g


def _wrapped(node: Node, saved: tuple[Any, ...], wrap: Callable[[Array, Node], Any]) -> tuple[Any, ...]:
    names = residuals(node.op, len(node.inputs))
    sources = [node if name == "out" else node.inputs[node.op.args.index(name)] for name in names]
    return tuple(
        None if array is None else source.params["value"] if source.op.kind == "literal" else wrap(array, source)
        for array, source in zip(saved, sources, strict=True)
    )


def residuals_of(node: Node, retain: bool = False) -> tuple[Any, ...]:
    """What the rules of ``node`` read: fresh, or computed again inside a checkpoint. Raises GraphError where it is gone."""
    saved: tuple[Any, ...] = node.saved
    if saved is not FREED:
        _check_fresh(node, saved)
        return saved
    # An optimizer's write reads nothing, and on a tape each later step walks through it again.
    if node.op.writes and not node.params["visible"]:
        return (None,) * len(residuals(node.op, len(node.inputs)))
    taps = node.taps
    if taps is None or taps.recompute is None:
        raise _freed(node)
    saved = taps.recompute()
    if not retain:
        taps.recompute = None
    return saved


# ---- errors ----


def _freed(node: Node) -> GraphError:
    return GraphError(
        f"backward: the graph below {node.op.name} {typename(node.shape, node.dtype)} was already used by an earlier backward, "
        "which dropped what its rules had kept. Call the first one with backward(retain_graph=True), or run forward again."
    )


def _check_fresh(node: Node, saved: tuple[Any, ...]) -> None:
    for position, array in enumerate(saved):
        if isinstance(array, np.ndarray) and (write := stale_write(array, node.seq)) is not None:
            name = residuals(node.op, len(node.inputs))[position]
            where = "its output" if name == "out" else f"its argument {name!r}"
            recorded = f" (recorded at {readable(node.line)})" if node.line else ""
            raise GraphError(
                f"backward: {node.op.name}{recorded} needs {where} {typename(array.shape, array.dtype)} as it was in forward, "
                f"but {write.by} at {readable(write.line)} wrote to that memory since. Write to a clone() instead, or do it before."
            )
