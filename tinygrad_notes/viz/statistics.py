"""What an array holds, in a few numbers and 32 bars."""

from __future__ import annotations

from typing import Any

import numpy as np

from .norms import length

__all__ = ["BINS", "summary"]

BINS = 32

Array = np.ndarray[Any, Any]


def summary(array: Array) -> dict[str, Any]:
    """Statistics of all elements: ``min, max, mean, std, norm`` (Euclidean), of the finite ones only where some are not; how
    many are ``zeros``, ``nan`` and ``inf``; ``bars``, how many lie in each of 32 equal bins from min to max.

    Everything is computed in float64. What does not exist, of no elements say, is left out; so are counts of 0.
    """
    flat = np.asarray(array, np.float64).ravel()
    nan = inf = 0
    with np.errstate(over="ignore", invalid="ignore"):
        if not np.isfinite(flat.sum()):
            nan, inf = int(np.isnan(flat).sum()), int(np.isinf(flat).sum())
            flat = flat[np.isfinite(flat)]
        counts = {"zeros": flat.size - int(np.count_nonzero(flat)), "nan": nan, "inf": inf}
        found: dict[str, Any] = {name: count for name, count in counts.items() if count}
        if flat.size:
            low, high, mean = float(flat.min()), float(flat.max()), float(flat.mean())
            std = length(flat - mean) / np.sqrt(flat.size)
            numbers = {"min": low, "max": high, "mean": mean, "std": std, "norm": length(flat)}
            found |= {name: float(f"{value:.7g}") for name, value in numbers.items() if np.isfinite(value)}
            found["bars"] = _bars(flat, low, high)
    return found


def _bars(values: Array, low: float, high: float) -> list[int]:
    scale = BINS / (high / 2 - low / 2) / 2 if high > low else 0.0  # halves: the range itself may overflow
    if scale == 0.0 or not np.isfinite(scale * low):
        return [values.size if i == BINS // 2 else 0 for i in range(BINS)]
    position = (values * scale - low * scale).astype(np.intp)
    bars: list[int] = np.bincount(np.minimum(position, BINS - 1, out=position), minlength=BINS).tolist()
    return bars
