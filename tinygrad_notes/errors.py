"""The errors of the engine. Each message says what was wrong, with shapes and dtypes, and how to put it right.

They derive from the classes that PyTorch raises in the same place, so that ``except`` clauses written for it still work.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

__all__ = [
    "AnomalyError",
    "ArgumentError",
    "BatchingError",
    "BitsError",
    "CountError",
    "DtypeError",
    "GraphError",
    "IndexOutOfRange",
    "LabelsError",
    "RangeError",
    "RowsError",
    "ShapeError",
    "describe",
    "short_dtype",
    "typename",
]


class ShapeError(RuntimeError):
    """Shapes that do not fit the operation."""


class LabelsError(ShapeError, ValueError):
    """Labels that do not fit their scores: PyTorch raises a ValueError for some of them, a RuntimeError for the others."""


class RowsError(ShapeError, ValueError):
    """Rows of different lengths, which make no Tensor."""


class CountError(ShapeError, ValueError):
    """One element is needed, or at least one Tensor: PyTorch raises a ValueError for some of these, a RuntimeError for others."""


class DtypeError(RuntimeError):
    """A dtype that the operation has no meaning for."""


class BitsError(DtypeError, TypeError):
    """Floats, where bits are asked for."""


class ArgumentError(RuntimeError):
    """An argument that is none of those the function knows, or one too few."""


class IndexOutOfRange(IndexError):
    """An axis or an index outside its range."""


class RangeError(RuntimeError):
    """A number outside what the operation has a meaning for."""


class AnomalyError(RuntimeError):
    """Anomaly mode: an operation or its gradient made a NaN or an inf."""


class BatchingError(RuntimeError):
    """What ``vmap`` cannot do for all examples at once: a row without a batching rule, a value that is read."""


class GraphError(RuntimeError):
    """A gradient was asked for that the tape cannot give (freed, stale, non-scalar, not recorded)."""


def short_dtype(dtype: np.dtype[Any]) -> str:
    """``float32 -> f32, int64 -> i64, bool -> bool``: the dtype as listings and messages write it."""
    return "bool" if dtype.kind == "b" else f"{dtype.kind}{8 * dtype.itemsize}"


def typename(shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
    """``f32[32,128]``: dtype and shape of a value."""
    return f"{short_dtype(dtype)}[{','.join(map(str, shape))}]"


def describe(values: Iterable[Any]) -> str:
    """Arrays as their types and everything else as itself: ``f32[4,8], f32[3], 2.0``."""
    return ", ".join(typename(v.shape, v.dtype) if hasattr(v, "dtype") and hasattr(v, "shape") else repr(v) for v in values)
