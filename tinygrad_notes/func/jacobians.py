"""Whole Jacobians and Hessians: ``jacrev`` row by row, ``jacfwd`` column by column, all rows or columns at once by ``vmap``."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import BatchingError, DtypeError
from ..functions.moving import stack
from ..functions.shape import reshape
from ..tensor import Tensor
from .batching import moved
from .gradients import Argnums, trace_argnums
from .pytree import unflatten
from .tracing import Traced
from .vmap import vmap

__all__ = ["hessian", "jacfwd", "jacobian", "jacrev"]


def jacrev(
    func: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False, chunk_size: int | None = None
) -> Callable[..., Any]:
    """The Jacobian of ``func`` by the arguments ``argnums``, in reverse mode: one pass per element of the output.

    The result is nested like the output, and inside that like the arguments; each entry has the shape of the output followed
    by that of the input. ``func`` is called once.
    has_aux     ``func`` returns (output, aux), the result (Jacobian, aux)
    chunk_size  rows at once, to bound memory
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        run = trace_argnums("jacrev", func, argnums, has_aux, args, kwargs)
        blocks = []
        for k, out in enumerate(run.outputs):
            _check_float("jacrev", out)

            def row(g: Tensor, k: int = k) -> tuple[Tensor, ...]:
                return tuple(run.pull([g if i == k else None for i in range(len(run.outputs))]))

            found = _each(row, _basis(out), chunk_size)
            parts = [reshape(r, *out.shape, *x.shape) for r, x in zip(found, run.primals, strict=True)]
            blocks.append(unflatten(run.structure, parts))
        return _result(run, blocks, has_aux)

    return jacobian


def jacfwd(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The Jacobian as ``jacrev`` gives it, in forward mode: one pass per element of the input.

    ``func`` is called once: random draws inside are the same for all columns.
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        run = trace_argnums("jacfwd", func, argnums, has_aux, args, kwargs)
        for out in run.outputs:
            _check_float("jacfwd", out)
        push = run.pusher()
        columns = []
        for k, x in enumerate(run.primals):

            def column(t: Tensor, k: int = k) -> tuple[Tensor, ...]:
                zeros = [Tensor(np.zeros(y.shape, y.dtype)) for y in run.primals]
                return tuple(push([*zeros[:k], t, *zeros[k + 1 :]]))

            found = _each(column, _basis(x), None)
            columns.append(
                [reshape(moved(c, 0, c.ndim - 1), *out.shape, *x.shape) for c, out in zip(found, run.outputs, strict=True)]
            )
        blocks = [unflatten(run.structure, [c[i] for c in columns]) for i in range(len(run.outputs))]
        return _result(run, blocks, has_aux)

    return jacobian


jacobian = jacrev
"""Reverse mode, as in ``torch.autograd.functional.jacobian``; ``jacfwd`` is cheaper where there are fewer inputs than outputs."""


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The Hessian of ``func`` by the arguments ``argnums``: ``jacfwd(jacrev(func))``."""
    return jacfwd(jacrev(func, argnums), argnums)


def _basis(x: Tensor) -> Tensor:
    """Every unit vector of the space of ``x``: ``(elements, *shape)``."""
    n = x.numel()
    return Tensor(np.eye(n, dtype=x.dtype).reshape(n, *x.shape))


def _each(function: Callable[[Tensor], tuple[Tensor, ...]], basis: Tensor, chunk_size: int | None) -> Sequence[Tensor]:
    """``function`` of every unit vector, stacked: at once, or one by one where a row has no batching rule."""
    try:
        found: Sequence[Tensor] = vmap(function, chunk_size=chunk_size)(basis)
    except BatchingError:
        found = [stack(parts) for parts in zip(*map(function, basis), strict=True)]
    return found


def _check_float(name: str, out: Tensor) -> None:
    if out.dtype.kind != "f":
        raise DtypeError(
            f"{name}: an output is {out._type()}; only floating-point outputs have derivatives, use has_aux for others"
        )


def _result(run: Traced, blocks: Sequence[Any], has_aux: bool) -> Any:
    found = unflatten(run.returned, blocks)
    return (found, run.aux) if has_aux else found
