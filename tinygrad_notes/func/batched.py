"""A Tensor inside ``vmap``: it looks like one example and holds them all, stacked along an axis in front.

Every row that it meets runs once on the stacked values (``batching``), so what happens inside is recorded and
differentiated like anything else. Whatever reads values, and so could decide by one example what holds for all, raises.
Levels nest: the value of an inner level may be batched at an outer one.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from ..errors import BatchingError, typename
from ..inplace import write
from ..literal import Literal
from ..modes import local
from ..optable import Op, p
from ..tape import Node
from ..tensor import Tensor
from .batching import moved, run, stretched

__all__ = ["BatchedTensor", "Level", "batched", "lowered", "raised", "stacked"]


class Level:
    """One ``vmap`` while it runs.

    depth       0 for the outermost
    size        the number of examples
    randomness  "error", "same" or "different"
    """

    __slots__ = ("alive", "depth", "randomness", "size")

    def __init__(self, size: int, randomness: str) -> None:
        self.depth, self.size, self.randomness, self.alive = len(local.mode.levels), size, randomness, True

    def __enter__(self) -> Level:
        local.mode.levels = (*local.mode.levels, self)
        return self

    def __exit__(self, *_error: object) -> None:
        local.mode.levels = local.mode.levels[: self.depth]
        self.alive = False

    def draw(self, generator: Any, shape: tuple[int, ...], width: int) -> Tensor:
        """Random bits for every example: the same ones, or a draw of its own for each."""
        if self.randomness == "error":
            raise BatchingError(
                'vmap: a random operation is ambiguous here; say randomness="same" (one draw for all examples) or '
                'randomness="different" (one each), or draw outside'
            )
        mode = local.mode
        levels, mode.levels = mode.levels, mode.levels[: self.depth]
        try:
            if self.randomness == "same":
                bits: Tensor = generator.bits(shape, width)
                return bits
            return batched(generator.bits((self.size, *shape), width), self)
        finally:
            mode.levels = levels


class _Unreadable:
    """Stands where the array of one example would be: its type is known, its values are many."""

    __slots__ = ("dtype", "shape")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.shape, self.dtype = shape, dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    def __getattr__(self, name: str) -> NoReturn:
        raise BatchingError(
            f"vmap: the values of Tensor {typename(self.shape, self.dtype)} are read here ({name}), but there is one for each "
            "example. Use operations on Tensors (tn.where instead of `if`), or do it outside of vmap."
        )


def _refusing(name: str) -> Any:
    def refuse(self: _Unreadable, *_: Any, **__: Any) -> NoReturn:
        self.__getattr__(name)

    return refuse


for _name in (
    "array", "array_ufunc", "array_function", "bool", "int", "float", "index", "len", "iter", "getitem", "setitem", "contains",
    "eq", "ne", "lt", "le", "gt", "ge", "add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow", "rpow", "neg",
    "abs", "matmul", "rmatmul", "copy", "deepcopy", "reduce",
):  # fmt: skip
    setattr(_Unreadable, f"__{_name}__", _refusing(f"__{_name}__"))


class BatchedTensor(Tensor):
    """What a function under ``vmap`` sees: shape and dtype of one example, the values of all. Made by ``batched``."""

    __slots__ = ("_level", "_value")
    _plain = False
    _value: Tensor
    _level: Level

    def _bind(self, op: Op, operands: tuple[Any, ...], params: dict[str, Any]) -> Tensor:
        """Run a row for all examples of this level, the innermost among the operands."""
        level = self._level
        if not level.alive:
            raise BatchingError(f"vmap: {self._type()} belongs to a vmap that has ended; return values instead of keeping them")
        here = [isinstance(x, BatchedTensor) and x._level is level for x in operands]
        values = [x._value if at else x._array if isinstance(x, Literal) else x for x, at in zip(operands, here, strict=True)]
        return batched(run(op, values, here, params, level.size), level)

    def _write(self, target: Tensor, source: Tensor, by: str) -> None:
        """Write into the memory of ``target``, for all examples of this level, the innermost of the two."""
        level = self._level
        if not (isinstance(target, BatchedTensor) and target._level is level):
            raise BatchingError(
                f"{by}: {target._type()} is one for all examples of vmap, the value {source._type()} one for each; write "
                f"to a copy for each example instead, or pass the target through vmap with in_dims=0"
            )
        value = source
        if isinstance(source, BatchedTensor) and source._level is level:
            value = stretched(source._value, target.ndim)
        write(target._value, value, by)

    def _current_node(self) -> Node | None:
        return self._value._current_node()

    def _all_values(self) -> np.ndarray[tuple[int, ...], np.dtype[Any]]:
        return self._value._all_values()

    def numpy(self) -> NoReturn:
        """Refused: there is an array for each example."""
        _Unreadable(self.shape, self.dtype).__getattr__("numpy")

    def requires_grad_(self, requires_grad: bool = True) -> NoReturn:
        """Refused, as in PyTorch: use ``tn.func.grad`` inside ``vmap``."""
        self._no_gradients("requires_grad_")

    def register_hook(self, hook: Any) -> NoReturn:
        """Refused: a gradient reaches all examples at once."""
        self._no_gradients("register_hook")

    def retain_grad(self) -> NoReturn:
        """Refused: use ``tn.func.grad`` inside ``vmap``."""
        self._no_gradients("retain_grad")

    def _no_gradients(self, name: str) -> NoReturn:
        raise BatchingError(
            f"{name}: {self._type()} is inside a vmap; use tn.func.grad, vjp or jvp there, or ask for gradients outside"
        )

    def __repr__(self) -> str:
        return f"BatchedTensor({typename(self.shape, self.dtype)}, {self._level.size} examples)"


def batched(value: Tensor, level: Level) -> BatchedTensor:
    """``value``, ``(examples, ...)``, as a Tensor of shape ``(...)`` at this level."""
    out = object.__new__(BatchedTensor)
    out._value, out._level = value, level
    out._array = _Unreadable(value.shape[1:], value.dtype)  # type: ignore[assignment]
    out._grad = out._node = out._view = None
    return out


def stacked(x: Tensor, level: Level) -> Tensor:
    """The values of all examples at ``level``, ``(examples, ...)``; one that is the same for all is repeated."""
    if isinstance(x, BatchedTensor) and x._level is level:
        return x._value
    out: Tensor = p.broadcast(x, shape=(level.size, *x.shape))
    return out


def lowered(x: Tensor, levels: tuple[Level, ...]) -> Tensor:
    """``x`` with the axes of ``levels`` in front, the outermost first: what a gradient is computed on.

    A level inside of these (the cotangents of ``jacrev``) stays.
    """
    if not levels:
        return x
    if isinstance(x, BatchedTensor) and x._level.depth > levels[-1].depth:
        value = lowered(x._value, levels)
        return batched(moved(value, len(levels), 0), x._level)
    return lowered(stacked(x, levels[-1]), levels[:-1])


def raised(x: Tensor, levels: tuple[Level, ...]) -> Tensor:
    """The inverse of ``lowered``."""
    if not levels:
        return x
    if isinstance(x, BatchedTensor) and x._level.depth > levels[-1].depth:
        return batched(raised(moved(x._value, 0, len(levels)), levels), x._level)
    for level in levels:
        x = batched(x, level)
    return x
