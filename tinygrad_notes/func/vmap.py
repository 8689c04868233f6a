"""``vmap``: a function of one example as a function of a batch of them, without a loop."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import IndexOutOfRange
from ..functions.moving import cat
from ..optable import p
from ..tensor import Tensor
from .batched import BatchedTensor, Level, batched, stacked
from .batching import moved
from .pytree import Structure, flatten, prefix_leaves, unflatten

__all__ = ["vmap"]

Dims = int | tuple[Any, ...] | list[Any] | dict[Any, Any] | None
_RANDOMNESS = ("error", "different", "same")


def vmap(
    func: Callable[..., Any],
    in_dims: Dims = 0,
    out_dims: Dims = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """``func`` mapped over an axis of its Tensor arguments: ``vmap(f)(xs)[i] = f(xs[i])``, computed for all i at once.

    func        of one example: Tensors and nested tuples, lists, dicts of them in and out; keyword arguments are not mapped
    in_dims     the axis of examples, for all arguments or one entry each (nested like them); None: not mapped
    out_dims    where the axis of examples goes in the outputs; None for an output that is the same for all
    randomness  what a random draw inside means: "error", "same" for all examples, "different" ones
    chunk_size  examples at once, to bound memory; None for all

    Inside, reading a value (``if``, ``item``, ``numpy``) and rows without a batching rule raise BatchingError; in-place
    writes to a mapped argument reach the caller's memory, as in PyTorch. Raises ValueError where the dims do not fit.
    """
    if randomness not in _RANDOMNESS:
        raise ValueError(f"vmap: randomness is one of {', '.join(map(repr, _RANDOMNESS))}, got {randomness!r}")
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size must be positive or None, got {chunk_size}")

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = flatten(args)
        dims = _dims_of(leaves, in_dims, structure)
        size = _size_of(leaves, dims)
        if chunk_size is None or chunk_size >= size:
            return _run(func, leaves, structure, dims, size, out_dims, randomness, kwargs)
        results = []
        for start in range(0, size, chunk_size):
            stop = min(start + chunk_size, size)
            part = [x if d is None else _part(x, d, start, stop) for x, d in zip(leaves, dims, strict=True)]
            results.append(_run(func, part, structure, dims, stop - start, out_dims, randomness, kwargs))
        return _joined(results, out_dims)

    return mapped


def _run(
    func: Callable[..., Any],
    leaves: Sequence[Any],
    structure: Structure,
    dims: Sequence[int | None],
    size: int,
    out_dims: Dims,
    randomness: str,
    kwargs: dict[str, Any],
) -> Any:
    with Level(size, randomness) as level:
        given = [x if d is None else batched(moved(x, d), level) for x, d in zip(leaves, dims, strict=True)]
        outputs, shape = flatten(func(*unflatten(structure, given), **kwargs))
        places = _out_dims_of(outputs, out_dims, shape)
        return unflatten(shape, [_result(x, place, level) for x, place in zip(outputs, places, strict=True)])


# ---- the arguments ----


def _dims_of(leaves: Sequence[Any], in_dims: Dims, structure: Structure) -> list[int | None]:
    """The axis of examples per leaf, counted from the front."""
    if not leaves:
        raise ValueError("vmap: the function was called without positional arguments; there is nothing to map over")
    if not isinstance(in_dims, int | tuple | list):
        raise ValueError(f"vmap: in_dims must be an int or a tuple like the arguments, got {in_dims!r}")
    found = prefix_leaves(in_dims, structure)
    if found is None:
        raise ValueError(f"vmap: in_dims={in_dims!r} does not fit the arguments; give one entry per argument, nested like it")
    return [_dim_of(x, d) for x, d in zip(leaves, found, strict=True)]


def _dim_of(x: Any, dim: Any) -> int | None:
    if dim is None:
        return None
    if not isinstance(dim, int):
        raise ValueError(f"vmap: an entry of in_dims is an int or None, got {dim!r}")
    if not isinstance(x, Tensor):
        raise ValueError(f"vmap: in_dims={dim} for a {type(x).__name__}; only Tensors are mapped, give None there")
    if not -x.ndim <= dim < x.ndim:
        raise ValueError(f"vmap: in_dims={dim} is out of range for {x._type()} with {x.ndim} axes")
    return dim % x.ndim


def _size_of(leaves: Sequence[Any], dims: Sequence[int | None]) -> int:
    sizes = [x.shape[d] for x, d in zip(leaves, dims, strict=True) if d is not None]
    if not sizes:
        raise ValueError("vmap: every entry of in_dims is None; at least one argument must be mapped")
    if len(set(sizes)) > 1:
        raise ValueError(f"vmap: the mapped axes have different lengths {sizes}; they must agree")
    return int(sizes[0])


def _part(x: Tensor, dim: int, start: int, stop: int) -> Tensor:
    out: Tensor = p.slice(x, index=(*(slice(None),) * dim, slice(start, stop, None)))
    return out


# ---- the results ----


def _out_dims_of(outputs: Sequence[Any], out_dims: Dims, structure: Structure) -> list[Any]:
    for x in outputs:
        if not isinstance(x, Tensor):
            raise ValueError(
                f"vmap: the function returned a {type(x).__name__}; it may return Tensors only, nested as you like"
            )
    found = prefix_leaves(out_dims, structure)
    if found is None:
        raise ValueError(f"vmap: out_dims={out_dims!r} does not fit the outputs; give one entry per output, nested like them")
    return found


def _result(x: Tensor, place: int | None, level: Level) -> Tensor:
    mapped = isinstance(x, BatchedTensor) and x._level is level
    if place is None:
        if mapped:
            raise ValueError(f"vmap: an output {x._type()} differs from example to example, so its out_dims cannot be None")
        return x
    if not -x.ndim - 1 <= place <= x.ndim:
        raise IndexOutOfRange(
            f"vmap: out_dims={place} is out of range for an output {x._type()}; use {-x.ndim - 1} to {x.ndim}"
        )
    value = stacked(x, level)
    return moved(value, 0, place % value.ndim)


def _joined(results: Sequence[Any], out_dims: Dims) -> Any:
    """The outputs of all chunks, along their axes of examples."""
    columns = [flatten(result) for result in results]
    structure = columns[0][1]
    places = prefix_leaves(out_dims, structure) or []
    parts = zip(*(leaves for leaves, _ in columns), strict=True)
    return unflatten(structure, [part[0] if d is None else cat(part, d) for part, d in zip(parts, places, strict=True)])
