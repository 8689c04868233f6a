"""``nn.functional.pad``: more, or less, at the ends of axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..dtypes import bool_
from ..errors import RangeError, ShapeError
from ..optable import p
from ..tensor import Tensor, from_array

__all__ = ["pad"]


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """``pad = (left, right, top, bottom, ...)``, from the last axis backward; a negative number cuts away.

    mode: ``constant`` (filled with ``value``), ``reflect`` (mirrored, the edge once), ``replicate`` (the edge again),
    ``circular`` (from the other end). Raises ShapeError where it does not fit the axes.
    """
    ends = [int(n) for n in pad]
    if len(ends) % 2 or len(ends) > 2 * input.ndim:
        raise ShapeError(f"pad: {ends} must hold two numbers for each of the last axes of {input._type()}")
    pairs = [(0, 0)] * (input.ndim - len(ends) // 2) + list(zip(ends[-2::-2], ends[::-2], strict=True))
    for axis, (before, after) in enumerate(pairs):
        if input.shape[axis] + before + after < 0 or -min(before, after) > input.shape[axis]:
            raise ShapeError(f"pad: ({before}, {after}) cuts away more than the axis {axis} of {input._type()} holds")
    if mode == "constant":
        return _constant(input, pairs, 0.0 if value is None else value)
    if mode not in ("reflect", "replicate", "circular"):
        raise RangeError(f"pad: mode={mode!r} is none of constant, reflect, replicate, circular")
    if value is not None:
        raise RangeError(f"pad: mode={mode!r} takes no value")
    out = _cut(input, pairs)
    for axis, (before, after) in enumerate(pairs):
        if before > 0 or after > 0:
            out = _continued(out, axis, max(before, 0), max(after, 0), mode)
    result: Tensor = out if any(n > 0 for n in ends) else p.clone(out)
    return result


def _cut(x: Tensor, pairs: list[tuple[int, int]]) -> Tensor:
    """What negative numbers leave."""
    kept = tuple(slice(max(0, -a), n - max(0, -b), None) for n, (a, b) in zip(x.shape, pairs, strict=True))
    inner: Tensor = p.slice(x, index=kept)
    return inner


def _constant(x: Tensor, pairs: list[tuple[int, int]], value: float) -> Tensor:
    """The part that stays, put into zeros; where the rest is not 0, a mask chooses."""
    inner = _cut(x, pairs)
    place = tuple(slice(max(0, a), max(0, a) + n, None) for n, (a, _) in zip(inner.shape, pairs, strict=True))
    shape = tuple(n + a + b for n, (a, b) in zip(x.shape, pairs, strict=True))
    out: Tensor = p.unslice(inner, index=place, shape=shape)
    if value != 0:
        inside = np.zeros(shape, bool_)
        inside[place] = True
        typed = bool(value) if x.dtype.kind == "b" else float(value) if x.dtype.kind == "f" else int(value)
        out = p.where(from_array(inside), out, typed)
    return out


def _continued(x: Tensor, axis: int, before: int, after: int, mode: str) -> Tensor:
    length = x.shape[axis]
    most = {"reflect": length - 1, "replicate": None, "circular": length}[mode]
    if length == 0 or (most is not None and max(before, after) > most):
        raise ShapeError(f"pad: mode={mode!r} cannot continue the axis {axis} of {x._type()} by ({before}, {after})")
    places = np.arange(-before, length + after)
    if mode == "reflect":
        period = max(2 * (length - 1), 1)
        places = (length - 1) - np.abs(places % period - (length - 1))
    elif mode == "replicate":
        places = places.clip(0, length - 1)
    else:
        places %= length
    result: Tensor = p.take(x, from_array(places), dim=axis)
    return result
