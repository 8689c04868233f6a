"""Memory that several Tensors share: views of one base, and the record of in-place writes.

Two facts are kept, each where it costs nothing until it is needed:

* ``writes``: when each block of memory was last written, keyed by the array that owns it. A residual is stale exactly if its
  memory was written after the node that saved it. ``last_write`` is the newest of all writes: one comparison skips the check.
* ``Storage`` and ``View``: a base and its views share a Storage, made at the first view. An in-place write through any of
  them gives the base a new node and raises ``version``; the others make their node again when they are next read.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np

from .tape import next_seq, user_line

if TYPE_CHECKING:
    from .optable import Op
    from .tape import Node

__all__ = [
    "Storage",
    "View",
    "Write",
    "copy_memory",
    "copy_view",
    "note_write",
    "note_writes",
    "root_of",
    "stale_write",
    "writes",
]

Array = np.ndarray[Any, Any]
Path = tuple[tuple["Op", dict[str, Any]], ...]
"""The view operations that lead from a base to a view, with their parameters."""


class Storage:
    """What a base Tensor and its views share.

    array    the base's array
    node     the base's current node (None while nothing recorded it)
    version  how often the node was replaced by a write
    """

    __slots__ = ("array", "node", "version")

    def __init__(self, array: Array, node: Node | None) -> None:
        self.array, self.node, self.version = array, node, 0

    def __deepcopy__(self, memo: dict[int, Any]) -> Storage:
        return Storage(copy_memory(self.array, memo), None)


class View:
    """One Tensor's place in a Storage: the path of view operations from the base, and the version its node belongs to."""

    __slots__ = ("path", "storage", "version")

    def __init__(self, storage: Storage, path: Path) -> None:
        self.storage, self.path, self.version = storage, path, storage.version


class Write:
    """The last write to a block of memory: when, from which line, by which operation."""

    __slots__ = ("by", "line", "reference", "seq")

    def __init__(self, reference: weakref.ref[Array]) -> None:
        self.seq, self.line, self.by, self.reference = 0, "", "", reference


class _Writes:
    """Every live block of memory that was ever written in place, and the newest write."""

    def __init__(self) -> None:
        self.last = 0
        self.blocks: dict[int, Write] = {}


writes = _Writes()


def root_of(array: Array) -> Array:
    """The array that owns the memory: numpy's chain of bases is the identity of a storage."""
    while (base := array.base) is not None:
        if not isinstance(base, np.ndarray):
            base = getattr(base, "base", None)  # numpy puts a holder between an array and its strided windows
            if not isinstance(base, np.ndarray):
                return array
        array = base
    return array


def copy_memory(array: Array, memo: dict[int, Any]) -> Array:
    """A deep copy of ``array``: what lies in one memory, as far as ``memo`` knows of it, lies in one memory again."""
    root = root_of(array)
    owner = deepcopy(root, memo)
    if any(n > 1 and a != b for n, a, b in zip(root.shape, root.strides, owner.strides, strict=True)):
        return array.copy()  # lent memory with gaps: numpy has packed the copy
    offset = array.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    return np.ndarray(array.shape, array.dtype, owner.ravel("K"), offset, array.strides)


def copy_view(view: View | None, memo: dict[int, Any]) -> View | None:
    """The same view of the copy of its base."""
    return None if view is None else View(deepcopy(view.storage, memo), view.path)


def note_write(array: Array, by: str) -> None:
    """Remember that ``array``'s memory changes now, and where the user's code did it."""
    note_writes((array,), by, user_line())


def note_writes(arrays: Iterable[Array], by: str, line: str) -> None:
    """The same for several arrays, all written by one line."""
    seq, blocks = next_seq(), writes.blocks
    for array in arrays:
        owner = root_of(array)
        known = blocks.get(id(owner))
        if known is None or known.reference() is not owner:
            known = _watch(owner)
        known.seq, known.line, known.by = seq, line, by
    writes.last = seq


def _watch(owner: Array) -> Write:
    """A new entry among the blocks, gone when the memory is."""
    key, blocks = id(owner), writes.blocks

    def forget(reference: weakref.ref[Array]) -> None:
        entry = blocks.get(key)
        if entry is not None and entry.reference is reference:
            del blocks[key]

    made = blocks[key] = Write(weakref.ref(owner, forget))
    return made


def stale_write(array: Array, since: int) -> Write | None:
    """The write that changed ``array``'s memory after the node number ``since``, if there was one."""
    entry = writes.blocks.get(id(root_of(array)))
    return entry if entry is not None and entry.seq > since else None
