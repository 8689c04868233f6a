"""Sequences that are nearly the same, laid over one another: which node of step 7 plays the part of which of step 8."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from ..tape import Node

__all__ = ["align"]

Token = tuple[Any, ...]
Slots = list[tuple[Node, list[Node]]]
"""One entry per part: the node that first played it, and all that do."""


def align(sequences: Sequence[list[Node]]) -> list[list[Node]]:
    """The parts that the nodes of several instances play, in order, each with the nodes that play it.

    The most frequent sequence of operations is the pattern. A node of another sequence joins the part at its place if
    operation and shape agree, or, where no shape agrees, the operation alone; a node without a counterpart is a part of its own.
    """
    alike: dict[Token, list[list[Node]]] = {}
    for sequence in sequences:
        alike.setdefault(tuple(_exact(node) for node in sequence), []).append(sequence)
    slots: Slots = []
    for kind in sorted(alike.values(), key=len, reverse=True):  # stable: equals stay in the order of the tape
        slots = _lay(slots, kind, (_exact, _coarse))
    return [members for _, members in slots]


def _coarse(node: Node) -> Token:
    return (node.op.name, *(source.op.kind == "literal" for source in node.inputs))


def _exact(node: Node) -> Token:
    return (*_coarse(node), node.shape, node.dtype)


def _lay(slots: Slots, kind: list[list[Node]], tokens: tuple[Any, ...]) -> Slots:
    """Slots with the equal sequences ``kind`` laid over them, comparing by the first token, in the gaps by the next."""
    if not slots or not kind[0] or not tokens:
        return [*slots, *((nodes[0], list(nodes)) for nodes in zip(*kind, strict=True))]
    token, finer = tokens[0], tokens[1:]
    match = SequenceMatcher(None, [token(first) for first, _ in slots], [token(node) for node in kind[0]], autojunk=False)
    laid: Slots = []
    for tag, a, b, c, d in match.get_opcodes():
        if tag == "equal":
            for (first, members), nodes in zip(slots[a:b], zip(*(s[c:d] for s in kind), strict=True), strict=True):
                laid.append((first, [*members, *nodes]))
        else:
            laid += _lay(slots[a:b], [s[c:d] for s in kind], finer)
    return laid
