"""Gradients against central differences: ``(f(x + h) - f(x - h)) / 2h``, the whole Jacobian, in float64.

The oracle of every test of this project, and for any function of the user's. It never skips: a gradient that is missing, of
another dtype or from a detached rule is a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .dtypes import float64
from .engine import run_backward
from .errors import DtypeError, GraphError
from .modes import enable_grad, no_grad
from .optable import p
from .tensor import Tensor, from_array

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]

Array = np.ndarray[Any, Any]
_WORST = 5


class GradcheckError(RuntimeError):
    """A gradient that disagrees with central differences; the message lists the worst entries."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Whether the Jacobian of ``func`` at ``inputs`` agrees with central differences within ``atol + rtol |numerical|``.

    func    Tensors in, a Tensor or several out; called often, must be deterministic
    inputs  what it is called with; the float64 Tensors that require grad are checked
    Raises GradcheckError with the worst entries (or returns False), DtypeError for inputs that are not float64.
    """
    arguments = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    checked = [i for i, x in enumerate(arguments) if isinstance(x, Tensor) and x.requires_grad]
    if not checked:
        raise GraphError("gradcheck: no input requires grad; there is nothing to check")
    for i in checked:
        if arguments[i].dtype != float64:
            raise DtypeError(f"gradcheck: input {i} is {arguments[i]._type()}; central differences need float64, use .double()")
    with enable_grad():
        outputs = [o for o in _call(func, arguments) if o.dtype.kind == "f"]
        if not any(o.requires_grad for o in outputs):
            return _fail("gradcheck: no output requires grad: the function detaches its inputs", raise_exception)
        exact = [_jacobian(func, arguments, checked, k) for k in range(len(outputs))]
    report = _nonlinear(func, arguments, exact)
    for i in checked:
        numeric = _differences(func, arguments, i, eps)
        for k in range(len(outputs)):
            report += _compare(exact[k][i], numeric[k], i, k, arguments[i].shape, outputs[k].shape, atol, rtol)
    return _fail("\n".join(report), raise_exception) if report else True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Whether second derivatives agree: ``gradcheck`` of the VJP as a function of (inputs, cotangents).

    grad_outputs: the cotangents at which to check; default: fixed pseudo-random ones.
    """
    arguments = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    checked = [i for i, x in enumerate(arguments) if isinstance(x, Tensor) and x.requires_grad]
    flowing = [k for k, o in enumerate(_call(func, arguments)) if o.requires_grad]
    if not flowing:
        return _fail("gradgradcheck: no output requires grad: the function detaches its inputs", raise_exception)
    outputs = _call(func, arguments)
    if grad_outputs is None:
        rng = np.random.default_rng(0)
        seeds = [from_array(rng.uniform(-1, 1, outputs[k].shape)) for k in flowing]
    else:
        seeds = [g.detach().clone() for g in ([grad_outputs] if isinstance(grad_outputs, Tensor) else grad_outputs)]
    for seed in seeds:
        seed.requires_grad_()

    def vjp(*values: Any) -> tuple[Tensor, ...]:
        primals, cotangents = list(values[: len(arguments)]), values[len(arguments) :]
        results = _call(func, primals)
        roots = [(results[k]._current_node(), g) for k, g in zip(flowing, cotangents, strict=True)]
        targets = [primals[i]._current_node() for i in checked]
        found = run_backward(roots, retain=True, targets=targets, wrap=from_array, grad_mode=True).captured  # type: ignore[arg-type]
        zero = [p.mul(primals[i], 0.0) for i in checked]
        return tuple(found.get(node, z) for node, z in zip(targets, zero, strict=True))

    return gradcheck(vjp, [*arguments, *seeds], eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception)


# ---- the two Jacobians ----


def _call(func: Callable[..., Any], arguments: Sequence[Any]) -> list[Tensor]:
    result = func(*arguments)
    outputs = list(result) if isinstance(result, tuple | list) else [result]
    for output in outputs:
        if not isinstance(output, Tensor):
            raise TypeError(f"gradcheck: the function returned a {type(output).__name__}; it must return Tensors")
    return outputs


def _jacobian(func: Callable[..., Any], arguments: Sequence[Any], checked: Sequence[int], k: int) -> dict[int, Array]:
    """Row by row, by the engine: d output[k] / d input, ``(output elements, input elements)``."""
    output = [o for o in _call(func, arguments) if o.dtype.kind == "f"][k]
    rows = {i: np.zeros((output.numel(), arguments[i].numel())) for i in checked}
    node = output._current_node()
    if node is None or not node.rg:
        return rows
    targets = {i: arguments[i]._current_node() for i in checked}
    for j in range(output.numel()):
        one = np.zeros(output.shape, output.dtype)
        one.reshape(-1)[j] = 1
        found = run_backward([(node, one)], retain=True, targets=targets.values()).captured
        for i, target in targets.items():
            if target in found:
                g = np.asarray(found[target])
                if g.shape != arguments[i].shape or g.dtype != arguments[i].dtype:
                    raise GradcheckError(
                        f"gradcheck: the gradient of input {i} is {g.dtype}{g.shape}, not {arguments[i]._type()}"
                    )
                rows[i][j] = g.reshape(-1)
    return rows


def _nonlinear(func: Callable[..., Any], arguments: Sequence[Any], exact: Sequence[dict[int, Array]]) -> list[str]:
    """The Jacobian was read off with cotangents of one element each; a full one must give their weighted sum."""
    report = []
    for k, output in enumerate(o for o in _call(func, arguments) if o.dtype.kind == "f"):
        node = output._current_node()
        if node is None or not node.rg:
            continue
        g = np.linspace(0.5, 1.5, output.numel()).reshape(output.shape).astype(output.dtype)
        targets = {i: arguments[i]._current_node() for i in exact[k]}
        found = run_backward([(node, g)], retain=True, targets=targets.values()).captured
        for i, target in targets.items():
            expected = g.reshape(-1) @ exact[k][i]
            got = np.asarray(found[target]).reshape(-1) if target in found else np.zeros(expected.shape)
            if not np.allclose(got, expected, rtol=1e-5, atol=1e-8, equal_nan=True):
                report.append(f"gradcheck: the gradient of input {i} is not linear in the cotangent of output {k}")
    return report


def _differences(func: Callable[..., Any], arguments: Sequence[Any], i: int, eps: float) -> list[Array]:
    """Column by column, by moving one element: the same Jacobians."""
    columns: list[list[Array]] = []
    base = arguments[i]._array
    for j in range(base.size):
        sides = []
        for step in (eps, -eps):
            moved = base.copy()
            moved.reshape(-1)[j] += step
            with no_grad():
                shifted = [*arguments[:i], from_array(moved), *arguments[i + 1 :]]
            shifted[i].requires_grad_()
            sides.append([o._array.reshape(-1).copy() for o in _call(func, shifted) if o.dtype.kind == "f"])
        columns.append([(high - low) / (2 * eps) for high, low in zip(*sides, strict=True)])
    count = len([o for o in _call(func, arguments) if o.dtype.kind == "f"])
    sizes = [o.numel() for o in _call(func, arguments) if o.dtype.kind == "f"]
    return [np.stack([c[k] for c in columns], 1) if columns else np.zeros((sizes[k], 0)) for k in range(count)]


# ---- the report ----


def _compare(
    exact: Array, numeric: Array, i: int, k: int, x_shape: tuple[int, ...], y_shape: tuple[int, ...], atol: float, rtol: float
) -> list[str]:
    error = np.abs(exact - numeric)
    bad = ~(error <= atol + rtol * np.abs(numeric))
    if not bad.any():
        return []
    order = np.argsort(-np.where(bad, np.nan_to_num(error, nan=np.inf), -1), axis=None)[: min(_WORST, int(bad.sum()))]
    lines = [f"gradcheck: d output {k} / d input {i}: {int(bad.sum())} of {bad.size} entries are wrong; the worst:"]
    lines.append(f"  {'output[..]':>14} {'input[..]':>14} {'gradient':>14} {'differences':>14} {'error':>10}")
    for flat in order:
        row, column = divmod(int(flat), exact.shape[1])
        at_y, at_x = ([int(n) for n in np.unravel_index(n, s)] for n, s in ((row, y_shape), (column, x_shape)))
        lines.append(
            f"  {at_y!s:>14} {at_x!s:>14} {exact[row, column]:>14.6g} {numeric[row, column]:>14.6g} {error[row, column]:>10.2g}"
        )
    return lines


def _fail(message: str, raise_exception: bool) -> bool:
    if raise_exception:
        raise GradcheckError(message)
    return False
