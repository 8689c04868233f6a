"""What convolution and pooling share: numbers per axis, batches of one, and windows as columns."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ...errors import RangeError, ShapeError
from ...functions.arguments import tensor
from ...functions.shape import reshape, unsqueeze
from ...optable import p
from ...tensor import Tensor

__all__ = ["batch_of_one", "columns", "fit", "per_axis"]

Shape = tuple[int, ...]


def per_axis(name: str, what: str, value: int | Sequence[int], axes: int, least: int = 1) -> Shape:
    """One number for each of the windowed axes; one alone counts for all. Raises RangeError below ``least``."""
    given = tuple(value) if isinstance(value, Sequence) else (value,)
    if any(isinstance(n, bool) or not isinstance(n, int | np.integer) for n in given):
        raise TypeError(f"{name}: {what} must be an integer or one for each of {axes} axes, got {value!r}")
    found = tuple(int(n) for n in given) * (axes if len(given) == 1 else 1)
    if len(found) != axes:
        raise RangeError(f"{name}: {what}={value} must be one integer, or one for each of {axes} axes")
    if min(found) < least:
        raise RangeError(f"{name}: {what}={value} must be at least {least}")
    return found


def batch_of_one(name: str, x: Tensor, axes: int) -> tuple[Tensor, bool]:
    """``(N, C, *lengths)``, and whether the examples' axis had to be added."""
    tensor(name, x)
    if x.ndim not in (axes + 1, axes + 2):
        shown = ", ".join(("L", "H, W", "D, H, W")[axes - 1 : axes])
        raise ShapeError(f"{name}: needs (N, C, {shown}) or (C, {shown}), got {x._type()}")
    return (unsqueeze(x, 0), True) if x.ndim == axes + 1 else (x, False)


def columns(x: Tensor, size: Shape, step: Shape, dilation: Shape) -> tuple[Tensor, Shape]:
    """The windows of x ``(N, C, *lengths)`` as ``(N, C, K, L)``, K places in each of L windows; and how many along each axis."""
    if set(size) == set(step) == {1}:
        return reshape(x, *x.shape[:2], 1, prod(x.shape[2:])), x.shape[2:]
    found: Tensor = p.patches(x, dim=2, size=size, step=step, dilation=dilation)
    counts = found.shape[2 + len(size) :]
    return reshape(found, *x.shape[:2], prod(size), prod(counts)), counts


def fit(name: str, x: Tensor, size: Shape, dilation: Shape, padded: Shape) -> None:
    """Raise ShapeError where a window is longer than its padded axis."""
    span: list[Any] = [d * (k - 1) + 1 for k, d in zip(size, dilation, strict=True)]
    if any(n < s for n, s in zip(padded, span, strict=True)):
        raise ShapeError(
            f"{name}: a window of {span} (with dilation) does not fit into {x._type()}, whose last axes are {list(padded)} "
            "with padding"
        )
