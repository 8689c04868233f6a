"""Windows over several axes at once, copied side by side, and the sum that puts them back: each other's transpose.

What convolution and pooling read: ``patches`` is known as im2col, ``unpatches`` as col2im (Chellapilla et al. 2006). Where
one axis and a view are enough, ``windows`` does it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from ..dispatch import primitive
from ..kernels import loops, pool
from ..optable import Case

__all__: list[str] = []

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
LARGE = 2**17
"""Bytes from which glibc asks the system for a block of its own."""


def _counts(lengths: Shape, size: Shape, step: Shape, dilation: Shape) -> Shape:
    """How many windows fit along each axis."""
    return tuple((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(lengths, size, step, dilation, strict=True))


def _patches(x: Array, *, dim: int, size: Shape, step: Shape, dilation: Shape) -> Array:
    """x ``(*lead, *lengths)``, the axes from ``dim`` on windowed; result ``(*lead, *size, *counts)``."""
    counts = _counts(x.shape[dim:], size, step, dilation)
    out = np.empty((*x.shape[:dim], *size, *counts), x.dtype)
    if out.nbytes > LARGE:
        pool.use()  # for the arrays to come
    if len(size) == 2 and loops.patches(x, out, step, dilation):
        return out
    lead, inner = x.strides[:dim], x.strides[dim:]
    strides = (*(n * d for n, d in zip(inner, dilation, strict=True)), *(n * s for n, s in zip(inner, step, strict=True)))
    out[...] = np.lib.stride_tricks.as_strided(x, out.shape, (*lead, *strides), writeable=False)
    return out


def _unpatches(x: Array, *, dim: int, size: Shape, step: Shape, dilation: Shape, shape: Shape) -> Array:
    out = np.zeros(shape, np.asarray(x).dtype)
    if len(size) == 2 and loops.unpatches(x, out, step, dilation):
        return out
    counts = x.shape[dim + len(size) :]
    lead: tuple[Any, ...] = (slice(None),) * dim
    for place, reached in _reached(counts, size, step, dilation):
        region = out[(*lead, *reached)]
        np.add(region, x[(*lead, *place)], out=region)
    return out


def _reached(counts: Shape, size: Shape, step: Shape, dilation: Shape) -> Iterator[tuple[Shape, tuple[slice, ...]]]:
    """Each place in a window, and the slices of the axes that all windows together read there."""
    for place in product(*map(range, size)):
        yield (
            place,
            tuple(
                slice(at * d, at * d + (n - 1) * s + 1, s) for at, n, s, d in zip(place, counts, step, dilation, strict=True)
            ),
        )


def _patches_result(shapes: Sequence[Shape], dtypes: Sequence[Any], params: dict[str, Any]) -> tuple[Shape, Any]:
    dim, size = params["dim"], params["size"]
    return (*shapes[0][:dim], *size, *_counts(shapes[0][dim:], size, params["step"], params["dilation"])), dtypes[0]


_PLACES: tuple[tuple[Shape, Shape, dict[str, Any]], ...] = tuple(
    (x, out, {"dim": dim, "size": size, "step": step, "dilation": dilation})
    for x, out, dim, size, step, dilation in (
        ((2, 5), (2, 2, 4), 1, (2,), (1,), (1,)),
        ((7,), (3, 2), 0, (3,), (2,), (2,)),
        ((2, 4, 5), (2, 2, 3, 3, 2), 1, (2, 3), (1, 2), (1, 1)),
        ((3, 4), (2, 1, 1, 2), 0, (2, 1), (2, 3), (2, 1)),
        ((0, 3), (0, 2, 2), 1, (2,), (1,), (1,)),
    )
)

primitive(
    "patches",
    _patches,
    args="x",
    params="dim size step dilation",
    vjp=("p.unpatches(g, dim=dim, size=size, step=step, dilation=dilation, shape=x_shape)",),
    kind="move",
    result=_patches_result,
    cases=tuple(Case(((x, -2.0, 2.0),), places) for x, _, places in _PLACES),
)
primitive(
    "unpatches",
    _unpatches,
    args="x",
    params="dim size step dilation shape",
    vjp=("p.patches(g, dim=dim, size=size, step=step, dilation=dilation)",),
    kind="move",
    result=lambda shapes, dtypes, params: (params["shape"], dtypes[0]),
    cases=tuple(Case(((out, -2.0, 2.0),), places | {"shape": x}) for x, out, places in _PLACES),
)
