"""What happens where numpy refuses a call: its complaint as ours, with the operation, the operands and the way out."""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import DtypeError, IndexOutOfRange, ShapeError, describe
from .kernels.quiet import loud
from .listing import show_params
from .optable import Op

__all__ = ["rescue"]


def rescue(op: Op, error: Exception, operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """A call of ``forward`` failed: run it where it was only made inside another's forward (by a signal handler, by a row
    that uses Tensors); else raise what it says."""
    if loud(error):
        with np.errstate(all="ignore"):
            return op.forward(*(x._array for x in operands), **params)
    if isinstance(error, RuntimeError):
        raise error
    raise explain(op, error, operands, params) from None


def explain(op: Op, error: Exception, operands: tuple[Any, ...], params: dict[str, Any]) -> Exception:
    """numpy's complaint as ours: the operation, the operands' types, the way out."""
    kind: type[Exception] = ShapeError
    if isinstance(error, IndexError):
        kind = IndexOutOfRange
    elif isinstance(error, TypeError | OverflowError) or (op.kind == "elementwise" and "broadcast" not in str(error)):
        kind = DtypeError
    called = describe([x._array for x in operands]) + (f"; {show_params(params)}" if params else "")
    way_out = (
        "Cast an operand: .to(dtype), .float(), .long()." if kind is DtypeError else _WAY_OUT.get(op.name, _WAY_OUT[op.kind])
    )
    return kind(f"{op.name}({called}): {str(error).strip(' .')}. {way_out}")


_WAY_OUT = {
    "elementwise": "Shapes broadcast from the right: axes must be equal or 1; reshape, unsqueeze or expand one of them.",
    "reduce": "Check the dim, and that the axis is not empty.",
    "view": "Check the sizes against the shape of the Tensor.",
    "move": "All parts need the same number of axes, equal but for the one they are joined along.",
    "index": "Indices must be integers inside the axis that they select from.",
    "matmul": "The last axis of the left factor must equal the last but one of the right; transpose one with .mT, or reshape.",
    "random": "Shapes hold non-negative integers.",
    "state": "The value must broadcast to the shape of what is written.",
}
