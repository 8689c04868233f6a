"""Parts of a Tensor along one axis, under PyTorch's names: views all of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..errors import IndexOutOfRange, RangeError, ShapeError
from ..optable import p
from ..tensor import Tensor
from .arguments import axis
from .names import numpy_names

__all__ = ["chunk", "narrow", "select", "split", "split_with_sizes", "tensor_split", "unbind"]

METHODS = "chunk narrow select split split_with_sizes tensor_split unbind"


def _of_some_axis(name: str, x: Tensor, dim: int) -> int:
    if x.ndim == 0:
        raise ShapeError(f"{name}: {x._type()} has no axis to take apart; reshape(1) gives it one")
    return axis(name, x, dim)


def _part(x: Tensor, along: int, which: Any) -> Tensor:
    result: Tensor = p.slice(x, index=(*(slice(None),) * along, which))
    return result


@numpy_names
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice number ``index`` along an axis, without it. Raises IndexOutOfRange."""
    if input.ndim == 0:
        raise IndexOutOfRange(f"select: {input._type()} has no axis to select from")
    along = axis("select", input, dim)
    length = input.shape[along]
    if not -length <= index < length:
        raise IndexOutOfRange(f"select: index {index} is out of range for the axis {dim} of {input._type()}")
    return _part(input, along, int(index) % length)


@numpy_names
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """``length`` slices along an axis, from ``start`` on (counted from the end if negative; an integer or a 0-d Tensor)."""
    along = _of_some_axis("narrow", input, dim)
    total, first = input.shape[along], int(start)
    if not -total <= first <= total:
        raise IndexOutOfRange(f"narrow: start={first} is out of range for the axis {dim} of {input._type()}")
    first += total if first < 0 else 0
    if length < 0 or first + length > total:
        raise RangeError(f"narrow: {length} slices from {first} on exceed the axis {dim} of {input._type()}")
    return _part(input, along, slice(first, first + int(length), None))


def _pieces(x: Tensor, along: int, lengths: Sequence[int]) -> tuple[Tensor, ...]:
    ends = np.cumsum(lengths).tolist()
    return tuple(_part(x, along, slice(end - n, end, None)) for n, end in zip(lengths, ends, strict=True))


@numpy_names
def split(tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces of the given length (the last may be shorter), or of the given lengths."""
    along = _of_some_axis("split", tensor, dim)
    total, wanted = tensor.shape[along], split_size_or_sections
    if not isinstance(wanted, int | np.integer):
        return split_with_sizes(tensor, wanted, dim)
    wanted = int(wanted)
    if wanted < 0 or (wanted == 0 and total):
        raise ShapeError(f"split: the piece length must be positive, got {wanted}")
    return _pieces(tensor, along, [min(wanted, total - at) for at in range(0, total, wanted or 1)] or [0])


@numpy_names
def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces of the given lengths. Raises ShapeError unless they add up to the axis."""
    along = _of_some_axis("split", input, dim)
    lengths = [int(n) for n in split_sizes]
    if sum(lengths) != input.shape[along] or any(n < 0 for n in lengths):
        raise ShapeError(
            f"split: the lengths {lengths} do not add up to {input.shape[along]}, the axis {along} of {input._type()}"
        )
    return _pieces(input, along, lengths)


@numpy_names
def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """So many pieces, the first ones longer by one where it does not divide; or the pieces between the given positions."""
    along = _of_some_axis("tensor_split", input, dim)
    total, wanted = input.shape[along], indices_or_sections
    wanted = wanted.tolist() if isinstance(wanted, Tensor | np.ndarray) else wanted
    if isinstance(wanted, int | np.integer):
        if wanted <= 0:
            raise RangeError(f"tensor_split: the number of pieces must be positive, got {wanted}")
        count = int(wanted)
        return _pieces(input, along, [total // count + (i < total % count) for i in range(count)])
    cuts = [0, *(int(at) for at in wanted), total]
    return tuple(_part(input, along, slice(*slice(a, b).indices(total)[:2])) for a, b in pairwise(cuts))


@numpy_names
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` pieces of equal length, the last one shorter where it does not divide."""
    if chunks <= 0:
        raise ShapeError(f"chunk: the number of pieces must be positive, got {chunks}")
    total = input.shape[_of_some_axis("chunk", input, dim)]
    return split(input, -(-total // chunks), dim) if total else split_with_sizes(input, [0] * chunks, dim)


@numpy_names
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along an axis, without it."""
    along = _of_some_axis("unbind", input, dim)
    return tuple(_part(input, along, i) for i in range(input.shape[along]))
