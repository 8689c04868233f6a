"""Numbered modules that repeat: in a Sequential of Linear, Tanh, Linear, Tanh, ... every pair plays the same part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..modes import Scope
from ..tape import Node
from .roles import recorded

__all__ = ["Blocks", "place", "repeating", "runs"]

Path = tuple[str, ...]
Blocks = Mapping[Path, tuple[str, int]]
"""Per scope that belongs to a block: what the blocks are called, and the number of its block."""
_LONGEST, _FEWEST = 16, 3
"""Numbered modules in a block at most; blocks at least: fewer are drawn one by one."""


def repeating(nodes: Iterable[Node]) -> Blocks:
    """The blocks of scopes with numbers for names, found by what is computed in them."""
    done: dict[Path, dict[str, list[Any]]] = {}
    for node in nodes:
        path = place(node.scope)
        for depth, name in enumerate(path):
            if name.isdigit() and len(path) == len(node.scope.chain()):  # a mirrored scope has lost its ``backward``
                what = (node.op.name, node.shape, node.dtype, path[depth + 1 :])
                done.setdefault(path[:depth], {}).setdefault(name, []).append(what)
    found: dict[Path, tuple[str, int]] = {}
    for parent, children in done.items():
        names = sorted(children, key=int)
        for start, period, count in runs([children[name] for name in names]):
            run = names[start : start + period * count]
            for i, name in enumerate(run if count > 1 else ()):
                found[*parent, name] = f"{run[0]}…{run[-1]}", i // period
    return found


def place(scope: Scope) -> Path:
    """Where in the model a scope is; that of a gradient is the place of what it is the gradient of."""
    scope = recorded(scope)
    return tuple(s.label for s in scope.chain()[scope.mirrored :])


def runs(parts: Sequence[Any]) -> Iterable[tuple[int, int, int]]:
    """All parts, in order, as stretches of equal blocks: where one starts, how long its block is, how many there are.

    What repeats less than three times is a block of one part, there once.
    """
    start = 0
    while start < len(parts):
        options = [(period, _count(parts, start, period)) for period in range(1, min(_LONGEST, len(parts) - start) + 1)]
        period, count = max(options, key=lambda option: (option[0] * option[1] if option[1] >= _FEWEST else 0, -option[0]))
        if count < _FEWEST:
            period = count = 1
        yield start, period, count
        start += period * count


def _count(parts: Sequence[Any], start: int, period: int) -> int:
    """How often the block ``parts[start : start + period]`` stands there in a row."""
    block, end = parts[start : start + period], start + period
    while parts[end : end + period] == block:
        end += period
    return (end - start) // period
