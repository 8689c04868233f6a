"""Functions on Tensors under PyTorch's names. They canonicalise their arguments; the rows of ``ops`` compute and record."""

from .. import ops  # the rows that the functions name

__all__ = ["ops"]
