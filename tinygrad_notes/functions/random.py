"""Random numbers from a counter: the same seed and offset give the same numbers, on every machine and on every replay.

A ``Generator`` is two 0-d Tensors, seed and offset. Drawing records the primitive ``random_bits`` and the write that moves
the offset on, by a number that depends on the shape only. So a replayed tape draws fresh numbers, and the ones eager would.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import DEFAULT_FLOAT, bool_, canonical_dtype, float64, int64, uint64
from ..errors import DtypeError, ShapeError
from ..inplace import update, write
from ..kernels.random import philox_blocks
from ..modes import local, no_grad
from ..optable import p
from ..tensor import Tensor, from_array, leaf_of
from .arguments import shape_of
from .pointwise import cos, log, sqrt

__all__ = ["Generator", "initial_seed", "manual_seed", "rand", "randint", "randn", "randperm"]


class Generator:
    """A stream of random numbers.

    seed    0-d uint64 Tensor
    offset  0-d uint64 Tensor: how many counter values were used
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = from_array(np.zeros((), np.uint64))
        self.offset = from_array(np.zeros((), np.uint64))
        self.manual_seed(seed)

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of ``seed`` from its beginning."""
        if not isinstance(seed, int | np.integer) or not -(2**63) <= seed < 2**64:
            raise ValueError(f"manual_seed: a seed is an integer of 64 bits, got {seed!r}")
        write(self.seed, np.uint64(seed % 2**64), "manual_seed")
        write(self.offset, np.uint64(0), "manual_seed")
        return self

    def get_state(self) -> Tensor:
        """Seed and offset, ``(2,)`` uint64: all there is to put the stream back where it was."""
        return Tensor([self.seed.item(), self.offset.item()], dtype=uint64)

    def set_state(self, state: Tensor) -> None:
        """Continue from what ``get_state`` gave."""
        if state.shape != (2,) or state.dtype != uint64:
            raise ShapeError(f"set_state: needs the u64[2] Tensor of get_state, got {state._type()}")
        write(self.seed, state._array[0], "set_state")
        write(self.offset, state._array[1], "set_state")

    def bits(self, shape: tuple[int, ...], width: int) -> Tensor:
        """Uniform integers below ``2**width``, and the stream moved on."""
        tape = local.mode.tape
        if tape is not None:
            for name, tensor in (("random.seed", self.seed), ("random.offset", self.offset)):
                tape.names.setdefault(tensor._current_node() or leaf_of(tensor), name)
        with no_grad():
            drawn: Tensor = p.random_bits(self.seed, self.offset, shape=shape, width=width)
            update(self.offset, "add", philox_blocks(shape, width))
        return drawn


default_generator = Generator()
"""What every function here draws from unless it is given another Generator."""


def manual_seed(seed: int) -> Generator:
    """Seed the default generator."""
    return default_generator.manual_seed(seed)


def initial_seed() -> int:
    """The seed of the default generator."""
    return int(default_generator.seed.item())


def rand(*size: Any, dtype: Any = None, generator: Generator | None = None, requires_grad: bool = False) -> Tensor:
    """Uniform in [0, 1), with as many random bits as the dtype's mantissa holds."""
    wanted = _float(dtype)
    width = 53 if wanted == float64 else 24
    bits = (generator or default_generator).bits(shape_of("rand", size), width)
    with no_grad():
        drawn: Tensor = p.cast(bits, dtype=wanted) * 2.0**-width
    return drawn.requires_grad_() if requires_grad else drawn


def randn(*size: Any, dtype: Any = None, generator: Generator | None = None, requires_grad: bool = False) -> Tensor:
    """Standard normal, by Box and Muller (1958): ``sqrt(-2 log(1 - u)) cos(2 pi v)``."""
    shape = shape_of("randn", size)
    u = rand(shape, dtype=_float(dtype), generator=generator)
    v = rand(shape, dtype=_float(dtype), generator=generator)
    with no_grad():
        drawn: Tensor = sqrt(-2.0 * log(1.0 - u)) * cos(2 * math.pi * v)
    return drawn.requires_grad_() if requires_grad else drawn


def randint(low: int, high: int, size: Any, *, generator: Generator | None = None) -> Tensor:
    """Uniform int64 in [low, high)."""
    if high <= low:
        raise ValueError(f"randint: the range [{low}, {high}) is empty")
    u = rand(*shape_of("randint", (size,)), dtype=float64, generator=generator)
    with no_grad():
        drawn: Tensor = p.cast(u * (high - low), dtype=int64) + low
    return drawn


def randperm(n: int, *, generator: Generator | None = None) -> Tensor:
    """A random order of 0 ... n-1, as int64."""
    return from_array(np.argsort((generator or default_generator).bits((n,), 53)._array, kind="stable"))


def bernoulli_mask(shape: tuple[int, ...], probability: float, generator: Generator | None = None) -> Tensor:
    """Bools that are True with the given probability, decided on integers: no rounding of floats takes part."""
    bits = (generator or default_generator).bits(shape, 32)
    threshold = min(int(probability * 2**32), 2**32)
    if threshold == 2**32:
        return from_array(np.ones(shape, bool_))
    result: Tensor = p.lt(bits, threshold)
    return result


def _float(dtype: Any) -> np.dtype[Any]:
    wanted = canonical_dtype(dtype or DEFAULT_FLOAT)
    if wanted.kind != "f":
        raise DtypeError(f"random numbers of dtype {wanted} are not real; ask for float32 or float64 (or use randint)")
    return wanted
