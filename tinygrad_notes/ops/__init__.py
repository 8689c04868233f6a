"""Layer 4: the table. One row per primitive, in the room of its kind; nothing else carries a gradient rule."""

from . import compare, elementwise, index, linalg, patches, reduce, rounding, scan, shape, state, transcendental

__all__ = [
    "compare",
    "elementwise",
    "index",
    "linalg",
    "patches",
    "reduce",
    "rounding",
    "scan",
    "shape",
    "state",
    "transcendental",
]
