"""Joining, repeating and rearranging under PyTorch's names: the result has memory of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import bool_
from ..errors import CountError, DtypeError, IndexOutOfRange, RangeError, ShapeError, describe
from ..optable import p
from ..storage import root_of
from ..tensor import Tensor, from_array
from .arguments import axis, sizes
from .names import numpy_names
from .pieces import narrow
from .shape import atleast_1d, atleast_2d, atleast_3d, diagonal, expand, flatten, reshape, transpose, unsqueeze

__all__ = [
    "cat", "concat", "concatenate", "diag", "diag_embed", "diagflat", "dstack", "flip", "fliplr", "flipud", "hstack",
    "repeat_interleave", "roll", "rot90", "stack", "tile", "tril", "triu", "vstack",
]  # fmt: skip

METHODS = "diag diag_embed diagflat flip fliplr flipud repeat repeat_interleave roll rot90 tile tril triu"
INPLACE = "tril triu"


# ---- joining ----


def _parts(name: str, tensors: Sequence[Any]) -> list[Tensor]:
    parts = list(tensors)
    if not parts:
        raise CountError(f"{name}: needs at least one Tensor")
    for i, part in enumerate(parts):
        if not isinstance(part, Tensor):
            raise TypeError(f"{name}: part {i} is a {type(part).__name__}, not a Tensor; make one with tn.tensor(...)")
    return parts


@numpy_names
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Joined along an existing axis. Raises ShapeError unless the other axes are equal; ``(0,)`` fits everywhere."""
    return _joined("cat", _parts("cat", tensors), dim)


concat = concatenate = cat


def _joined(name: str, parts: list[Tensor], dim: int) -> Tensor:
    shaped = [part for part in parts if part.shape != (0,)] or parts
    along = axis(name, shaped[0], dim)
    if any(t.ndim != shaped[0].ndim or t.ndim == 0 for t in shaped):
        raise ShapeError(
            f"{name}: {describe(t._array for t in parts[:4])}: all need the same number of axes, at least one; stack?"
        )
    around = {(t.shape[:along], t.shape[along + 1 :]) for t in shaped}
    if len(around) > 1:
        raise ShapeError(f"{name}: {describe(t._array for t in parts[:4])}: axes must be equal but for the one joined, {along}")
    if len(shaped) < len(parts):  # empty ones take part in the dtype only
        empty = (*shaped[0].shape[:along], 0, *shaped[0].shape[along + 1 :])
        parts = [part if part.shape != (0,) else reshape(part, *empty) for part in parts] if 0 in empty else shaped
    offsets, total = [], 0
    for part in parts:
        offsets.append(total)
        total += part.shape[along]
    result: Tensor = p.concatenate(*parts, dim=along, offsets=tuple(offsets))
    return result


@numpy_names
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Joined along a new axis. Raises ShapeError unless all shapes are equal."""
    parts = _parts("stack", tensors)
    if any(t.shape != parts[0].shape for t in parts):
        raise ShapeError(f"stack: {describe(t._array for t in parts[:4])}: all need one shape; cat joins unequal lengths")
    along = axis("stack", parts[0], dim, extra=1)
    return _joined("stack", [unsqueeze(t, along) for t in parts], along)


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined side by side: along the second axis, of 1-d Tensors along the only one."""
    parts = [atleast_1d(t) for t in _parts("hstack", tensors)]
    return _joined("hstack", parts, 0 if parts[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined one below the other, 1-d Tensors as rows."""
    return _joined("vstack", [atleast_2d(t) for t in _parts("vstack", tensors)], 0)


def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined along the third axis."""
    return _joined("dstack", [atleast_3d(t) for t in _parts("dstack", tensors)], 2)


# ---- repeating ----


def _own(result: Tensor, source: Tensor) -> Tensor:
    """``result`` with memory of its own, where its rows could do with a view of ``source``."""
    shared = not result._plain or root_of(result._array) is root_of(source._array)
    return p.clone(result) if shared else result


def repeat(input: Tensor, *repeats: Any) -> Tensor:
    """Copies of the whole, so many along each axis (new axes in front)."""
    counts = sizes(repeats)
    if len(counts) < input.ndim:
        raise ShapeError(f"repeat: {counts} has fewer counts than {input._type()} has axes")
    if any(n < 0 for n in counts):
        raise RangeError(f"repeat: a count cannot be negative, got {counts}")
    lengths = (1,) * (len(counts) - input.ndim) + input.shape
    spread = reshape(input, *(n for length in lengths for n in (1, length)))
    wide = expand(spread, *(n for pair in zip(counts, lengths, strict=True) for n in pair))
    return _own(reshape(wide, *(c * n for c, n in zip(counts, lengths, strict=True))), input)


def tile(input: Tensor, *counts: Any) -> Tensor:
    """``repeat``, but fewer counts than axes count for the last axes."""
    given = sizes(counts)
    return repeat(input, *(1,) * (input.ndim - len(given)), *given)


@numpy_names
def repeat_interleave(input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None) -> Tensor:
    """Each slice along ``dim`` (of all elements, if None) so many times: one number, or a Tensor with one per slice.

    Called with one Tensor of counts: each position as often as its count says. Under a Tape the counts are frozen.
    """
    if repeats is None:
        return from_array(_repeated("repeat_interleave", input, input.shape[0], output_size))
    x = input if dim is not None and input.ndim else reshape(input, input.numel())
    along = axis("repeat_interleave", x, dim or 0)
    length = x.shape[along]
    if isinstance(repeats, Tensor):
        counts = repeats if repeats.numel() != 1 else expand(reshape(repeats, 1), length)
        if counts.shape != (length,):
            raise ShapeError(f"repeat_interleave: {repeats._type()} does not say how often each of the {length} slices comes")
        result: Tensor = p.take(x, from_array(_repeated("repeat_interleave", counts, length, output_size)), dim=along)
        return result
    if repeats < 0:
        raise RangeError(f"repeat_interleave: a count cannot be negative, got {repeats}")
    wide = expand(unsqueeze(x, along + 1), *x.shape[: along + 1], int(repeats), *x.shape[along + 1 :])
    return _own(reshape(wide, *x.shape[:along], length * int(repeats), *x.shape[along + 1 :]), input)


def _repeated(name: str, counts: Tensor, length: int, output_size: int | None) -> np.ndarray[Any, Any]:
    if counts.ndim != 1 or counts.dtype.kind not in "iu":
        raise DtypeError(f"{name}: the counts must be integers along one axis, got {counts._type()}")
    if counts.numel() and counts._array.min() < 0:
        raise RangeError(f"{name}: a count cannot be negative, got {counts._array.min()}")
    found = np.repeat(np.arange(length), counts._array)
    if output_size is not None and output_size != found.size:
        raise ShapeError(f"{name}: the counts add up to {found.size}, not to output_size={output_size}")
    return found


# ---- turning and moving ----


@numpy_names
def flip(input: Tensor, *dims: Any) -> Tensor:
    """The order along some axes reversed."""
    along = [axis("flip", input, d) for d in sizes(dims)]
    if len(set(along)) != len(along):
        raise ShapeError(f"flip: {sizes(dims)} names an axis of {input._type()} twice")
    reverse, keep = slice(None, None, -1), slice(None)
    index = tuple(reverse if d in along else keep for d in range(input.ndim))
    result: Tensor = p.clone(p.slice(input, index=index))
    return result


def fliplr(input: Tensor) -> Tensor:
    """The columns in reverse order."""
    if input.ndim < 2:
        raise ShapeError(f"fliplr: {input._type()} has no columns; it needs two axes")
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """The rows in reverse order."""
    if input.ndim < 1:
        raise ShapeError(f"flipud: {input._type()} has no rows; it needs an axis")
    return flip(input, 0)


@numpy_names
def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Turned by ``k`` quarters in the plane of two axes, from the first towards the second."""
    if len(dims) != 2 or input.ndim < 2:
        raise ShapeError(f"rot90: turns in a plane of two axes, got dims={list(dims)} for {input._type()}")
    a, b = axis("rot90", input, dims[0]), axis("rot90", input, dims[1])
    if a == b:
        raise ShapeError(f"rot90: dims={list(dims)} name one axis of {input._type()} twice")
    turns = k % 4
    if turns == 0:
        result: Tensor = p.clone(input)
        return result
    if turns == 2:
        return flip(input, a, b)
    return _own(transpose(flip(input, b if turns == 1 else a), a, b), input)


@numpy_names
def roll(input: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
    """Moved along axes, what leaves at the end coming back in front; without ``dims``: all elements in one line."""
    steps = tuple(shifts) if isinstance(shifts, Sequence) else (shifts,)
    if dims is None:
        if len(steps) != 1:
            raise ShapeError(f"roll: {steps} needs one axis each; without dims a single shift moves all elements in one line")
        return reshape(roll(reshape(input, input.numel()), steps, 0), *input.shape)
    along = tuple(dims) if isinstance(dims, Sequence) else (dims,)
    if len(steps) != len(along):
        raise ShapeError(f"roll: {len(steps)} shifts for {len(along)} axes")
    if input.ndim == 0:
        raise IndexOutOfRange(f"roll: {input._type()} has no axis to move along")
    out = input
    for step, dim in zip(steps, along, strict=True):
        at = axis("roll", input, dim)
        length = input.shape[at]
        cut = -int(step) % length if length else 0
        if cut:
            out = cat([narrow(out, at, cut, length - cut), narrow(out, at, 0, cut)], at)
    return _own(out, input)


# ---- matrices ----


def _triangle(name: str, x: Tensor, diagonal: int, keep: Callable[..., Any]) -> Tensor:
    if x.ndim < 2:
        raise ShapeError(f"{name}: {x._type()} is no matrix; it needs two axes")
    below = np.tri(x.shape[-2], x.shape[-1], diagonal, bool_)
    result: Tensor = p.where(from_array(keep(below)), x, False if x.dtype == bool_ else 0)
    return result


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """What lies on and below a diagonal of the last two axes, 0 above."""
    return _triangle("tril", input, diagonal, np.asarray)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """What lies on and above a diagonal of the last two axes, 0 below."""
    return _triangle("triu", input, diagonal - 1, np.logical_not)


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The last axis as the diagonal of planes of two axes, 0 elsewhere."""
    if input.ndim == 0:
        raise IndexOutOfRange(f"diag_embed: {input._type()} has no axis to make a diagonal of; reshape(1) gives it one")
    a, b = axis("diag_embed", input, dim1, extra=1), axis("diag_embed", input, dim2, extra=1)
    if a == b:
        raise ShapeError(f"diag_embed: dim1={dim1} and dim2={dim2} are one axis")
    length = input.shape[-1] + abs(offset)
    rest = iter(input.shape[:-1])
    shape = tuple(length if d in (a, b) else next(rest) for d in range(input.ndim + 1))
    result: Tensor = p.undiagonal(input, offset=int(offset), dim1=a, dim2=b, shape=shape)
    return result


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """Of a line: the matrix with this diagonal. Of a matrix: a copy of its diagonal."""
    if input.ndim not in (1, 2):
        raise ShapeError(f"diag: {input._type()} is neither a line nor a matrix; see diagonal and diag_embed")
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    result: Tensor = p.clone(_diagonal(input, diagonal))
    return result


_diagonal = diagonal  # `diag` calls its own argument so, as in PyTorch


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """All elements as the diagonal of a matrix."""
    return diag_embed(flatten(input), offset)
