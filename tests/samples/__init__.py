"""Sample calls of every public function: one list, run against ``tn`` and against torch, and read by the reference table.

A call is written once, for both: ``lambda m, x: m.cumsum(x, 1)``, where ``m`` is ``tn`` or ``torch``. Each room here belongs
to the room of functions of the same name.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Input:
    """One Tensor argument. Floats are drawn from [low, high); integers where the bounds are ints; bools where they are None."""

    shape: tuple[int, ...]
    low: Any = -2.0
    high: Any = 2.0

    @property
    def kind(self) -> str:
        return "b" if self.low is None else "i" if isinstance(self.low, int) else "f"

    def array(self, dtype: Any, seed: int) -> Array:
        """Distinct floats, away from 0: no ties, no kinks."""
        rng = np.random.default_rng([seed, len(self.shape), *self.shape])
        size = int(np.prod(self.shape))
        if self.kind == "b":
            return rng.permutation(np.arange(size) % 2).reshape(self.shape).astype(bool)
        if self.kind == "i":
            return rng.integers(self.low, self.high, self.shape)
        steps = (rng.permutation(size) + (0.37, 0.61, 0.83)[seed % 3]) / max(size, 1)
        return (self.low + (self.high - self.low) * steps).reshape(self.shape).astype(dtype)


def floats(*shape: int, low: float = -2.0, high: float = 2.0) -> Input:
    return Input(shape, float(low), float(high))


def ints(*shape: int, low: int = 0, high: int = 5) -> Input:
    return Input(shape, low, high)


def bools(*shape: int) -> Input:
    return Input(shape, None, None)


@dataclass(frozen=True)
class Sample:
    """One call.

    name     the public name below ``tn``: "cumsum", "nn.functional.gelu", "Tensor.unfold"
    call     ``(m, *tensors)`` -> a Tensor or a tuple of them; ``m`` is tn or torch
    inputs   the Tensor arguments; every float among them gets a gradient
    orders   of derivative that are checked: 0 where the result has no gradient, 1 or 2
    replays  False where shapes depend on values, which a tape freezes
    torch    False where torch has no such call; then ``differs`` says so
    differs  where we differ from torch, and why; shown in the reference table
    """

    name: str
    call: Callable[..., Any]
    inputs: tuple[Input, ...]
    orders: int = 2
    replays: bool = True
    torch: bool = True
    differs: str = ""


def samples(
    name: str, *calls: tuple[Any, ...], orders: int = 2, replays: bool = True, torch: bool = True, differs: str = ""
) -> list[Sample]:
    """Samples of one function: each call is ``(lambda m, x, ...: ..., input, ...)``."""
    return [Sample(name, call, tuple(inputs), orders, replays, torch, differs) for call, *inputs in calls]


def rooms() -> dict[str, list[Sample]]:
    """The samples of every room."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name: list(importlib.import_module(f"{__name__}.{name}").SAMPLES) for name in names}


def everywhere(
    name: str, *inputs: Input, orders: int = 2, differs: str = "", only: str = "fmi", **keywords: Any
) -> list[Sample]:
    """One call as a function, as a method and, of what torch writes in place, as ``name_`` (``only``: some of f, m, i)."""

    def function(m: Any, *xs: Any) -> Any:
        return getattr(m, name)(*xs, **keywords)

    def method(m: Any, x: Any, *rest: Any) -> Any:
        return getattr(x, name)(*rest, **keywords)

    def inplace(m: Any, x: Any, *rest: Any) -> Any:
        return getattr(x.clone(), name + "_")(*rest, **keywords)

    found = {"f": Sample(name, function, inputs, orders, differs=differs), "m": Sample(name, method, inputs, orders),
             "i": Sample(f"Tensor.{name}_", inplace, inputs, orders)}  # fmt: skip
    return [found[form] for form in only]
