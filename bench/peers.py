"""Whom we are measured against."""

from __future__ import annotations

from typing import Any

__all__ = ["libraries", "torch"]

torch: Any
try:
    import torch
except ImportError:
    torch = None


def libraries(ours: Any) -> dict[str, Any]:
    """The modules that understand the same program: ours, and torch where it is installed."""
    return {"ours": ours} if torch is None else {"ours": ours, "torch": torch}
