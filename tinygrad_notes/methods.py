"""The one place where Tensor gets its operators and methods: each is a function from the layers above it, under its name.

``python -m tinygrad_notes.methods`` writes ``_methods.pyi``, which shows them to editors and type checkers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from . import autograd
from .dtypes import canonical_dtype, float32, float64, int64
from .functions import index, math, shape
from .inplace import update, write
from .optable import TABLE
from .tensor import Tensor

__all__ = ["attach", "stub"]


def _reflected(name: str) -> Callable[[Tensor, Any], Tensor]:
    function = getattr(math, name)

    def reflected(self: Tensor, other: Any) -> Tensor:
        result: Tensor = function(other, self)
        return result

    return reflected


def _inplace(name: str) -> Callable[[Tensor, Any], Tensor]:
    def inplace(self: Tensor, other: Any) -> Tensor:
        return update(self, name, other)

    inplace.__doc__ = f"``self = {name}(self, other)``, written in place."
    return inplace


def _inplace_unary(name: str) -> Callable[[Tensor], Tensor]:
    def inplace(self: Tensor) -> Tensor:
        return update(self, name)

    inplace.__doc__ = f"``self = {name}(self)``, written in place."
    return inplace


def add_(self: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """``self = self + alpha * other``, written in place."""
    return update(self, "add", other if alpha == 1 else other * alpha)


def sub_(self: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """``self = self - alpha * other``, written in place."""
    return update(self, "sub", other if alpha == 1 else other * alpha)


def copy_(self: Tensor, src: Any) -> Tensor:
    """Write ``src``, broadcast and cast to fit, into this memory."""
    return write(self, src, "copy_")


def zero_(self: Tensor) -> Tensor:
    """Write 0 everywhere."""
    return write(self, 0, "zero_")


def fill_(self: Tensor, value: float) -> Tensor:
    """Write one value everywhere."""
    return write(self, value, "fill_")


def float_(self: Tensor) -> Tensor:
    """As float32."""
    return shape.to(self, float32)


def double(self: Tensor) -> Tensor:
    """As float64."""
    return shape.to(self, float64)


def long(self: Tensor) -> Tensor:
    """As int64."""
    return shape.to(self, int64)


def bool_(self: Tensor) -> Tensor:
    """As bool: whether each value is not 0."""
    return math.ne(self, 0)


def type_as(self: Tensor, other: Tensor) -> Tensor:
    """In the dtype of ``other``."""
    return shape.to(self, other.dtype)


def _data(self: Tensor) -> Tensor:
    return shape.detach(self)


def _set_data(self: Tensor, value: Tensor) -> None:
    from .tape import no_grad

    with no_grad():
        write(self, value, ".data =")


def _array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """``ndarray * Tensor`` and ``np.exp(tensor)`` record; a ufunc without a primitive raises, it never detaches."""
    row = _UFUNCS.get(ufunc)
    if row is None or method != "__call__" or kwargs:
        how = f"np.{ufunc.__name__}" + (f".{method}" if method != "__call__" else "") + (f" with {', '.join(kwargs)}" if kwargs else "")
        raise TypeError(f"{how} does not record gradients of a Tensor; use the method of this name, or t.detach().numpy()")
    return getattr(math, row)(*inputs)


_UFUNCS: dict[Any, str] = {op.forward: name for name, op in TABLE.items() if isinstance(op.forward, np.ufunc)}

_OPERATORS = {
    "add": "__add__", "sub": "__sub__", "mul": "__mul__", "div": "__truediv__", "pow": "__pow__", "neg": "__neg__",
    "abs": "__abs__", "matmul": "__matmul__", "eq": "__eq__", "ne": "__ne__", "lt": "__lt__", "le": "__le__", "gt": "__gt__",
    "ge": "__ge__",
}  # fmt: skip
_METHODS = {
    math: "abs add all amax amin any argmax argmin cos div eq exp floor ge gt le log logsigmoid lt matmul max mean min mul ne neg "
    "pow sigmoid sin sqrt sub sum tanh",
    shape: "broadcast_to chunk clone contiguous detach expand expand_as flatten permute reshape split squeeze swapaxes to "
    "transpose unbind unsqueeze view",
    index: "gather index_select masked_fill scatter_add",
}


def _where(self: Tensor, condition: Tensor, other: Any) -> Tensor:
    """``self`` where ``condition`` holds, else ``other``."""
    return math.where(condition, self, other)


def members() -> dict[str, Any]:
    """Every operator, method and property that is attached, by its name on Tensor."""
    found: dict[str, Any] = {}
    for room, names in _METHODS.items():
        found.update((name, getattr(room, name)) for name in names.split())
    for name, operator in _OPERATORS.items():
        found[operator] = getattr(math, name)
    for name in ("add", "sub", "mul", "div", "pow", "matmul"):
        found[_OPERATORS[name].replace("__", "__r", 1)] = _reflected(name)
    for name in ("add", "sub", "mul", "div", "pow"):
        found[_OPERATORS[name].replace("__", "__i", 1)] = _inplace(name)
    for name in ("mul", "div", "pow"):
        found[name + "_"] = _inplace(name)
    for name in ("neg", "abs", "exp", "log", "sqrt", "tanh", "sigmoid", "floor"):
        found[name + "_"] = _inplace_unary(name)
    for function in (add_, sub_, copy_, zero_, fill_, double, long, type_as):
        found[function.__name__] = function
    found |= {"float": float_, "bool": bool_, "where": _where, "__getitem__": index.getitem, "__setitem__": index.setitem}
    found |= {"backward": autograd.backward_method, "__array_ufunc__": _array_ufunc}
    found |= {"T": property(shape.transposed), "mT": property(shape.mT), "data": property(_data, _set_data)}
    return found


def attach() -> None:
    """Give Tensor its operators and methods."""
    for name, member in members().items():
        setattr(Tensor, name, member)


# ---- the stub ----

_HEADER = '''"""Generated by `python -m tinygrad_notes.methods`: the operators and methods that `methods.py` attaches to Tensor."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .tensor import Tensor

Dim = int | tuple[int, ...] | list[int] | None

class TensorMethods:
'''


def stub() -> str:
    """The text of ``_methods.pyi``."""
    lines = []
    for name, member in sorted(members().items()):
        if isinstance(member, property):
            lines += ["    @property", f"    def {name}(self) -> Tensor: ..."]
            if member.fset is not None:
                lines += [f"    @{name}.setter", f"    def {name}(self, value: Tensor) -> None: ..."]
            continue
        signature = inspect.signature(member)
        parts, starred = ["self"], False
        for parameter in list(signature.parameters.values())[1:]:
            if parameter.kind is parameter.KEYWORD_ONLY and not starred:
                parts.append("*")
                starred = True
            note = parameter.annotation
            text = "Any" if note is inspect.Parameter.empty else note if isinstance(note, str) else note.__name__
            star = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
            starred = starred or star == "*"
            default = "" if parameter.default is inspect.Parameter.empty else f" = {parameter.default!r}"
            parts.append(f"{star}{parameter.name}: {text}{default}")
        returns = signature.return_annotation
        text = "Tensor" if returns is inspect.Signature.empty else returns
        ignore = "  # type: ignore[override]" if name in ("__eq__", "__ne__") else ""
        lines.append(f"    def {name}({', '.join(parts)}) -> {text}: ...{ignore}")
    return _HEADER + "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("_methods.pyi").write_text(stub(), encoding="utf-8")
