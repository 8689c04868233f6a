"""In-place writes: every one is an ``assign`` of a value to a Tensor's memory.

On the tape a write is a new value of the *base*: ``assign(base, value; path)`` is the base with the region that ``path``
leads to replaced. The base's Tensor, and every view of it, continue from there. What a write under ``no_grad`` does to a
value that requires grad is invisible to gradients, as in PyTorch: that is how optimizers change leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .dtypes import category
from .errors import DtypeError, GraphError, ShapeError
from .modes import innermost, local
from .optable import TABLE, p
from .storage import note_write, root_of
from .tape import Node, Taps, new_node
from .tensor import Tensor, from_array, leaf_of

__all__ = ["At", "check_writable", "direct", "replace", "source_of", "update", "write"]


direct: Any = np.ufunc
"""The forwards that may write straight into their first argument; anomaly mode, which wants to see results, allows none."""


class At(NamedTuple):
    """The part of a Tensor that is written: what the index ``places`` names, counting through its first ``axes`` axes joined."""

    places: Tensor
    axes: int


def write(target: Tensor, value: Any, by: str, at: At | None = None) -> Tensor:
    """Write ``value`` (broadcast and cast to fit) into the memory of ``target``; ``by`` names the operation in messages.

    at: writes only there, a value that broadcasts to ``(*places.shape, *target.shape[axes:])``; indices are in range.

    Raises GraphError for a leaf that requires grad (outside ``no_grad``) and for memory whose elements overlap or that is
    read-only; ShapeError where the value does not broadcast to the target.
    """
    node = target._current_node()
    source = source_of(target, value, by)
    if at is None and source._array.shape != target._array.shape:
        _check_broadcast(target, source, by)
    if not (target._plain and source._plain and (at is None or at.places._plain)):
        if at is not None:
            source = p.assign_at(p.clone(target), source, at.places, path=(), axes=at.axes, visible=True)
        innermost((target, source))._write(target, source, by)
        return target
    mode = local.mode
    value_node = source._current_node()
    value_rg = value_node is not None and value_node.rg and target._array.dtype.kind == "f"
    visible = mode.grad and ((node is not None and node.rg) or value_rg)
    check_writable(target, node, visible, by)

    if not visible and mode.tape is None:
        note_write(target._array, by)
        _copy(target._array, source._array, at)
        return target

    if source.dtype != target.dtype:
        source = p.cast(source, dtype=target.dtype)
    if value_rg and not visible:
        source = p.detach(source)
    _record(target, source, visible, at)
    note_write(target._array, by)
    _copy(target._array, source._array, at)
    return target


def source_of(target: Tensor, value: Any, by: str) -> Tensor:
    """``value`` as a Tensor that can be written into ``target``; numbers and arrays take its dtype.

    Raises TypeError for what holds no numbers, ShapeError for rows of different lengths.
    """
    if isinstance(value, Tensor):
        return value
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"{by}: rows of different lengths make no array ({error}); {target._type()} is written") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{by}: a {type(value).__name__} cannot be written into {target._type()}; give numbers or a Tensor")
    with np.errstate(all="ignore"):
        return from_array(array.astype(target.dtype, copy=False))


def _copy(target: np.ndarray[Any, Any], source: np.ndarray[Any, Any], at: At | None) -> None:
    if at is None and target.dtype is source.dtype:
        target[...] = source
        return
    with np.errstate(all="ignore"):  # a cast may overflow to inf
        if at is None:
            target[...] = source
        else:
            TABLE["assign_at"].forward(target, source, at.places._array, path=(), axes=at.axes, visible=False)


def update(target: Tensor, name: str, *others: Any) -> Tensor:
    """``target = row(target, *others)``, written in place: what ``add_`` and ``+=`` do.

    Raises DtypeError where the result is of a kind that the target cannot hold (a float into integers).
    """
    op = TABLE[name]
    array = target._array
    mode = local.mode
    if not target._plain:
        return write(target, _held(target, op.bind(p.clone(target), *others), name), name + "_")
    if mode.tape is None and isinstance(op.forward, direct) and not _would_record(target, others):
        arrays = [x._array if isinstance(x, Tensor) else x for x in others]
        simple = array.dtype.kind == "f" and all(
            type(a) is float or (isinstance(a, np.ndarray) and a.dtype is array.dtype) for a in arrays
        )
        if simple and all(_fits(np.shape(a), array.shape) for a in arrays):
            check_writable(target, target._current_node(), False, name + "_")
            note_write(array, name + "_")
            mode.quietly(op.forward, array, *arrays, out=array)
            return target
    value = op.bind(target, *others)
    _keep_old(value, array)
    return write(target, _held(target, value, name), name + "_")


def replace(target: Tensor, function: Callable[..., Tensor], name: str, *args: Any, **kwargs: Any) -> Tensor:
    """``target = function(target, ...)``, written in place: what ``exp_`` and ``clamp_`` do.

    Raises DtypeError and ShapeError where the target cannot hold the result.
    """
    recorded = local.mode.grad and target.requires_grad
    value = function(p.clone(target) if recorded else target, *args, **kwargs)  # rules need what is about to be written
    return write(target, _held(target, value, name), name + "_")


def _held(target: Tensor, value: Tensor, name: str) -> Tensor:
    if category(value.dtype) > category(target.dtype):
        raise DtypeError(
            f"{name}_: the result is {value._type()}, which {target._type()} cannot hold; write x = {name}(x, ...) instead"
        )
    if value.shape != target.shape:
        raise ShapeError(f"{name}_: the result is {value._type()}, but {target._type()} is written in place; its shape stays")
    return value


def _keep_old(value: Tensor, array: np.ndarray[Any, Any]) -> None:
    """The rules of ``value`` need what ``array`` holds now, and it is about to be written: they keep a copy."""
    node = value._node
    if node is not None and node.saved:
        owner = root_of(array)
        node.saved = tuple(a.copy() if isinstance(a, np.ndarray) and root_of(a) is owner else a for a in node.saved)


def _would_record(target: Tensor, others: tuple[Any, ...]) -> bool:
    return local.mode.grad and any(isinstance(x, Tensor) and x.requires_grad for x in (target, *others))


def _record(target: Tensor, source: Tensor, visible: bool, at: At | None) -> None:
    """Put the assign on the tape and give the base its new node."""
    view = target._view
    path = () if view is None else view.path
    base = target if view is None else from_array(view.storage.array, view.storage.node)
    old = base._node or leaf_of(base)
    new_value = source._node or leaf_of(source)
    op = TABLE["assign" if at is None else "assign_at"]
    operands: tuple[Tensor, ...] = (base, source)
    inputs: tuple[Node, ...] = (old, new_value)
    params: dict[str, Any] = {"path": path, "visible": visible}
    if at is not None:
        operands, inputs = (*operands, at.places), (*inputs, at.places._current_node() or leaf_of(at.places))
        params["axes"] = at.axes
    node = new_node(op, inputs, params, base._array.shape, base._array.dtype, old.rg or (visible and new_value.rg))
    if at is not None and node.rg:
        node.saved = (at.places._array,)
    tape = local.mode.tape
    if tape is not None:
        tape.record(node, operands)
        if not visible:
            tape.wrote_unseen(partial(_give, target, old))
    if visible:
        _move_retained(target, old, node)
    _give(target, node)


def _move_retained(target: Tensor, old: Node, new: Node) -> None:
    """``retain_grad`` means the Tensor as it is now: the base's wish moves on, a view's is void, as in PyTorch."""
    if old.taps is not None and old.taps.retain is not None:
        new.taps = Taps()
        new.taps.retain, old.taps.retain = old.taps.retain, None
    before = target._node
    if target._view is not None and target._view.path and before is not None and before.taps is not None:
        before.taps.retain = None


def _give(target: Tensor, node: Node) -> None:
    """The base of ``target`` continues as ``node``."""
    view = target._view
    if view is None:
        target._node = node
    else:
        view.storage.node = node
        view.storage.version += 1


def check_writable(target: Tensor, node: Node | None, visible: bool, by: str) -> None:
    """Refuse a write that gradients or other elements would suffer from.

    node     of the target
    visible  whether gradients see the write

    Raises GraphError, see ``write``.
    """
    array = target._array
    if not array.flags.writeable:
        raise GraphError(f"{by}: the memory of {target._type()} is read-only (an expanded or foreign array); clone() it first")
    if 0 in array.strides and array.size > 1 and any(s == 0 and n > 1 for s, n in zip(array.strides, array.shape, strict=True)):
        raise GraphError(f"{by}: several elements of {target._type()} are one place in memory (expand); clone() it first")
    if visible:
        base = node if target._view is None else target._view.storage.node
        while base is not None and base.op.writes and not base.params["visible"]:
            base = base.inputs[0]
        if base is not None and base.rg and base.taps is not None and base.taps.leaf is not None:
            raise GraphError(
                f"{by}: {target._type()} is a leaf that requires grad (or a view of one); its gradient would be lost. "
                "Write inside `with tn.no_grad():`, or to a clone()."
            )
    view = target._view
    if local.mode.grad and view is not None and view.path and not (node is not None and node.rg) and array.dtype.kind == "f":
        seen = view.storage.node is not None and view.storage.node.rg
        if seen and all(op.vjp[0] is not None for op, _ in view.path):
            raise GraphError(
                f"{by}: {target._type()} is a view made under no_grad of a Tensor that requires grad, which would not see this "
                "write; make the view outside of no_grad, or write inside it"
            )


def _check_broadcast(target: Tensor, source: Tensor, by: str) -> None:
    if not _fits(source.shape, target.shape):
        raise ShapeError(f"{by}: {source._type()} does not broadcast to {target._type()}, whose shape stays as it is")


def _fits(source: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Whether a value of shape ``source`` broadcasts to exactly ``target``."""
    try:
        return np.broadcast_shapes(source, target) == target
    except ValueError:
        return False
