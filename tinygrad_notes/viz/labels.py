"""What boxes and edges say: short enough to read, the rest in the tooltip."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

from ..errors import short_dtype, typename
from ..listing import show_params
from ..tape import Node
from .roles import LEAVES
from .rollup import Box, Edge, Kind

__all__ = ["box_label", "box_tooltip", "edge_label", "edge_tooltip", "values_label"]


def box_label(box: Box) -> str:
    """``mul · 0.9``; a leaf's name and shape; what was folded, and how much it was."""
    if box.fold is not None:
        return _folded(box)
    many = len(box.members)
    times = f" ×{many}" if many != box.group.instances else ""
    if box.role in LEAVES:
        return f"{_leaf_name(box)}{times}\n{_shapes(_kind(node) for node in box.members)}"
    calls = list(dict.fromkeys(_call(node) for node in box.members))
    return (calls[0] if len(calls) == 1 else box.members[0].op.name) + times


def box_tooltip(box: Box) -> str:
    """Scope, how many nodes, types, and the static parameters where all nodes have the same."""
    where = "/".join(group.label for group in box.group.chain())
    said = [*([where] if where else []), f"{len(box.members):,} node{'s' * (len(box.members) > 1)}"]
    if box.fold is None:
        said += list(dict.fromkeys(typename(node.shape, node.dtype) for node in box.members))[:6]
        params = dict.fromkeys(show_params(node.params) for node in box.members if node.op.kind not in ("leaf", "state"))
        if len(params) == 1:
            said += [text for text in params if text]
        said += box.names[:12]
    return "\n".join(said)


def edge_label(edge: Edge) -> str:
    """The shape that flows, ``×k`` where the boxes do not already say how often, the step from instance to instance."""
    said = [_step(edge)] if edge.carry is not None else []
    said.append(_shapes(edge.types))
    if edge.source.fold is not None or edge.target.fold is not None:
        many = len(edge.values)
        implied = 1
    else:
        many = edge.count
        implied = max(len(edge.source.members), len(edge.target.members))
    return "\n".join(said) + (f" (×{many})" if many != implied else "")


def edge_tooltip(edge: Edge) -> str:
    """Types and the views on the way."""
    types = [typename(*kind) + (f" ×{count}" if count > 1 else "") for kind, count in edge.types.items()]
    return "\n".join([*types[:8], *(f"via {path}" for path in list(edge.views)[:4])])


def values_label(nodes: Collection[Node], what: str) -> str:
    """``12 values``; the shape and dtype too, where there is only one."""
    many = len(nodes)
    kinds = {_kind(node) for node in nodes}
    return f"{many:,} {what}{'s' * (many > 1)}" + (f"\n{_shapes(kinds)}" if len(kinds) == 1 else "")


def _folded(box: Box) -> str:
    computed = [node for node in box.members if node.op.kind != "leaf"]
    many = f"{len(computed):,} op{'s' * (len(computed) != 1)}"
    said = [box.fold, many] if box.fold else [f"… and {many.replace(' op', ' more operation')}"]
    if box.names:
        said.append(f"{len(box.names):,} parameter{'s' * (len(box.names) > 1)}")
    return "\n".join(said)


def _leaf_name(box: Box) -> str:
    """The name without what the clusters around it already say; ``weight_l*`` for several; the role of what has no name."""
    names = set()
    for name in box.names:
        parts = name.split(".")
        for group in box.group.chain():
            if len(parts) > 1 and group.name in (parts[0], parts[0].rpartition(" ")[0]):
                parts.pop(0)
        names.add(".".join(parts))
    if len(names) > 1:
        names = {re.sub(r"\d+", "*", name).removeprefix("*.") for name in names}
    if len(names) > 1:
        names = {name.rpartition(".")[2] for name in names}
    return names.pop() if len(names) == 1 else box.role


def _call(node: Node) -> str:
    """The operation with the Python scalars in their places: ``mul · 0.9``, ``sub(1, ·)``."""
    given = [_number(source) if source.op.kind == "literal" else "·" for source in node.inputs]
    if node.op.writes or all(text == "·" for text in given):
        return str(node.op.name) if not node.op.writes or given[1] == "·" else f"{node.op.name} · {given[1]}"
    if given[0] == "·" and len(given) == 2:
        return f"{node.op.name} · {given[1]}"
    return f"{node.op.name}({', '.join(given)})"


def _number(node: Node) -> str:
    value = node.params["value"]
    return f"{value:.4g}" if isinstance(value, float) else repr(value)


def _kind(node: Node) -> Kind:
    return node.shape, node.dtype


def _shapes(kinds: Iterable[Kind]) -> str:
    """``32×128``, ``i64 32``, ``scalar``; of more than two, how many there are."""
    distinct = dict.fromkeys(kinds)
    if len(distinct) > 2:
        return f"{len(distinct)} shapes"
    return ", ".join(_shape(shape, dtype) for shape, dtype in distinct)


def _shape(shape: tuple[int, ...], dtype: Any) -> str:
    dims = "×".join(map(str, shape)) or "scalar"
    return dims if dtype == np.float32 else f"{short_dtype(dtype)} {dims}"


def _step(edge: Edge) -> str:
    group = edge.carry
    assert group is not None
    if group.index is None:
        return f"next {group.name}"
    step = edge.strides.copy().pop() if len(edge.strides) == 1 else None
    ends = {1: "t→t+1", -1: "t+1→t", None: "t→t′"}.get(step, f"t→t{step:+d}" if step is not None else "")
    return f"{group.name} {ends}"
