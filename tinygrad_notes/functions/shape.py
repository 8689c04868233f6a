"""Reshaping, moving and joining under PyTorch's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import canonical_dtype
from ..errors import ShapeError, describe
from ..optable import p
from ..tensor import Tensor
from .arguments import axis, sizes
from .names import numpy_names

__all__ = [
    "broadcast_to", "cat", "chunk", "clone", "detach", "flatten", "permute", "reshape", "split", "squeeze", "stack", "swapaxes",
    "transpose", "unbind", "unsqueeze",
]  # fmt: skip

METHODS = (
    "broadcast_to chunk clone contiguous detach expand expand_as flatten permute reshape split squeeze swapaxes to transpose "
    "unbind unsqueeze view"
)


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


def view(input: Tensor, *shape: Any) -> Tensor:
    """``reshape`` that never copies. Raises ShapeError where the memory would have to be copied."""
    out = reshape(input, *shape)
    if out._view is None and out._plain and out.numel() and not np.shares_memory(out._array, input._array):
        raise ShapeError(f"view: {input._type()} is not contiguous and cannot be seen as {list(out.shape)}; use reshape")
    return out


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The axes from ``start_dim`` to ``end_dim`` as one."""
    if input.ndim == 0:
        return reshape(input, 1)
    start, end = axis("flatten", input, start_dim), axis("flatten", input, end_dim)
    if start > end:
        raise ShapeError(f"flatten: start_dim={start_dim} lies behind end_dim={end_dim} in {input._type()}")
    joined = 1
    for n in input.shape[start : end + 1]:
        joined *= n
    return reshape(input, *input.shape[:start], joined, *input.shape[end + 1 :])


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
    if input.ndim == 0:
        return input
    order = list(range(input.ndim))
    order[a], order[b] = b, a
    result: Tensor = p.permute(input, dims=tuple(order))
    return result


swapaxes = transpose


def mT(input: Tensor) -> Tensor:
    """The last two axes exchanged."""
    if input.ndim < 2:
        raise ShapeError(f"mT: {input._type()} has no two axes to exchange")
    return transpose(input, -2, -1)


def transposed(input: Tensor) -> Tensor:
    """All axes reversed (``.T``)."""
    result: Tensor = p.permute(input, dims=tuple(reversed(range(input.ndim))))
    return result


@numpy_names
def squeeze(input: Tensor, dim: int | tuple[int, ...] | None = None) -> Tensor:
    """Without its axes of length 1: all of them, or those of ``dim`` that have it."""
    dims = (
        range(input.ndim) if dim is None else [axis("squeeze", input, d) for d in (dim if isinstance(dim, tuple) else (dim,))]
    )
    result: Tensor = p.reshape(input, shape=tuple(n for i, n in enumerate(input.shape) if n != 1 or i not in dims))
    return result


@numpy_names
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new axis of length 1 at ``dim``."""
    at = axis("unsqueeze", input, dim, extra=1)
    result: Tensor = p.reshape(input, shape=(*input.shape[:at], 1, *input.shape[at:]))
    return result


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


def _all_tensors(name: str, parts: Sequence[Any]) -> None:
    for i, part in enumerate(parts):
        if not isinstance(part, Tensor):
            raise TypeError(f"{name}: part {i} is a {type(part).__name__}, not a Tensor; make one with tn.tensor(...)")


def _of_some_axis(name: str, x: Tensor, dim: int) -> int:
    if x.ndim == 0:
        raise ShapeError(f"{name}: {x._type()} has no axis to take apart; reshape(1) gives it one")
    return axis(name, x, dim)


@numpy_names
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Joined along an existing axis."""
    parts = list(tensors)
    if not parts:
        raise ShapeError("cat: needs at least one Tensor")
    _all_tensors("cat", parts)
    along = axis("cat", parts[0], dim)
    if parts[0].ndim == 0 or any(t.ndim != parts[0].ndim for t in parts):
        raise ShapeError(
            f"cat: {describe(t._array for t in parts[:4])}: all need the same number of axes, at least one; stack?"
        )
    offsets, total = [], 0
    for part in parts:
        offsets.append(total)
        total += part.shape[along]
    result: Tensor = p.concatenate(*parts, dim=along, offsets=tuple(offsets))
    return result


@numpy_names
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Joined along a new axis. Raises ShapeError unless all shapes are equal."""
    parts = list(tensors)
    if not parts:
        raise ShapeError("stack: needs at least one Tensor")
    _all_tensors("stack", parts)
    if any(t.shape != parts[0].shape for t in parts):
        raise ShapeError(f"stack: {describe(t._array for t in parts[:4])}: all need one shape; cat joins unequal lengths")
    return cat([unsqueeze(t, dim) for t in parts], axis("stack", parts[0], dim, extra=1))


@numpy_names
def split(tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces of the given length (the last may be shorter), or of the given lengths."""
    along = _of_some_axis("split", tensor, dim)
    total = tensor.shape[along]
    wanted = split_size_or_sections
    if isinstance(wanted, int | np.integer):
        wanted = int(wanted)
        if wanted <= 0:
            raise ShapeError(f"split: the piece length must be positive, got {wanted}")
        lengths = [min(wanted, total - at) for at in range(0, total, wanted)] or [0]
    else:
        lengths = list(wanted)
    if sum(lengths) != total or any(n < 0 for n in lengths):
        raise ShapeError(f"split: the lengths {lengths} do not add up to {total}, the axis {along} of {tensor._type()}")
    pieces, at = [], 0
    for n in lengths:
        pieces.append(p.slice(tensor, index=(*(slice(None),) * along, slice(at, at + n, None))))
        at += n
    return tuple(pieces)


@numpy_names
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` pieces of equal length, the last one shorter where it does not divide."""
    if chunks <= 0:
        raise ShapeError(f"chunk: the number of pieces must be positive, got {chunks}")
    return split(input, max(1, -(-input.shape[_of_some_axis("chunk", input, dim)] // chunks)), dim)


@numpy_names
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along an axis, without it."""
    along = _of_some_axis("unbind", input, dim)
    return tuple(p.slice(input, index=(*(slice(None),) * along, i)) for i in range(input.shape[along]))


def clone(input: Tensor) -> Tensor:
    """A copy; gradients flow through it."""
    result: Tensor = p.clone(input)
    return result


def detach(input: Tensor) -> Tensor:
    """The same memory, out of the graph: no gradient flows through it."""
    result: Tensor = p.detach(input)
    return result


def contiguous(input: Tensor) -> Tensor:
    """Itself if its memory is in order, else a copy that is."""
    return input if input._plain and input._array.flags.c_contiguous else clone(input)


def to(input: Tensor, dtype: Any) -> Tensor:
    """As another dtype (itself if it has it); gradients flow back through the cast."""
    wanted = canonical_dtype(dtype)
    if input.dtype == wanted:
        return input
    result: Tensor = p.cast(input, dtype=wanted)
    return result
