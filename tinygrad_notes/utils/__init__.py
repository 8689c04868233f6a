"""Utilities under PyTorch's name ``utils``."""

from . import checkpoint

__all__ = ["checkpoint"]
