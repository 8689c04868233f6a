"""The reference executor: runs any tape again, one primitive after the other, in plain numpy.

It is the proof that the tape is complete (a training step replayed is the training step) and the oracle of the compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import typename

if TYPE_CHECKING:
    from .tape import Node, Tape
    from .tensor import Tensor

__all__ = ["observe", "replay"]

Array = np.ndarray[Any, Any]


def replay(tape: Tape, outputs: Sequence[Tensor], feed: Mapping[Tensor, Array]) -> tuple[Array, ...]:
    """The values of ``outputs`` after running every node of ``tape`` in order; see ``Tape.replay``."""
    values = {leaf: array.copy() if leaf in tape.constants else array for leaf, array in tape.leaves.items()}
    for tensor, array in feed.items():
        values[_fed_leaf(tape, tensor, array)] = array
    wanted = [_node_of(tape, tensor) for tensor in outputs]
    _run(tape, values, wanted, lambda node, value: None)
    return tuple(values[node].copy() for node in wanted)  # state goes on changing in its own memory


def observe(tape: Tape, tell: Callable[[Node, Array], None]) -> None:
    """Run the tape again, telling every value, those of leaves first, when it is made; it may be dropped or written after.

    Nothing outside is written: state is copied first, so an observed training step does not train. What was written since
    the recording (parameters, moments) takes part with the values that it has now.
    """
    values = {leaf: array.copy() for leaf, array in tape.leaves.items()}
    for leaf, array in values.items():
        tell(leaf, array)
    _run(tape, values, (), tell)


def _run(tape: Tape, values: dict[Node, Array], wanted: Sequence[Node], tell: Callable[[Node, Array], None]) -> None:
    """Add the values of all nodes in order, and drop each after its last use, unless it is wanted."""
    last_use = _last_uses(tape, wanted)

    with np.errstate(all="ignore"):
        for position, node in enumerate(tape.nodes):
            arguments = [n.params["value"] if n.op.kind == "literal" else values[n] for n in node.inputs]
            values[node] = np.asarray(node.op.forward(*arguments, **node.params))
            tell(node, values[node])
            for source in {*node.inputs, node}:
                if last_use.get(source) == position:
                    del values[source]


def _last_uses(tape: Tape, wanted: Sequence[Node]) -> dict[Node, int]:
    """Where each recorded value can be dropped. Leaves and wanted values never are."""
    last: dict[Node, int] = {}
    for position, node in enumerate(tape.nodes):
        last[node] = position
        for source in node.inputs:
            if source in last:
                last[source] = position
    for node in wanted:
        last.pop(node, None)
    return last


def _node_of(tape: Tape, tensor: Tensor) -> Node:
    node = tensor._current_node()
    if node is None or (node not in tape.leaves and node not in tape._known):
        raise ValueError(
            f"replay: the {typename(tensor.shape, tensor.dtype)} Tensor asked for was not recorded on {tape!r}. "
            "Ask for Tensors that were made inside `with tn.Tape() as tape:`."
        )
    return node


def _fed_leaf(tape: Tape, tensor: Tensor, array: Array) -> Node:
    node = tensor._current_node()
    if node is None or node not in tape.leaves:
        raise ValueError(
            f"replay: feed names a {typename(tensor.shape, tensor.dtype)} Tensor that is no leaf of {tape!r}. "
            "Only what came from outside the tape (data, parameters, constants) can be fed."
        )
    if not isinstance(array, np.ndarray) or array.shape != node.shape or array.dtype != node.dtype:
        got = typename(array.shape, array.dtype) if isinstance(array, np.ndarray) else type(array).__name__
        raise ValueError(f"replay: feed needs an array {typename(node.shape, node.dtype)} here, but got {got}.")
    return node
