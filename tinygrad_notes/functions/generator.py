"""The stream of random numbers, from a counter: the same seed and offset give the same numbers, on every machine and replay.

A ``Generator`` is two 0-d Tensors, seed and offset. Drawing records the primitive ``random_bits`` and the write that moves
the offset on, by a number that depends on the shape only. So a replayed tape draws fresh numbers, and the ones eager would.
"""

from __future__ import annotations

import os

import numpy as np

from ..dtypes import uint64
from ..errors import ShapeError
from ..inplace import update, write
from ..kernels.random import philox_blocks
from ..modes import local, no_grad
from ..optable import p
from ..tensor import Tensor, from_array, leaf_of

__all__ = ["Generator", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state"]


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
        return Tensor(np.array([self.seed.item(), self.offset.item()], np.uint64))

    def set_state(self, state: Tensor) -> None:
        """Continue from what ``get_state`` gave."""
        if state.shape != (2,) or state.dtype != uint64:
            raise ShapeError(f"set_state: needs the u64[2] Tensor of get_state, got {state._type()}")
        write(self.seed, state._array[0], "set_state")
        write(self.offset, state._array[1], "set_state")

    def bits(self, shape: tuple[int, ...], width: int) -> Tensor:
        """Uniform integers below ``2**width``, and the stream moved on."""
        if local.mode.levels:
            result: Tensor = local.mode.levels[-1].draw(self, shape, width)
            return result
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


def seed() -> int:
    """Seed the default generator with a number that no one knows, and return it."""
    drawn = int.from_bytes(os.urandom(8), "little")
    default_generator.manual_seed(drawn)
    return drawn


def get_rng_state() -> Tensor:
    """The state of the default generator, for ``set_rng_state``."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Let the default generator continue from what ``get_rng_state`` gave."""
    default_generator.set_state(new_state)
