"""Reverse mode: replays the tape backward (Linnainmaa 1976; Griewank & Walther, "Evaluating Derivatives", 2008).

One loop serves two ways of running the same rules. On raw arrays it computes gradients as fast as it can; on Tensors (a
``Tape`` is active, or ``create_graph``) the rules record what they do, so gradients have gradients and the tape is complete.

Unbroadcasting lives here, once. An elementwise rule returns the cotangent in the shape of the *output*; where an argument
had been stretched to it, each of its elements fed several outputs, and its cotangent is the sum over them. No rule knows.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import GraphError, typename
from .modes import local
from .optable import LEAF, Op, Rule, expression_of, p, residuals, rule_reads
from .storage import stale_write, writes
from .tape import FREED

if TYPE_CHECKING:
    from .tape import Node, Tape

__all__ = ["Gradients", "compile_backward", "compile_source", "new_table", "run_backward"]

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
            if node.op is LEAF and wanted is None:  # a leaf that requires grad has taps
                continue
        if wanted is not None and node in wanted:
            found.captured[node] = g
            if needed is not None and not any(source in needed for source in node.inputs):
                continue  # nothing below is asked for: its own residuals may be long gone
        saved = node.saved
        if saved is not None:
            if saved is FREED:
                raise _freed(node)
            if node.seq < last_write:
                _check_fresh(node, saved)
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


# ---- accumulation ----


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum ``g`` over the axes along which a value of ``shape`` had been stretched."""
    lead = g.ndim - len(shape)
    dims = (*range(lead), *(lead + i for i, n in enumerate(shape) if n == 1 and g.shape[lead + i] != 1))
    g = p.sum(g, dim=dims, keepdim=True) if dims else g
    return p.reshape(g, shape=shape) if lead else g


def accumulate(node: Node, total: Any, g: Any, cotangents: dict[Node, Any], owned: set[Node] | None) -> None:
    """Add a second contribution, which makes the buffer that this pass owns; generated code adds further ones in place."""
    if owned is None:
        cotangents[node] = total + g
    else:
        cotangents[node] = np.asarray(total + g)
        owned.add(node)


# ---- the backward function of a row, generated when it is registered ----


def compile_backward(op: Op) -> Callable[..., None]:
    """``backward(node, saved, g, cotangents, owned, needed, waiting)`` of one row: runs a rule only if its argument needs it.

    Generated when the row's first gradient is asked for, which keeps importing cheap; one function per number of arguments.
    """
    by_arity: dict[int, Callable[..., None]] = {}

    def backward(node: Node, *rest: Any) -> None:
        arity = len(node.inputs)
        if arity not in by_arity:
            by_arity[arity] = _generate(op, arity)
        if not op.variadic:
            op.backward = by_arity[arity]
        by_arity[arity](node, *rest)

    return backward


def _generate(op: Op, arity: int) -> Callable[..., None]:
    names: dict[str, Any] = {
        "unbroadcast": unbroadcast,
        "accumulate": accumulate,
        "into": op.into,
        "heappush": heappush,
        "add": np.add,
    }
    lines = ["def backward(node, saved, g, cotangents, owned, needed, waiting):"]
    kept = residuals(op, arity)
    if kept:
        lines.append(f"    {', '.join(kept)}, = saved")
    if op.params:
        lines.append("    params = node.params")
    if any(op.rule_for(i) for i in range(arity)):
        lines += (
            [f"    n{i} = node.{slot}" for i, slot in zip(range(arity), ("first", "second"), strict=False)]
            if arity < 3
            else [f"    {', '.join(f'n{i}' for i in range(arity))} = node.others"]
        )
    for i in range(arity):
        rule = op.rule_for(i)
        if rule is None:
            continue
        owning = "; owned is None or owned.add(n0)" if op.into is not None and i == 0 else ""
        lines.append(f"    if n{i}.rg and (needed is None or n{i} in needed):")
        body = [
            f"r = {_application(op, rule, i, names)}",
            *_unbroadcasting(op, i),
            f"t = cotangents.get(n{i})",
            f"if t is None: cotangents[n{i}] = r; heappush(waiting, (-n{i}.seq, n{i})){owning}",
            f"elif owned is not None and n{i} in owned: add(t, r, t)",
            f"else: accumulate(n{i}, t, r, cotangents, owned)",
        ]
        if op.into is not None and i == 0:
            extra = ", ".join(_read(op, name, i) for name in list(rule_reads(op.into))[1:])
            lines.append(f"        if owned is not None and n0 in owned and n0 in cotangents: into(cotangents[n0], {extra})")
            lines.append("        else:")
            body = ["    " + line for line in body]
        lines += ["        " + line for line in body]
    if len(lines) == 1:
        lines.append("    pass")
    return compile_source(f"backward {op.name}/{arity}", "\n".join(lines), names, "backward")


def _application(op: Op, rule: Rule, position: int, names: dict[str, Any]) -> str:
    """The rule's expression in place, where it is one that reads values only; else a call of the rule."""
    reads, expression = rule_reads(rule), expression_of(rule)
    if expression is not None and all(_read(op, name, position) == name for name in reads):
        names["p"] = p
        return expression
    names[f"vjp{position}"] = rule
    return f"vjp{position}({', '.join(_read(op, name, position) for name in reads)})"


def _unbroadcasting(op: Op, position: int) -> list[str]:
    """Elementwise rules answer in the shape of the output, so shapes that the nodes know are compared; one argument alone
    is never stretched."""
    n = f"n{position}"
    if op.kind == "elementwise":
        stretched = f"node.shape is not {n}.shape and node.shape != {n}.shape"  # mostly the very same tuple
        return [f"if {stretched}: r = unbroadcast(r, {n}.shape)"] if len(op.args) > 1 else []
    return [f"if r.shape != {n}.shape: r = unbroadcast(r, {n}.shape)"]


def _read(op: Op, name: str, position: int) -> str:
    if name in ("g", "out") or name in op.args:
        return name
    if name == "position":
        return str(position)
    if name in op.params:
        return f"params[{name!r}]"
    argument, attribute = name.rsplit("_", 1)
    return f"n{position if op.variadic else op.args.index(argument)}.{attribute}"


def compile_source(title: str, source: str, names: dict[str, Any], wanted: str) -> Callable[..., Any]:
    """Compile generated source so that a traceback and ``inspect`` can show it."""
    filename = f"<tinygrad_notes {title}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    exec(compile(source, filename, "exec"), names)
    function: Callable[..., Any] = names[wanted]
    return function


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
            recorded = f" (recorded at {node.line})" if node.line else ""
            raise GraphError(
                f"backward: {node.op.name}{recorded} needs {where} {typename(array.shape, array.dtype)} as it was in forward, "
                f"but {write.by} at {write.line} wrote to that memory since. Write to a clone() instead, or do it before."
            )
