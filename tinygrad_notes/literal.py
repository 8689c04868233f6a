"""Python scalars in a call: they stay scalars, of weak dtype, and stand on the tape as literals."""

from __future__ import annotations

import numpy as np

from .optable import LITERAL
from .tape import new_node

__all__ = ["Literal", "literal"]


class Literal:
    """A Python scalar in a call: looks to dispatch like a Tensor whose array is the scalar, of weak dtype."""

    __slots__ = ("_array", "_node")
    _view = None
    _plain = True

    def __init__(self, value: bool | int | float) -> None:
        self._array = value
        self._node = new_node(LITERAL, (), {"value": value}, (), np.dtype(type(value)), False)


_literals: dict[tuple[type, float | str], Literal] = {}


def literal(value: bool | int | float) -> Literal:
    """The Literal of a value; the common ones are made once."""
    key = (type(value), value or repr(value))  # -0.0 is not 0.0
    found = _literals.get(key)
    if found is None:
        found = Literal(value)
        if len(_literals) < 4096:
            _literals[key] = found
    return found
