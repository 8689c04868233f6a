"""Views under PyTorch's names: the same memory seen in another shape, order or part. ``moving`` has what copies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import IndexOutOfRange, RangeError, ShapeError
from ..optable import p
from ..tensor import Tensor
from .arguments import axis, sizes
from .names import numpy_names

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_shapes", "broadcast_tensors", "broadcast_to", "diagonal", "flatten", "moveaxis",
    "movedim", "permute", "ravel", "reshape", "squeeze", "swapaxes", "swapdims", "t", "transpose", "unflatten", "unsqueeze",
]  # fmt: skip

METHODS = (
    "broadcast_to diagonal expand expand_as flatten moveaxis movedim permute ravel reshape reshape_as squeeze swapaxes swapdims "
    "t transpose unflatten unfold unsqueeze view view_as"
)


# ---- another shape ----


def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The same elements in another shape; one length may be -1. A view where the memory allows it."""
    wanted = sizes(shape)
    known = 1
    for n in wanted:
        known *= n if n != -1 else 1
    if wanted.count(-1) == 1 and known > 0 and input.numel() % known == 0:
        wanted = tuple(input.numel() // known if n == -1 else n for n in wanted)
        known = input.numel()
    if -1 in wanted or any(n < 0 for n in wanted) or known != input.numel():
        raise ShapeError(f"reshape: {input._type()} with {input.numel()} elements cannot take the shape {sizes(shape)}")
    result: Tensor = p.reshape(input, shape=wanted)
    return result


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """``reshape`` to the shape of ``other``."""
    return reshape(input, *other.shape)


def view(input: Tensor, *shape: Any) -> Tensor:
    """``reshape`` that never copies. Raises ShapeError where the memory would have to be copied."""
    out = reshape(input, *shape)
    if out._view is None and out._plain and out.numel() and not np.shares_memory(out._array, input._array):
        raise ShapeError(f"view: {input._type()} is not contiguous and cannot be seen as {list(out.shape)}; use reshape")
    return out


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """``view`` in the shape of ``other``."""
    return view(input, *other.shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The axes from ``start_dim`` to ``end_dim`` as one."""
    if input.ndim == 0:
        return reshape(input, 1)
    start, end = axis("flatten", input, start_dim), axis("flatten", input, end_dim)
    if start > end:
        raise ShapeError(f"flatten: start_dim={start_dim} lies behind end_dim={end_dim} in {input._type()}")
    if start == end:
        return input
    joined = 1
    for n in input.shape[start : end + 1]:
        joined *= n
    return reshape(input, *input.shape[:start], joined, *input.shape[end + 1 :])


def ravel(input: Tensor) -> Tensor:
    """All elements in one axis."""
    return reshape(input, -1) if input.numel() else reshape(input, 0)


@numpy_names
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """One axis as several, of the given lengths; one of them may be -1."""
    along = axis("unflatten", input, dim)
    lengths = [int(n) for n in sizes]
    known = 1
    for n in lengths:
        known *= n if n != -1 else 1
    total = input.shape[along] if input.ndim else 1
    if lengths.count(-1) == 1 and known and total % known == 0:
        lengths[lengths.index(-1)] = total // known
        known = total
    if not lengths or -1 in lengths or known != total:
        raise ShapeError(f"unflatten: the axis {dim} of {input._type()} cannot be split into the lengths {list(sizes)}")
    return reshape(input, *input.shape[:along], *lengths, *input.shape[along + 1 :])


@numpy_names
def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Without its axes of length 1: all of them, or those of ``dim`` that have it."""
    dims = range(input.ndim) if dim is None else _axes("squeeze", input, dim)
    result: Tensor = p.reshape(input, shape=tuple(n for i, n in enumerate(input.shape) if n != 1 or i not in dims))
    return result


@numpy_names
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new axis of length 1 at ``dim``."""
    at = axis("unsqueeze", input, dim, extra=1)
    result: Tensor = p.reshape(input, shape=(*input.shape[:at], 1, *input.shape[at:]))
    return result


def _each(tensors: tuple[Any, ...], change: Callable[[Tensor], Tensor]) -> Any:
    """One Tensor for one, a tuple for several."""
    if len(tensors) == 1 and isinstance(tensors[0], Tensor):
        return change(tensors[0])
    return tuple(change(x) for x in (tensors[0] if len(tensors) == 1 else tensors))


def atleast_1d(*tensors: Any) -> Any:
    """With at least one axis; of several Tensors a tuple."""
    return _each(tensors, lambda x: reshape(x, 1) if x.ndim == 0 else x)


def atleast_2d(*tensors: Any) -> Any:
    """With at least two axes, new ones in front; of several Tensors a tuple."""
    return _each(tensors, lambda x: reshape(x, *(1,) * (2 - x.ndim), *x.shape) if x.ndim < 2 else x)


def atleast_3d(*tensors: Any) -> Any:
    """With at least three axes, ``(n,)`` as ``(1, n, 1)`` and ``(n, m)`` as ``(n, m, 1)``; of several Tensors a tuple."""
    return _each(tensors, lambda x: reshape(x, *(1,) * (2 - x.ndim), *x.shape, 1) if x.ndim < 3 else x)


# ---- another order of axes ----


def _axes(name: str, input: Tensor, dim: int | Sequence[int]) -> tuple[int, ...]:
    """The axes that ``dim`` names, in its order."""
    found = tuple(axis(name, input, d) for d in (dim if isinstance(dim, Sequence) else (dim,)))
    if len(set(found)) != len(found):
        raise ShapeError(f"{name}: {dim} names an axis of {input._type()} twice")
    return found


def permute(input: Tensor, *dims: Any) -> Tensor:
    """The axes in another order."""
    order = tuple(axis("permute", input, d) for d in sizes(dims))
    if sorted(order) != list(range(input.ndim)):
        raise ShapeError(f"permute: {sizes(dims)} does not name every axis of {input._type()} once")
    result: Tensor = p.permute(input, dims=order)
    return result


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two axes exchanged."""
    a, b = axis("transpose", input, dim0), axis("transpose", input, dim1)
    order = list(range(input.ndim))
    if order:
        order[a], order[b] = b, a
    result: Tensor = p.permute(input, dims=tuple(order))
    return result


swapaxes = swapdims = transpose


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; Tensors of fewer axes stay as they are."""
    if input.ndim > 2:
        raise ShapeError(f"t: {input._type()} is no matrix; transpose two axes with .mT or .transpose(dim0, dim1)")
    return transposed(input)


def mT(input: Tensor) -> Tensor:
    """The last two axes exchanged."""
    if input.ndim < 2:
        raise ShapeError(f"mT: {input._type()} has no two axes to exchange")
    return transpose(input, -2, -1)


def transposed(input: Tensor) -> Tensor:
    """All axes reversed (``.T``)."""
    result: Tensor = p.permute(input, dims=tuple(reversed(range(input.ndim))))
    return result


def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """The axes ``source`` at the places ``destination``, the others in their order."""
    start, end = _axes("movedim", input, source), _axes("movedim", input, destination)
    if len(start) != len(end):
        raise ShapeError(f"movedim: {len(start)} axes of {input._type()} cannot go to {len(end)} places")
    rest = [d for d in range(input.ndim) if d not in start]
    for to, origin in sorted(zip(end, start, strict=True)):
        rest.insert(to, origin)
    result: Tensor = p.permute(input, dims=tuple(rest))
    return result


moveaxis = movedim


# ---- stretched ----


def expand(input: Tensor, *size: Any) -> Tensor:
    """Axes of length 1 (and new ones in front) stretched without copying; -1 leaves a length as it is."""
    wanted = sizes(size)
    lead = len(wanted) - input.ndim
    shape = tuple(input.shape[i - lead] if n == -1 and i >= lead else n for i, n in enumerate(wanted))
    if lead < 0 or any(m not in (1, n) for m, n in zip(input.shape, shape[lead:], strict=True)) or any(n < 0 for n in shape):
        raise ShapeError(f"expand: {input._type()} cannot be stretched to {wanted}; only axes of length 1 stretch")
    result: Tensor = p.broadcast(input, shape=shape)
    return result


def broadcast_to(input: Tensor, shape: Sequence[int]) -> Tensor:
    """``expand`` to a shape."""
    return expand(input, *shape)


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """``expand`` to the shape of ``other``."""
    return expand(input, *other.shape)


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """All stretched to the shape that they have in common."""
    parts: Sequence[Tensor] = tensors[0] if len(tensors) == 1 and not isinstance(tensors[0], Tensor) else tensors
    try:
        shape = np.broadcast_shapes(*(x.shape for x in parts))
    except ValueError:
        raise ShapeError(f"broadcast_tensors: {', '.join(x._type() for x in parts)} have no common shape") from None
    return tuple(p.broadcast(x, shape=shape) for x in parts)


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape that Tensors of these shapes have in common. Raises ShapeError where there is none."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError(f"broadcast_shapes: {', '.join(map(str, shapes))} have no common shape") from None


# ---- diagonals and windows ----


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of the planes of two axes, as the last axis; ``offset`` counts up and to the right."""
    a, b = axis("diagonal", input, dim1), axis("diagonal", input, dim2)
    if input.ndim < 2:
        raise IndexOutOfRange(f"diagonal: {input._type()} has no plane; diag_embed makes one")
    if a == b:
        raise ShapeError(f"diagonal: dim1={dim1} and dim2={dim2} are one axis of {input._type()}")
    result: Tensor = p.diagonal(input, offset=int(offset), dim1=a, dim2=b)
    return result


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Windows of ``size`` elements along an axis, one every ``step``: the axis counts windows, the last axis is inside one.

    A view; overlapping windows are not written through. Raises RangeError for a window longer than the axis.
    """
    along = axis("unfold", input, dimension)
    x = input if input.ndim else reshape(input, 1)
    if step <= 0 or size < 0:
        raise RangeError(f"unfold: needs a step above 0 and a size from 0, got size={size}, step={step}")
    if size > x.shape[along]:
        raise RangeError(f"unfold: a window of {size} is longer than the axis {dimension} of {input._type()}")
    result: Tensor = p.windows(x, dim=along, size=int(size), step=int(step))
    return result if input.ndim else reshape(result, size)
