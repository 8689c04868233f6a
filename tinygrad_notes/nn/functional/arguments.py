"""Checks that rooms of ``nn.functional`` share."""

from __future__ import annotations

import numpy as np

from ...errors import DtypeError, IndexOutOfRange
from ...tensor import Tensor

__all__ = ["check_labels"]


def check_labels(name: str, labels: Tensor, size: int, what: str, ignored: int | None = None) -> None:
    """Raise unless ``labels`` are integers in [0, size), or ``ignored``."""
    if labels.dtype.kind not in "iu":
        raise DtypeError(f"{name}: needs integers, got {labels._type()}; use .long()")
    array = labels._all_values()
    if array.size and not (array.min() >= 0 and array.max() < size):
        wrong = array[((array < 0) | (array >= size)) & (True if ignored is None else array != ignored)]
        if wrong.size:
            raise IndexOutOfRange(
                f"{name}: {int(np.ravel(wrong)[0])} is out of range for {size} {what} (labels {labels._type()})"
            )
