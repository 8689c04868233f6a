"""Silence numpy's floating-point warnings around one call, ten times cheaper than ``np.errstate``.

inf and NaN are ordinary values of a tensor program: ``exp(1e4)`` is inf, and says so without a warning. numpy keeps its
error state in a private context variable; where a numpy release moves it, ``np.errstate`` does the same, slower.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["QUIET", "quiet_enter", "quiet_exit"]

quiet_enter: Callable[[Any], Any]
quiet_exit: Callable[[Any], Any]

try:
    from numpy._core._ufunc_config import _extobj_contextvar  # type: ignore[attr-defined]
    from numpy._core.umath import _make_extobj

    QUIET: Any = _make_extobj(all="ignore")
    quiet_enter, quiet_exit = _extobj_contextvar.set, _extobj_contextvar.reset
except (ImportError, TypeError):  # another numpy layout: the public, slower way
    QUIET = None

    def quiet_enter(_state: Any) -> Any:
        manager = np.errstate(all="ignore")
        manager.__enter__()
        return manager

    def quiet_exit(token: Any) -> None:
        token.__exit__(None, None, None)
