"""The tape as text, in the spirit of a jaxpr: ``%7:f32[32,128] = tanh(%6)   # lstm/step 3``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import typename
from .optable import Op

if TYPE_CHECKING:
    from .tape import Node, Tape

__all__ = ["listing", "show_params"]


def listing(tape: Tape) -> str:
    """One line per value: the leaves first, then what was computed, each with its scope."""
    numbers: dict[Node, str] = {}
    rows: list[tuple[str, str]] = []
    for leaf in tape.leaves:
        numbers[leaf] = f"%{len(numbers)}"
        what = tape.names.get(leaf, "")
        note = ", ".join(part for part in (what, "requires grad" if leaf.rg else "") if part)
        rows.append((f"{numbers[leaf]}:{typename(leaf.shape, leaf.dtype)} = leaf", note))
    for node in tape.nodes:
        numbers[node] = f"%{len(numbers)}"
        inputs = [_literal(n) if n.op.kind == "literal" else numbers[n] for n in node.inputs]
        params = show_params(node.params)
        call = ", ".join(inputs) + (f"; {params}" if params else "")
        rows.append((f"{numbers[node]}:{typename(node.shape, node.dtype)} = {node.op.name}({call})", node.scope.path))
    width = min(max((len(left) for left, _ in rows), default=0), 72)
    lines = [f"{left:<{width}}  # {right}" if right else left for left, right in rows]
    return "\n".join([f"tape: {len(tape.leaves):,} leaves, {len(tape.nodes):,} nodes", *lines])


def show_params(params: dict[str, Any]) -> str:
    """``dim=1, keepdim=True``; slices as they are written: ``index=[0:3, :, None]``, paths of views as calls."""
    return ", ".join(f"{key}={_show(value)}" for key, value in params.items())


def _show(value: Any) -> str:
    if isinstance(value, tuple) and value and all(isinstance(v, tuple) and len(v) == 2 and isinstance(v[0], Op) for v in value):
        return ".".join(f"{op.name}({show_params(params)})" for op, params in value)  # the way from a base to what is written
    if isinstance(value, tuple) and any(isinstance(v, slice) for v in value):
        return "[" + ", ".join(_show(v) for v in value) + "]"
    if isinstance(value, slice):
        start, stop = ("" if v is None else str(v) for v in (value.start, value.stop))
        return f"{start}:{stop}" + ("" if value.step in (None, 1) else f":{value.step}")
    if isinstance(value, tuple):
        return "(" + ",".join(_show(v) for v in value) + ")"
    return str(value)


def _literal(node: Node) -> str:
    value = node.params["value"]
    return f"{value:.6g}" if isinstance(value, float) else repr(value)
