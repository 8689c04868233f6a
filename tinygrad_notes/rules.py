"""What a row does in backward: its function, generated from its VJP rules, and where the cotangents go that they return.

Unbroadcasting lives here, once. An elementwise rule returns the cotangent in the shape of the *output*; where an argument
had been stretched to it, each of its elements fed several outputs, and its cotangent is the sum over them. No rule knows.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from heapq import heappush
from typing import TYPE_CHECKING, Any

import numpy as np

from .kernels.fused import fused
from .optable import Op, Rule, expression_of, p, residuals, rule_reads

if TYPE_CHECKING:
    from .tape import Node

__all__ = ["accumulate", "compile_backward", "compile_source", "unbroadcast"]


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
        "ndarray": np.ndarray,
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
        owning = _owning(op, i)
        lines.append(f"    if n{i}.rg and (needed is None or n{i} in needed):")
        body = [
            f"r = {_application(op, rule, i, names)}",
            *_unbroadcasting(op, i),
            f"total = cotangents.get(n{i})",
            f"if total is None: cotangents[n{i}] = r; heappush(waiting, (-n{i}.seq, n{i})){owning}",
            f"elif owned is not None and n{i} in owned: add(total, r, total)",
            f"else: accumulate(n{i}, total, r, cotangents, owned)",
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


def _owning(op: Op, position: int) -> str:
    """Whether a first contribution is a buffer of the pass: a product is; so is a view of one that nobody else has seen."""
    if op.kind == "matmul" or (op.into is not None and position == 0):
        return f"; owned is None or owned.add(n{position})"
    if op.kind == "view":
        return "; owned and needed is None and node.taps is None and node in owned and type(r) is ndarray and owned.add(n0)"
    return ""


def _application(op: Op, rule: Rule, position: int, names: dict[str, Any]) -> str:
    """The rule's expression in place, where it is one that reads values only; else a call of the rule."""
    reads, expression = rule_reads(rule), expression_of(rule)
    if expression is not None and all(_read(op, name, position) == name for name in reads):
        names["p"] = p
        kernel = fused(expression, reads, rule) if op.kind == "elementwise" and "g" in reads else None
        if kernel is None:
            return expression
        names[f"fused{position}"] = kernel.run
        return f"{expression} if owned is None or g.size < {kernel.gate} else fused{position}({', '.join(reads)})"
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
