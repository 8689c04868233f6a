"""Random numbers of many kinds under PyTorch's names, made of the bits of a ``Generator``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import DEFAULT_FLOAT, bool_, canonical_dtype, float64, int64, result_type
from ..errors import DtypeError, RangeError, ShapeError
from ..inplace import write
from ..modes import no_grad
from ..optable import p
from ..tensor import Tensor, from_array
from .arguments import shape_of
from .convert import to
from .device import on_cpu
from .generator import Generator, default_generator
from .pointwise import log, sqrt, where
from .scan import cumsum
from .sort import argsort, searchsorted
from .trigonometry import cos

__all__ = [
    "bernoulli", "multinomial", "normal", "rand", "rand_like", "randint",
    "randint_like", "randn", "randn_like", "randperm",
]  # fmt: skip

METHODS = "bernoulli bernoulli_ multinomial normal_ random_ uniform_"


@on_cpu
def rand(
    *size: Any, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Uniform in [0, 1), with as many random bits as the dtype's mantissa holds."""
    wanted = _float(dtype)
    width = 53 if wanted == float64 else 24
    bits = (generator or default_generator).bits(shape_of("rand", size), width)
    with no_grad():
        drawn: Tensor = p.cast(bits, dtype=wanted) * 2.0**-width
    return drawn.requires_grad_() if requires_grad else drawn


@on_cpu
def randn(
    *size: Any, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Standard normal, by Box and Muller (1958): ``sqrt(-2 log(1 - u)) cos(2 pi v)``."""
    shape = shape_of("randn", size)
    u = rand(shape, dtype=_float(dtype), generator=generator)
    v = rand(shape, dtype=_float(dtype), generator=generator)
    with no_grad():
        drawn: Tensor = sqrt(-2.0 * log(1.0 - u)) * cos(2 * math.pi * v)
    return drawn.requires_grad_() if requires_grad else drawn


@on_cpu
def randint(
    *args: Any,
    low: int | None = None,
    high: int | None = None,
    size: Any = None,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``randint(high, size)``, ``randint(low, high, size)``: uniform integers in [low, high), int64 unless a dtype is given.

    Raises RangeError for an empty range, and for one that the dtype cannot hold or that is longer than 2**53.
    """
    given = list(args)
    if size is None:
        if not given:
            raise TypeError("randint: needs a size: randint(high, size) or randint(low, high, size)")
        size = given.pop()
    if high is None:
        if not given:
            raise TypeError("randint: needs a bound: randint(high, size) or randint(low, high, size)")
        high = given.pop()
    if low is None:
        low = given.pop() if given else 0
    if given:
        raise TypeError(f"randint: takes low, high and size, got {args}")
    return _integers("randint", shape_of("randint", (size,)), int(low), int(high), int64 if dtype is None else dtype, generator,
                     requires_grad)  # fmt: skip


def _integers(
    name: str, shape: tuple[int, ...], low: int, high: int, dtype: Any, generator: Generator | None, requires_grad: bool = False
) -> Tensor:
    wanted = canonical_dtype(dtype)
    if high <= low:
        raise RangeError(f"{name}: the range [{low}, {high}) is empty")
    lowest, highest = (0, 1) if wanted.kind == "b" else (-(2**53), 2**53)
    if wanted.kind in "iu":
        lowest, highest = int(np.iinfo(wanted).min), int(np.iinfo(wanted).max)
    if low < lowest or high - 1 > highest:
        raise RangeError(f"{name}: [{low}, {high}) does not fit into {wanted}, which holds {lowest} to {highest}")
    if high - low > 2**53:
        raise RangeError(f"{name}: [{low}, {high}) holds more than 2**53 numbers")
    u = rand(shape, dtype=float64, generator=generator)
    with no_grad():
        drawn: Tensor = p.cast(p.cast(u * (high - low), dtype=int64) + low, dtype=wanted)
    return drawn.requires_grad_() if requires_grad else drawn


@on_cpu
def normal(
    mean: Any, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None, dtype: Any = None, device: Any = None
) -> Tensor:
    """Normal with the given mean and standard deviation: numbers with a ``size``, or Tensors that broadcast.

    Gradients reach Tensors along ``mean + std * noise``. Raises RangeError for a negative deviation.
    """
    parts = [x for x in (mean, std) if isinstance(x, Tensor)]
    deviation = std._all_values() if isinstance(std, Tensor) else std
    if (np.asarray(deviation) < 0).any():
        raise RangeError("normal: a standard deviation cannot be negative")
    if parts and (size is not None or dtype is not None):
        raise TypeError("normal: Tensors tell size and dtype themselves; give numbers to choose them")
    if not parts and size is None:
        raise TypeError("normal: two numbers need a size: normal(0.0, 1.0, (2, 3))")
    if parts:
        size = np.broadcast_shapes(*(x.shape for x in parts))
        dtype = result_type([x._array for x in parts])
    result: Tensor = mean + std * randn(size if isinstance(size, tuple | list) else (size,), generator=generator, dtype=dtype)
    return result


def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that ``input`` holds (or all with ``p``), else 0, in its dtype. Gradients stop, as at ``<``.

    Raises RangeError for a probability outside [0, 1].
    """
    with no_grad():
        if p is not None:
            return to(bernoulli_mask(input.shape, _probability(p), generator), input.dtype)
        if input.dtype.kind != "f":
            raise DtypeError(f"bernoulli: probabilities are floats, got {input._type()}")
        _probability(input._all_values())
        return to(rand(input.shape, dtype=float64, generator=generator) < input, input.dtype)


def _probability(value: Any) -> Any:
    if not ((np.asarray(value) >= 0) & (np.asarray(value) <= 1)).all():
        raise RangeError(f"bernoulli: a probability lies in [0, 1], got {np.asarray(value).ravel()[:4].tolist()}")
    return value


@on_cpu
def randperm(
    n: int, *, generator: Generator | None = None, dtype: Any = int64, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A random order of 0 ... n-1: that of n random numbers."""
    numbers = (generator or default_generator).bits(shape_of("randperm", (n,)), 53)
    order = to(argsort(numbers, 0), dtype)
    return order.requires_grad_() if requires_grad else order


def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None) -> Tensor:
    """Categories drawn with the weights in ``input``, ``(n,)`` or ``(rows, n)``, which need not add up to 1: ``(*, num_samples)``.

    Without replacement: those with the largest ``log(u) / weight`` (Efraimidis and Spirakis, 2006), in the order in which
    they would be drawn. Raises RangeError for weights that are no distribution, or fewer categories than samples.
    """
    if input.dtype.kind != "f":
        raise DtypeError(f"multinomial: the weights are floats, got {input._type()}")
    if input.ndim not in (1, 2) or not input.shape[-1]:
        raise ShapeError(f"multinomial: the weights are (n,) or (rows, n) with n > 0, got {input._type()}")
    weights = input._all_values()
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.sum(-1).all():
        raise RangeError("multinomial: weights must be finite and not negative, some of each row above 0")
    if num_samples <= 0:
        raise RangeError(f"multinomial: the number of samples must be positive, got {num_samples}")
    if not replacement and num_samples > np.count_nonzero(weights, axis=-1).min(initial=num_samples):
        raise RangeError(f"multinomial: fewer than {num_samples} categories can be drawn; replacement=True draws them again")
    with no_grad():
        wide = to(input, float64)
        if replacement:
            u = rand(*input.shape[:-1], num_samples, dtype=float64, generator=generator)
            below = cumsum(wide, -1)
            return searchsorted(below, u * below[..., -1:], right=True)
        u = 1.0 - rand(input.shape, dtype=float64, generator=generator)
        keys = where(wide > 0, log(u) / where(wide > 0, wide, 1.0), -math.inf)
        return argsort(keys, -1, descending=True)[..., :num_samples].clone()


# ---- like a Tensor, and into one ----


@on_cpu
def rand_like(
    input: Tensor, *, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Uniform in [0, 1), in the shape and dtype of ``input``."""
    return rand(input.shape, generator=generator, dtype=dtype or input.dtype, requires_grad=requires_grad)


@on_cpu
def randn_like(
    input: Tensor, *, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Standard normal, in the shape and dtype of ``input``."""
    return randn(input.shape, generator=generator, dtype=dtype or input.dtype, requires_grad=requires_grad)


@on_cpu
def randint_like(
    input: Tensor,
    low: int,
    high: int | None = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``randint_like(x, high)``, ``randint_like(x, low, high)``: uniform integers in the shape and dtype of ``input``."""
    low, high = (0, low) if high is None else (low, high)
    return _integers("randint_like", input.shape, int(low), int(high), dtype or input.dtype, generator, requires_grad)


def uniform_(input: Tensor, low: float = 0.0, to: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Write uniform numbers of [low, to). Raises RangeError where ``to`` lies below ``low``."""
    if to < low:
        raise RangeError(f"uniform_: the range [{low}, {to}) is empty")
    return write(input, rand_like(input, generator=generator) * (to - low) + low, "uniform_")


def normal_(input: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Write normal numbers. Raises RangeError for a negative deviation."""
    if std < 0:
        raise RangeError(f"normal_: a standard deviation cannot be negative, got {std}")
    return write(input, randn_like(input, generator=generator) * std + mean, "normal_")


def bernoulli_(input: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Write 1 with probability ``p`` (a number, or a Tensor that broadcasts), else 0."""
    if not isinstance(p, Tensor):
        return write(input, bernoulli_mask(input.shape, _probability(p), generator), "bernoulli_")
    _probability(p._all_values())
    return write(input, rand(input.shape, dtype=float64, generator=generator) < p, "bernoulli_")


def random_(input: Tensor, low: int = 0, to: int | None = None, *, generator: Generator | None = None) -> Tensor:
    """``random_()``, ``random_(to)``, ``random_(low, to)``: write uniform integers of [low, to).

    Without bounds: every integer from 0 that the dtype holds exactly (floats: below 2**24 or 2**53).
    """
    if to is None and low:
        low, to = 0, low
    if to is not None:
        return write(input, _integers("random_", input.shape, int(low), int(to), input.dtype, generator), "random_")
    kind = input.dtype.kind
    width = (
        {4: 24, 8: 53}[input.dtype.itemsize] if kind == "f" else 1 if kind == "b" else 8 * input.dtype.itemsize - (kind == "i")
    )
    return write(input, (generator or default_generator).bits(input.shape, width), "random_")


def bernoulli_mask(shape: tuple[int, ...], probability: float, generator: Generator | None = None) -> Tensor:
    """Bools that are True with the given probability, decided on integers: no rounding of floats takes part."""
    bits = (generator or default_generator).bits(shape, 32)
    threshold = min(int(probability * 2**32), 2**32)
    if threshold == 2**32:
        return from_array(np.ones(shape, bool_))
    result: Tensor = p.lt(bits, threshold)
    return result


def _float(dtype: Any) -> np.dtype[Any]:
    wanted = canonical_dtype(DEFAULT_FLOAT if dtype is None else dtype)
    if wanted.kind != "f":
        raise DtypeError(f"random numbers of dtype {wanted} are not real; ask for float32 or float64 (or use randint)")
    return wanted
