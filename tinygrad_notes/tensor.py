"""Tensor: an array, whether it requires a gradient, and its node on the tape.

Operators and most methods (``x + y``, ``x.sum()``) are attached in ``tinygrad_notes.methods``; what is here is
what a Tensor is without any operation: its data, its place in the graph, hooks, conversion, copies and printing.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .dtypes import DEFAULT_FLOAT, make_array
from .errors import CountError, DtypeError, GraphError, ShapeError, typename
from .modes import local
from .optable import LEAF
from .storage import View, copy_memory, copy_view
from .tape import Node, RemovableHook, Taps, new_leaf, new_node

if TYPE_CHECKING:
    from ._methods import TensorMethods
else:
    TensorMethods = object

__all__ = ["Tensor", "from_array", "leaf_of"]

Array = np.ndarray[tuple[int, ...], np.dtype[Any]]


class Tensor(TensorMethods):
    """A multi-dimensional array that remembers how it was made.

    data           anything numpy makes an array of, copied; Python floats become float32
    dtype          of the result; default: that of an array, else float32, int64 or bool
    requires_grad  whether ``backward`` leaves a gradient in ``.grad``

    Raises DtypeError for dtypes that the engine does not have, and for integers that require a gradient.
    """

    __slots__ = ("__weakref__", "_array", "_grad", "_node", "_view")
    __array_priority__ = 1000.0

    _array: Array
    _grad: Tensor | None
    _node: Node | None
    _view: View | None
    _plain: ClassVar[bool] = True
    """False for values that are no array of their own, as under ``vmap``: they have ``_bind`` and ``_write`` to run rows."""

    def __init__(self, data: Any, *, dtype: Any = None, requires_grad: bool = False) -> None:
        self._array = make_array(data, dtype)
        self._grad = self._node = self._view = None
        tape = local.mode.tape
        if tape is not None:
            tape.constant(leaf_of(self), self._array)
        if requires_grad:
            self.requires_grad_()

    # ---- what it holds ----

    @property
    def shape(self) -> tuple[int, ...]:
        return self._array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._array.dtype

    @property
    def ndim(self) -> int:
        return self._array.ndim

    def dim(self) -> int:
        """The number of axes."""
        return self._array.ndim

    def numel(self) -> int:
        """The number of elements."""
        return self._array.size

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the length of one axis."""
        return self._array.shape if dim is None else self._array.shape[dim]

    def numpy(self) -> Array:
        """The array itself, sharing memory. Raises GraphError where that would lose a gradient, as in PyTorch."""
        if self.requires_grad:
            raise GraphError(
                f"numpy: {self._type()} requires grad, and an array would leave the graph unseen; use t.detach().numpy()"
            )
        return self._array

    def _all_values(self) -> Array:
        """For checks that each value must pass on its own: the array, under ``vmap`` that of all examples."""
        return self._array

    def item(self) -> bool | int | float:
        """The value of a Tensor with one element, as a Python number."""
        if self._array.size != 1:
            raise CountError(f"item: {self._type()} has {self._array.size} elements; only one can become a Python number")
        value: bool | int | float = self._array.item()
        return value

    def tolist(self) -> Any:
        """The values as (nested) Python lists."""
        return self._array.tolist()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self._array.dtype.kind not in "iub":
            raise TypeError(f"{self._type()} cannot be an index: only integers can")
        return int(self.item())

    def __bool__(self) -> bool:
        if self._array.size != 1:
            raise ShapeError(
                f"bool: the truth of {self._type()} with {self._array.size} values is ambiguous; use (t != 0).any() or .all()"
            )
        return bool(self._array.item())

    def __len__(self) -> int:
        if self._array.ndim == 0:
            raise TypeError("len() of a 0-d Tensor")
        return self._array.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if self._array.ndim == 0:
            raise TypeError("iteration over a 0-d Tensor; use t.item()")
        return (self[i] for i in range(self._array.shape[0]))

    def __contains__(self, value: Any) -> bool:
        return bool((self._array == (value._array if isinstance(value, Tensor) else value)).any())

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        body = np.array2string(self._array, separator=", ", prefix="tensor(", precision=4)
        notes = [] if self.dtype in (DEFAULT_FLOAT, np.int64, np.bool_) else [f"dtype={self.dtype.name}"]
        node = self._current_node()
        if node is not None and node.rg:
            notes.append("requires_grad=True" if self.is_leaf else f"grad_fn=<{node.op.name}>")
        return f"tensor({', '.join([body, *notes])})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if self._array.ndim == 0 else repr(self)

    def _type(self) -> str:
        return f"Tensor {typename(self._array.shape, self._array.dtype)}"

    # ---- its place in the graph ----

    def _current_node(self) -> Node | None:
        """The node, made anew if the memory was written through another view since."""
        view = self._view
        if view is not None and view.version != view.storage.version:
            _follow_write(self, view)
        return self._node

    def _set_node(self, node: Node | None) -> None:
        self._node = node
        if self._view is not None and not self._view.path:
            self._view.storage.node = node

    @property
    def requires_grad(self) -> bool:
        node = self._current_node()
        return node is not None and node.rg

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask (or no longer ask) for a gradient in ``.grad``. Raises on integers, and on results of operations."""
        if requires_grad and self._array.dtype.kind != "f":
            raise DtypeError(f"{self._type()} cannot require grad: only floating-point Tensors have gradients; use .float()")
        if not self.is_leaf:
            if not requires_grad:
                raise GraphError(f"{self._type()} is the result of an operation and always requires grad; use .detach()")
            return self
        if requires_grad != self.requires_grad:
            node = new_leaf(self, requires_grad)
            if requires_grad:
                node.taps = Taps()
                node.taps.leaf = weakref.ref(self)
            self._set_node(node)
            if self._view is not None and not self._view.path:  # views made earlier follow
                self._view.storage.version += 1
                self._view.version = self._view.storage.version
        return self

    @property
    def is_leaf(self) -> bool:
        """True for what no recorded operation made: the end of backward's way."""
        node = self._current_node()
        while node is not None and node.op.writes and not node.params["visible"]:
            node = node.inputs[0]  # written under no_grad: still the leaf it was
        return node is None or not node.rg or not any(node.op.vjp)

    @property
    def grad_fn(self) -> Node | None:
        """The node that made this Tensor; None for a leaf."""
        return None if self.is_leaf else self._current_node()

    @property
    def grad(self) -> Tensor | None:
        """The gradient that ``backward`` has left here; further backwards add to it."""
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(f"grad: needs a Tensor or None, got {type(value).__name__}")
            if value.shape != self.shape or value.dtype != self.dtype:
                raise ShapeError(f"grad: {value._type()} does not fit {self._type()}; both need the same shape and dtype")
        self._grad = value

    def retain_grad(self) -> None:
        """Also keep the gradient of this result of an operation in ``.grad``."""
        node = self._current_node()
        if node is None or not node.rg:
            raise GraphError(f"retain_grad: {self._type()} does not require grad; nothing will flow here")
        if not self.is_leaf:
            taps = node.taps = node.taps or Taps()
            taps.retain = weakref.ref(self)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHook:
        """Call ``hook(gradient)`` when backward reaches this Tensor; what it returns, unless None, replaces the gradient."""
        node = self._current_node()
        if node is None or not node.rg:
            raise GraphError(f"register_hook: {self._type()} does not require grad; no gradient will reach it")
        taps = node.taps = node.taps or Taps()

        def run(g: Any) -> Any:
            given = g if isinstance(g, Tensor) else from_array(np.asarray(g))
            answer = hook(given)
            if answer is None:
                return g
            if not isinstance(answer, Tensor) or answer.shape != given.shape or answer.dtype != given.dtype:
                got = answer._type() if isinstance(answer, Tensor) else type(answer).__name__
                raise ShapeError(f"hook: must return None or a Tensor like the gradient {given._type()}, got {got}")
            return answer if isinstance(g, Tensor) else answer._array

        handle = RemovableHook(taps.hooks)
        taps.hooks[handle.number] = run
        return handle

    # ---- copies ----

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if not self.is_leaf:
            raise GraphError(f"deepcopy: {self._type()} is the result of an operation; copy t.detach() or use t.clone()")
        copied = object.__new__(type(self))
        memo[id(self)] = copied
        copied.__setstate__(self.__getstate__())
        copied._array, copied._view = copy_memory(self._array, memo), copy_view(self._view, memo)
        copied._set_node(copied._node)
        if self._grad is not None:
            copied._grad = from_array(self._grad._array.copy())
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        if not self.is_leaf:
            raise GraphError(f"pickle: {self._type()} is the result of an operation; pickle t.detach()")
        return object.__new__, (type(self),), self.__getstate__()

    def __getstate__(self) -> dict[str, Any]:
        return {"array": self._array, "requires_grad": self.requires_grad, **getattr(self, "__dict__", {})}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._array = state["array"]
        self._grad = self._node = self._view = None
        if state["requires_grad"]:
            self.requires_grad_()
        for name in state.keys() - {"array", "requires_grad"}:
            setattr(self, name, state[name])


def from_array(array: Array, node: Node | None = None) -> Tensor:
    """A Tensor on this very array, unchecked."""
    out = object.__new__(Tensor)
    out._array = array
    out._grad = out._view = None
    out._node = node
    return out


def leaf_of(operand: Tensor) -> Node:
    """Give a constant its node, now that a recorded operation reads it."""
    node = new_node(LEAF, (), {}, operand._array.shape, operand._array.dtype, False)
    operand._set_node(node)
    return node


def _follow_write(tensor: Tensor, view: View) -> None:
    """A write gave the base a new node: walk the view's path again, on nodes only."""
    node, array, tape = view.storage.node, view.storage.array, local.mode.tape
    for op, params in view.path:
        if node is None:
            break
        source = from_array(array, node)
        array = op.forward(array, **params)
        node = new_node(op, (node,), params, array.shape, array.dtype, node.rg and op.vjp[0] is not None)
        if tape is not None:
            tape.record(node, (source,))
    tensor._node = node
    view.version = view.storage.version
