"""The tape (Wengert list): what was computed, in order, as data. Everything else only reads it.

A ``Node`` is one value: the primitive that made it, its inputs, its static parameters, its shape and dtype. A Tensor points
to its node; **a node never points to its output Tensor**, so reference counting alone frees every graph. Leaves (parameters,
data, constants) and Python scalars (literals) are nodes too: the inputs of a node are always nodes.

Eager code keeps only the nodes that a gradient needs, each held by the Tensor it made. ``with Tape() as tape`` keeps all of
them in order: constants, in-place writes, random draws, the backward pass, the optimizer.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .listing import listing
from .modes import local
from .optable import LEAF, TABLE
from .replay import replay

if TYPE_CHECKING:
    import weakref
    from types import FrameType, TracebackType

    from .modes import Scope
    from .tensor import Tensor

__all__ = [
    "FREED",
    "Node",
    "RemovableHook",
    "Tape",
    "Taps",
    "is_ours",
    "new_leaf",
    "new_node",
    "next_seq",
    "readable",
    "user_line",
]

FREED: Any = ("freed",)
"""Stands in ``Node.saved`` once backward has used and dropped the residuals."""

next_seq: Callable[[], int] = itertools.count(1).__next__
"""The creation counter: sorting by it gives the order of the tape. One atomic call, shared by all threads."""


class Node:
    """One value of the tape.

    seq     position in the order of creation, unique in the process
    op      the row of the table that made it (``leaf`` and ``literal`` are rows without a forward)
    inputs  a node per argument, differentiable or not
    params  static parameters of the primitive, by name
    saved   the residuals that the VJP rules read, as arrays, ``None`` where no rule needs one
    rg      whether a gradient flows through it; argument i takes part if its rule exists and ``inputs[i].rg``
    taps    what watches it: the leaf Tensor to commit to, ``retain_grad``, hooks (None for most nodes)
    line    the user's line, kept under a Tape
    """

    # One or two inputs stand in slots of their own, more in a tuple: a tuple per node is a second object for the garbage
    # collector to walk, which made deep graphs a fifth slower.
    __slots__ = ("dtype", "first", "line", "op", "others", "params", "rg", "saved", "scope", "second", "seq", "shape", "taps")

    seq: int
    op: Any
    first: Node | None
    second: Node | None
    others: tuple[Node, ...] | None
    params: dict[str, Any]
    saved: Any
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scope: Scope
    rg: bool
    taps: Taps | None
    line: str | None

    @property
    def inputs(self) -> tuple[Node, ...]:
        if self.others is not None:
            return self.others
        if self.first is None:
            return ()
        return (self.first,) if self.second is None else (self.first, self.second)

    @inputs.setter
    def inputs(self, nodes: tuple[Node, ...]) -> None:
        self.first = nodes[0] if 0 < len(nodes) < 3 else None
        self.second = nodes[1] if len(nodes) == 2 else None
        self.others = nodes if len(nodes) > 2 else None

    def __repr__(self) -> str:
        return f"<Node {self.seq}: {self.op.name} {self.dtype}{list(self.shape)}>"


class Taps:
    """What watches a node. ``leaf`` and ``retain`` are weak references to Tensors: a node never keeps its Tensor alive.

    ``recompute`` computes the residuals of a node inside a checkpoint again.
    """

    __slots__ = ("hooks", "leaf", "recompute", "retain")

    def __init__(self) -> None:
        self.leaf: weakref.ref[Tensor] | None = None
        self.retain: weakref.ref[Tensor] | None = None
        self.hooks: dict[int, Callable[[Tensor], Tensor | None]] = {}
        self.recompute: Callable[[], tuple[Any, ...]] | None = None


class RemovableHook:
    """What ``register_hook`` returns: ``remove()`` takes the hook off again."""

    def __init__(self, hooks: dict[int, Any]) -> None:
        self._hooks, self.number = hooks, next_seq()

    def remove(self) -> None:
        """Take the hook off; a second time does nothing."""
        self._hooks.pop(self.number, None)


def new_node(
    op: Any,
    inputs: tuple[Node, ...],
    params: dict[str, Any],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    rg: bool,
) -> Node:
    """A node without residuals, in the current scope, not yet on any tape."""
    node = Node()
    node.seq, node.op, node.inputs, node.params = next_seq(), op, inputs, params
    node.saved, node.shape, node.dtype, node.rg = None, shape, dtype, rg
    node.scope, node.taps, node.line = local.mode.scope, None, None
    return node


def new_leaf(tensor: Tensor, requires_grad: bool) -> Node:
    """A node for the value of ``tensor`` from which gradients start anew. To a tape it is still what was computed there."""
    old, tape = tensor._current_node(), local.mode.tape
    if tape is not None and old is not None and tape.computed(old):
        node = new_node(TABLE["detach"], (old,), {}, tensor.shape, tensor.dtype, requires_grad)
        tape.record(node, (tensor,))
        return node
    node = new_node(LEAF, (), {}, tensor.shape, tensor.dtype, requires_grad)
    if tape is not None and old in tape.constants:
        tape.constant(node, tensor._array)
    return node


_PACKAGE = os.path.dirname(__file__) + os.sep


def is_ours(frame: FrameType) -> bool:
    """Whether a frame runs code of this package, generated code included."""
    return frame.f_code.co_filename.startswith((_PACKAGE, "<tinygrad_notes"))


def user_line() -> str:
    """``file.py:12``: the innermost line on the stack that is not ours."""
    frame = sys._getframe(1)
    while frame.f_back is not None and is_ours(frame):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def readable(line: str | None) -> str:
    """A ``user_line`` as people read it: in a notebook ``In[5]:3``, the third line of cell 5, not a file that the kernel made up."""
    if not line:
        return "an unknown line"
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    path, _, number = line.rpartition(":")
    cell = None if shell is None else shell.compile.format_code_name(path)
    return line if cell is None else f"{cell[1]}:{number}"


# ---- the tape ----


class Tape:
    """``with tn.Tape() as tape:`` records everything the thread computes inside, in order.

    nodes      the recorded nodes
    leaves     what existed before or came from outside, with its array: parameters, moments, data, constants
    constants  the leaves that the recorded code made itself (``tn.zeros``, ``tn.tensor``)
    names      what a leaf is called (``lstm.weight_ih_l0``), told by the modules that own it
    gradients  per node, the nodes that hold its cotangent: one for each recorded backward pass that reached it
    origins    per node that a VJP rule recorded, the node whose rule it was

    ``print(tape)`` shows the listing; ``tape.replay()`` runs it again. A tape inside a tape also goes onto the outer one.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.leaves: dict[Node, np.ndarray[Any, Any]] = {}
        self.names: dict[Node, str] = {}
        self.gradients: dict[Node, list[Node]] = {}
        self.origins: dict[Node, Node] = {}
        self.turn: Node | None = None  # whose rules a backward pass is running
        self._known: set[Node] = set()
        self.constants: set[Node] = set()
        self._unseen: list[Callable[[], None]] = []
        self._shared = False
        self._outer: Tape | None = None

    def __enter__(self) -> Self:
        self._outer, local.mode.tape = local.mode.tape, self
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        outer, self._outer = self._outer, None
        local.mode.tape = outer
        if outer is not None:
            outer._absorb(self)
            return
        for restore in reversed(self._unseen):
            restore()
        self._unseen.clear()

    def __del__(self) -> None:
        # What only this tape recorded holds its inputs for this tape alone: let go, or a carried state would keep all history.
        if not self._shared:
            for node in self.nodes:
                if not node.rg:
                    node.inputs = ()

    def record(self, node: Node, operands: Iterable[Any]) -> None:
        """Append a node; operands (Tensors, literals) that this tape has not seen become leaves with their arrays."""
        known = self._known
        for source, operand in zip(node.inputs, operands, strict=True):
            if source not in known:
                known.add(source)
                if source.op.kind != "literal":
                    self.leaves[source] = operand._array
        known.add(node)
        node.line = user_line()
        self.nodes.append(node)
        if self.turn is not None:
            self.origins[node] = self.turn

    def constant(self, node: Node, array: np.ndarray[Any, Any]) -> None:
        """A leaf that the recorded code itself made from data: every replay starts from its first value."""
        self._known.add(node)
        self.leaves[node] = array.copy()
        self.constants.add(node)

    def computed(self, node: Node) -> bool:
        """Whether this tape, or one that it is inside of, has recorded what computes ``node``."""
        outer = self._outer
        return (node in self._known and node not in self.leaves) or (outer is not None and outer.computed(node))

    def wrote_unseen(self, restore: Callable[[], None]) -> None:
        """A value was written where gradients do not see it: on the tape it is a new value, after the tape the old one."""
        self._unseen.append(restore)

    def _absorb(self, inner: Tape) -> None:
        self.nodes.extend(inner.nodes)
        for leaf, array in inner.leaves.items():
            if leaf not in self._known:
                self.leaves[leaf] = array
        self.names.update(inner.names)
        for node, found in inner.gradients.items():
            self.gradients.setdefault(node, []).extend(found)
        self.origins.update(inner.origins)
        self.constants |= inner.constants
        self._known |= inner._known
        self._unseen.extend(inner._unseen)
        inner._shared = True

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __repr__(self) -> str:
        return f"<Tape: {len(self.nodes):,} nodes, {len(self.leaves):,} leaves>"

    def __str__(self) -> str:
        return listing(self)

    def replay(
        self, *outputs: Tensor, feed: Mapping[Tensor, np.ndarray[Any, Any]] | None = None
    ) -> tuple[np.ndarray[Any, Any], ...]:
        """Run the tape again in plain numpy, writing state in place as the recorded code did; the values of ``outputs``.

        feed: other arrays for leaves, by the Tensor that was the leaf (same shape and dtype). Leaves without one are read
        from the memory they had when recorded, so a changed parameter, learning rate or batch (``x.copy_(...)``) takes part.
        Raises ValueError for a Tensor that this tape does not know.
        """
        return replay(self, outputs, feed or {})
