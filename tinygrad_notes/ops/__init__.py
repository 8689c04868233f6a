"""Layer 4: the table. One row per primitive, in the room of its kind; nothing else carries a gradient rule."""

from . import elementwise, index, linalg, reduce, shape, state

__all__ = ["elementwise", "index", "linalg", "reduce", "shape", "state"]
