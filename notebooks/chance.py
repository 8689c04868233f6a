"""Other seeds for a whole notebook: with them an experiment is repeated, where without them it is only played back."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_notes.functions.generator import Generator

__all__ = ["shift_seeds"]


def shift_seeds(shift: int) -> None:
    """From now on every generator made with a seed gets another one, the same for equal seeds: ours, and NumPy's two.

    NumPy's makers are looked up when they are called, by scikit-learn (``random_state=0``) and Optuna as by the notebooks.
    """
    # Type checkers take these names for constants, and a base class for known beforehand: hence what they are told to ignore.
    own, modern = Generator.manual_seed, np.random.default_rng
    classic: type = np.random.RandomState

    def manual_seed(self: Generator, seed: int) -> Generator:
        return own(self, seed + 1_000_003 * shift)

    def default_rng(seed: Any = None) -> np.random.Generator:
        numbers = isinstance(seed, int | np.integer | list | tuple)
        return modern([shift, *np.atleast_1d(seed)] if numbers else seed)

    class OldOnesToo(type):
        def __instancecheck__(cls, instance: Any) -> bool:  # NumPy's own global one was made before
            return isinstance(instance, classic)

    class RandomState(classic, metaclass=OldOnesToo):  # type: ignore[misc, valid-type]
        def __init__(self, seed: Any = None) -> None:
            super().__init__((int(seed) + 1_000_003 * shift) % 2**32 if isinstance(seed, int | np.integer) else seed)

    Generator.manual_seed = manual_seed  # type: ignore[method-assign]
    np.random.default_rng = default_rng
    np.random.RandomState = RandomState  # type: ignore[misc]
