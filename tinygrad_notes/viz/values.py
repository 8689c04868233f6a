"""What is known of the values of a recording: a summary per node, from running it again on copies. Nothing of the user's
changes: no parameter, no ``.grad``, no random stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..replay import observe
from ..tape import Node, Tape
from .source import Recording
from .statistics import summary

__all__ = ["Values", "values_of"]

Array = np.ndarray[Any, Any]
Values = dict[Node, dict[str, Any]]


def values_of(recorded: Recording) -> tuple[Values, list[str]]:
    """The summary of every node whose value is known, and what there is to say about the others.

    A tape knows all. The graph behind a Tensor knows its leaves and what VJP rules have kept, and what follows from these.
    """
    tape, notes = recorded.tape or Tape(), []
    if len(tape) < len(recorded.nodes):
        tape = _computable(recorded.nodes, tape)
        missing = sum(node not in tape.leaves for node in recorded.nodes) - len(tape)
        if missing:
            notes.append(
                f"{missing:,} values are not in memory any more: record them (with tn.Tape() as tape: ...) and explore the tape."
            )
    found: Values = {}
    try:
        observe(tape, lambda node, array: found.__setitem__(node, summary(array)))
    except (ValueError, IndexError, TypeError, OverflowError) as error:  # an index that was frozen and does not fit any more
        notes.append(f"Values are known for the first {len(found):,} nodes: running the tape again fails there ({error}).")
    return found, notes


def _computable(nodes: Iterable[Node], recorded: Tape) -> Tape:
    """A tape of what can be computed from the values that are known, which are its leaves."""
    tape = Tape()
    tape._shared = True  # the nodes are not its own
    tape.constants = recorded.constants
    tape.leaves = dict(_held(nodes)) | recorded.leaves
    have = set(tape.leaves)
    for node in nodes:
        if node not in have and all(source in have or source.op.kind == "literal" for source in node.inputs):
            have.add(node)
            tape.nodes.append(node)
    return tape


def _held(nodes: Iterable[Node]) -> Iterator[tuple[Node, Array]]:
    """The leaves whose Tensors still live, with their arrays."""
    for node in nodes:
        for source in node.inputs:
            tensor = source.taps.leaf() if source.taps is not None and source.taps.leaf is not None else None
            if tensor is not None:
                yield source, tensor._array
