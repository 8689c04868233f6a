"""Utilities under PyTorch's name ``utils``."""

from . import checkpoint, data

__all__ = ["checkpoint", "data"]
