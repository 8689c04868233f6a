"""Anomaly mode: every operation is looked at, and the first NaN or inf raises, naming the user's line that made it.

What is looked at, and what is blamed:

* Forward: an operation that makes a NaN of arguments without one, or an inf of finite arguments. An inf that an argument
  brings along (a mask of ``-inf`` in ``masked_fill`` or ``x + mask``) and a NaN that was in the data are passed on. A row of
  which all is masked is a fault: its ``softmax`` takes inf from inf.
* Backward: the same for every VJP rule, judged by its cotangent and by what it kept from forward; the message names the line
  of the forward operation. A NaN gradient raises even where the NaN comes from the data: the message then says so.

Off, it costs nothing: no code asks whether it is on. Switching it on exchanges what the engine looks up by name, in the
whole process as in PyTorch: ``forward``, ``large`` and ``Node`` of every generated function, and backward's table of cotangents.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dispatch, engine, inplace
from .errors import AnomalyError, describe, typename
from .modes import Mode, ModeSwitch, local
from .optable import Op, residuals
from .tape import FREED, Node, is_ours, readable, user_line
from .tensor import Tensor

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["detect_anomaly", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "set_detect_anomaly"]

Array = np.ndarray[Any, Any]


class _State:
    enabled = False
    check_nan = True


_state = _State()


class detect_anomaly(ModeSwitch):
    """Inside, the first NaN or inf raises AnomalyError with the line, shapes and statistics of what made it.

    check_nan: False only keeps the user's line in every node, for the other errors of backward. Slow; for finding a fault.
    Context manager and decorator; of the whole process.
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__()
        self._wanted = True, bool(check_nan)

    def _set(self, mode: Mode) -> tuple[bool, bool]:
        before = _state.enabled, _state.check_nan
        _switch(*self._wanted)
        return before

    def _reset(self, mode: Mode, before: tuple[bool, bool]) -> None:
        _switch(*before)


class set_detect_anomaly(detect_anomaly):
    """Switch anomaly mode on or off at once; as a context manager, until its end. See ``detect_anomaly``."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        super().__init__(check_nan)
        self._wanted = bool(mode), bool(check_nan)
        self._first = super()._set(local.mode)

    def _set(self, mode: Mode) -> tuple[bool, bool]:
        _switch(*self._wanted)
        return self._first


def is_anomaly_enabled() -> bool:
    """Whether anomaly mode is on."""
    return _state.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly mode, when on, looks for NaN and inf."""
    return _state.check_nan


def _switch(enabled: bool, check_nan: bool) -> None:
    _state.enabled, _state.check_nan = enabled, check_nan
    checks = enabled and check_nan
    dispatch.watch = _watch if enabled else None
    engine.new_table = _Cotangents if checks else dict
    inplace.direct = () if checks else np.ufunc
    for names in dispatch.generated:
        _watch(names)


def _watch(names: dict[str, Any]) -> None:
    """Exchange what one generated function looks up."""
    op = names["OP"]
    names["Node"] = _LinedNode if _state.enabled else Node
    checked = _state.enabled and _state.check_nan
    names["forward"] = _checked(op) if checked else op.forward
    names["large"] = names["forward"] if checked else names["kernel"]


class _LinedNode(Node):
    """A node that knows the user's line from the start."""

    __slots__ = ("_line",)

    def __init__(self) -> None:
        self._line = user_line()

    @property
    def line(self) -> str:
        return self._line

    @line.setter
    def line(self, value: str | None) -> None:
        """A generated function sets None, a Tape the same line again."""


# ---- forward ----


def _checked(op: Op) -> Callable[..., Any]:
    """The forward of a row, its result looked at."""

    def forward(*arrays: Any, **params: Any) -> Any:
        out = op.forward(*arrays, **params)
        if not _finite(out) and not local.mode.scope.in_backward:  # of a rule only the result counts, see _Cotangents
            given = [*arrays, *(value for value in params.values() if isinstance(value, float))]
            born = not any(_has_nan(a) for a in given) if np.isnan(out).any() else all(_finite(a) for a in given)
            if born:
                raise AnomalyError(_of_forward(op, arrays, np.asarray(out)))
        return out

    return forward


def _finite(value: Any) -> bool:
    array = np.asarray(value)
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


def _has_nan(value: Any) -> bool:
    array = np.asarray(value)
    return array.dtype.kind == "f" and bool(np.isnan(array).any())


def _of_forward(op: Op, arrays: tuple[Any, ...], out: Array) -> str:
    scope = local.mode.scope.path
    return (
        f"{op.name}({describe(arrays)}){_inside(op)} at {readable(user_line())}{f' in {scope}' if scope else ''} made {_faults(out)} of "
        f"{out.size} values; {_given(op, dict(enumerate(arrays)))}"
    )


def _given(op: Op, arrays: dict[int, Any]) -> str:
    names = {i: f"part {i}" if op.variadic else op.args[i] for i in arrays}
    return "; ".join(_statistics(names[i], value) for i, value in arrays.items())


def _faults(array: Array) -> str:
    counts = {"NaN": np.isnan(array).sum(), "inf": (array == np.inf).sum(), "-inf": (array == -np.inf).sum()}
    return " and ".join(f"{n} {name}" for name, n in counts.items() if n)


def _statistics(name: str, value: Any) -> str:
    """``x has 3 zeros, 1 negative, min -0.2, max 1.5``."""
    array = np.asarray(value)
    if array.ndim == 0:
        return f"{name} is {array.item():.6g}"
    if array.dtype.kind != "f" or not array.size:
        return f"{name} is {typename(array.shape, array.dtype)}"
    finite = array[np.isfinite(array)]
    notes = [_faults(array)] if finite.size < array.size else []
    for n, one, many in ((int((array == 0).sum()), "zero", "zeros"), (int((array < 0).sum()), "negative", "negatives")):
        notes += [f"{n} {one if n == 1 else many}"] if n else []
    span = f"min {finite.min():.6g}, max {finite.max():.6g}" if finite.size else "no finite value"
    return f"{name} has {', '.join([*notes, span])}"


def _inside(op: Op) -> str:
    """`` inside std``: the function of ours that the user's line called, where it is not the operation itself."""
    frame: FrameType | None = sys._getframe(2)
    called = ""
    while frame is not None and is_ours(frame):
        code = frame.f_code
        if (
            Path(code.co_filename).parent.name in _ROOMS
            and not code.co_name.startswith("_")
            and "<locals>" not in code.co_qualname
        ):
            called = code.co_qualname
        frame = frame.f_back
    return f" inside {called}" if called not in ("", op.name) else ""


_ROOMS = ("functions", "nn", "optim")


# ---- backward ----


class _Cotangents(dict[Node, Any]):
    """Backward's table, looking at every cotangent that comes in. ``pop`` tells whose rules run next."""

    def __init__(self) -> None:
        super().__init__()
        self._node: Node | None = None
        self._g: Any = None
        self._saved: tuple[Any, ...] = ()

    def pop(self, node: Node) -> Any:  # type: ignore[override]
        self._g = super().pop(node)
        self._node = node
        self._saved = () if node.saved is None or node.saved is FREED else node.saved
        return self._g

    def __setitem__(self, target: Node, value: Any) -> None:
        array = np.asarray(value._array if isinstance(value, Tensor) else value)
        if not _finite(array):
            self._judge(target, array)
        super().__setitem__(target, value)

    def _judge(self, target: Node, array: Array) -> None:
        node, nan = self._node, _has_nan(array)
        if node is None:
            if nan:
                raise AnomalyError(f"backward: the cotangent {typename(array.shape, array.dtype)} given holds {_faults(array)}")
            return
        g = self._g._array if isinstance(self._g, Tensor) else self._g
        if not nan and not all(_finite(value) for value in (g, *self._saved)):
            return  # an inf that was there before
        names = residuals(node.op, len(node.inputs))
        kept = [(name, value) for name, value in zip(names, self._saved, strict=False) if value is not None]
        culprits = [name for name, value in kept if _has_nan(value)]
        scope = f" in {node.scope.path}" if node.scope.path else ""
        hooked = node.taps is not None and node.taps.hooks
        raise AnomalyError(
            f"backward of {node.op.name}({describe(_operand(n) for n in node.inputs)}) at {readable(node.line)}{scope}: "
            f"the gradient of its {_argument(node, target)} {typename(target.shape, target.dtype)} has {_faults(array)} of "
            f"{array.size} values; {'; '.join(_statistics(name, value) for name, value in [('the cotangent', g), *kept])}"
            f"{''.join(_origin(node, name) for name in culprits)}{'. A hook changed this cotangent' if hooked else ''}"
        )


def _operand(node: Node) -> Any:
    return node.params["value"] if node.op.kind == "literal" else node


def _argument(node: Node, target: Node) -> str:
    position = next((i for i, source in enumerate(node.inputs) if source is target), 0)
    return f"part {position}" if node.op.variadic else f"argument {node.op.args[position]}"


def _origin(node: Node, name: str) -> str:
    """Where a NaN came from that forward passed on."""
    source = node if name == "out" else node.inputs[node.op.args.index(name)]
    if source.op.kind == "leaf":
        return f". The NaN was in the data: {name} is no result of an operation"
    return f". The NaN was in forward already: {name} came out of {source.op.name} at {readable(source.line)}"
