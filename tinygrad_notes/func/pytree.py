"""Nested tuples, lists and dicts of Tensors, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["LEAF", "Structure", "flatten", "prefix_leaves", "unflatten"]

LEAF = "*"
Structure = Any
"""``LEAF``, or (type, dict keys or None, the structures inside): comparable, and readable in messages."""


def _children(tree: Any) -> tuple[Any, Sequence[Any]] | None:
    """The keys (None without) and parts of a container; None for everything else."""
    if isinstance(tree, dict):
        return tuple(tree), list(tree.values())
    return (None, tree) if isinstance(tree, tuple | list) else None


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves from left to right, and the structure that ``unflatten`` puts them into."""
    found = _children(tree)
    if found is None:
        return [tree], LEAF
    keys, parts = found
    leaves, inner = [], []
    for part in parts:
        below, structure = flatten(part)
        leaves += below
        inner.append(structure)
    return leaves, (type(tree), keys, tuple(inner))


def unflatten(structure: Structure, leaves: Sequence[Any]) -> Any:
    """The tree of ``structure`` with these leaves."""
    rest = iter(leaves)
    tree = _build(structure, rest)
    assert next(rest, LEAF) is LEAF, "more leaves than places"
    return tree


def _build(structure: Structure, leaves: Iterator[Any]) -> Any:
    if structure is LEAF:
        return next(leaves)
    kind, keys, inner = structure
    parts = [_build(part, leaves) for part in inner]
    if keys is not None:
        return kind(zip(keys, parts, strict=True))
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)


def prefix_leaves(prefix: Any, structure: Structure) -> list[Any] | None:
    """One entry per leaf of ``structure``: a leaf of ``prefix`` stands for everything below it. None where it does not fit."""
    if structure is LEAF or _children(prefix) is None:
        count = _count(structure)
        return [prefix] * count if _children(prefix) is None else None
    kind, keys, inner = structure
    own_keys, parts = _children(prefix) or (None, ())
    if type(prefix) is not kind and not (keys is None and isinstance(prefix, tuple | list)):
        return None
    if len(parts) != len(inner) or (keys is not None and set(own_keys or ()) != set(keys)):
        return None
    ordered = parts if keys is None else [prefix[key] for key in keys]
    found: list[Any] = []
    for part, below in zip(ordered, inner, strict=True):
        leaves = prefix_leaves(part, below)
        if leaves is None:
            return None
        found += leaves
    return found


def _count(structure: Structure) -> int:
    return 1 if structure is LEAF else sum(map(_count, structure[2]))
