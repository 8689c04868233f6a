"""What is there, and how often: shapes that depend on values, which a tape freezes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import float32, float64, int64
from ..errors import RangeError, ShapeError
from ..optable import p
from ..tensor import Tensor, from_array
from .arguments import axis, floating, tensor
from .convert import to
from .names import numpy_names
from .pointwise import ge, le
from .pointwise import where as choice
from .rounding import floor

__all__ = ["argwhere", "bincount", "histc", "nonzero", "unique", "unique_consecutive", "where"]

METHODS = "argwhere bincount histc nonzero unique unique_consecutive"


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The indices of what is not 0: ``(count, ndim)``, or per axis a Tensor that can index (``as_tuple``)."""
    tensor("nonzero", input)
    found = np.argwhere(input._array)
    if not as_tuple:
        return Tensor(found)
    return tuple(Tensor(column) for column in (np.argwhere(input._array.reshape(-1)) if input.ndim == 0 else found).T)


def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """``input`` where ``condition`` holds, else ``other``; all three broadcast. The condition alone: where it holds, per axis.

    Raises DtypeError unless the condition is bool, TypeError for one choice without the other.
    """
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    if input is None or other is None:
        raise TypeError("where: needs input and other, or neither of them")
    return choice(condition, input, other)


def argwhere(input: Tensor) -> Tensor:
    """The indices of what is not 0, ``(count, ndim)``."""
    result: Tensor = nonzero(input)
    return result


def _chosen(x: Tensor, along: int | None, first: Any, inverse: Any, counts: Any, wanted: tuple[bool, bool]) -> Any:
    """The slices at ``first``, and what else is wanted."""
    source = x.reshape(-1) if along is None else x
    values: Tensor = p.take(source, Tensor(first.astype(np.int64)), dim=along or 0)
    extra = [found for found, want in zip((inverse, counts), wanted, strict=True) if want]
    return (values, *(Tensor(found.astype(np.int64)) for found in extra)) if extra else values


@numpy_names
def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The distinct values (slices along ``dim``), sorted in any case; then the index of each element's value; then the counts.

    The gradient of a value flows to its first occurrence.
    """
    tensor("unique", input)
    along = None if dim is None else axis("unique", input, dim)
    if along is not None and 0 in (*input.shape[:along], *input.shape[along + 1 :]):
        raise ShapeError(f"unique: {input._type()} has an axis of length 0 besides dim={dim}")
    _, first, inverse, counts = np.unique(
        input._array, return_index=True, return_inverse=True, return_counts=True, axis=along, equal_nan=False
    )
    inverse = inverse.reshape(-1 if along is not None else input.shape)
    return _chosen(input, along, first, inverse, counts, (return_inverse, return_counts))


@numpy_names
def unique_consecutive(input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None) -> Any:
    """The first of each run of equal values (slices along ``dim``); then the run of each element; then the lengths of the runs."""
    tensor("unique_consecutive", input)
    along = None if dim is None else axis("unique_consecutive", input, dim)
    lines = input._array.reshape(-1, 1) if along is None else np.moveaxis(input._array, along, 0)
    lines = lines.reshape(len(lines), -1)
    starts = np.ones(len(lines), bool)
    starts[1:] = (lines[1:] != lines[:-1]).any(1)
    first = np.flatnonzero(starts)
    inverse = (np.cumsum(starts) - 1).reshape(-1 if along is not None else input.shape)
    counts = np.diff(np.append(first, len(lines)))
    return _chosen(input, along, first, inverse, counts, (return_inverse, return_counts))


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often 0, 1, 2, ... occur in ``(N,)``, or the sums of their ``weights``."""
    tensor("bincount", input)
    if input.ndim != 1 or input.dtype.kind not in "iu" or (input.numel() and input._array.min() < 0):
        raise ShapeError(f"bincount: needs one axis of integers, none negative, got {input._type()}")
    if minlength < 0:
        raise RangeError(f"bincount: minlength must not be negative, got {minlength}")
    if weights is not None and weights.shape != input.shape:
        raise ShapeError(f"bincount: the weights {weights._type()} must have the shape of {input._type()}")
    size = max(minlength, int(input._array.max()) + 1 if input.numel() else 0)
    if weights is None:
        weights = from_array(np.ones(input.shape, np.int64))
    elif weights.dtype != float32:
        weights = to(weights, float64)
    result: Tensor = p.put_add(weights, input, dim=0, size=size)
    return result


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many values fall into each of ``bins`` equal parts of min to max; of their own range where both are equal."""
    floating("histc", input)
    if bins <= 0:
        raise RangeError(f"histc: the number of bins must be positive, got {bins}")
    if min == max and input.numel():
        min, max = float(input._array.min()), float(input._array.max())
    if not (np.isfinite(min) and np.isfinite(max)):
        raise RangeError(f"histc: the range {min} to {max} is not finite")
    if min > max:
        raise RangeError(f"histc: max={max} must be larger than min={min}")
    low, high = (min - 1, max + 1) if min == max else (min, max)
    x = input.detach().reshape(-1)
    inside = choice(ge(x, low), le(x, high), False)
    place = floor((choice(inside, x, low) - low) * bins / (high - low))
    place = choice(ge(place, bins), bins - 1, place)
    counts: Tensor = p.put_add(to(inside, input.dtype), to(place, int64), dim=0, size=bins)
    return counts
