"""Tensors among other libraries: numpy's protocols and DLPack. What they compute is recorded, or they raise; nothing detaches.

``np.exp(t)`` and ``array * t`` (NEP 13), ``np.concatenate([t, u])`` (NEP 18) run the function of ours that means the same, with
PyTorch's dtypes. Turning a Tensor into an array (``np.asarray(t)``, DLPack) raises where a gradient or a Tape would lose sight
of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .dtypes import canonical_dtype
from .errors import DtypeError, GraphError
from .functions.creation import as_tensor, empty_like, full_like, ones_like, zeros_like
from .functions.einsum import einsum
from .functions.linalg import tensordot
from .functions.moments import vector_norm
from .functions.moving import cat, hstack, stack, vstack
from .functions.pointwise import where
from .modes import local
from .tensor import Tensor, from_array

__all__ = ["FUNCTIONS", "from_dlpack", "methods"]

Array = np.ndarray[Any, Any]
T: Any = Tensor  # with the methods that are attached to it

# ---- ufuncs (NEP 13) ----

_RENAMED = {
    "absolute": "abs", "fabs": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh",
    "arctan": "atan", "arctan2": "atan2", "arctanh": "atanh", "degrees": "rad2deg", "radians": "deg2rad", "divide": "div",
    "equal": "eq", "greater": "gt", "greater_equal": "ge", "invert": "bitwise_not", "left_shift": "bitwise_left_shift",
    "less": "lt", "less_equal": "le", "multiply": "mul", "negative": "neg", "not_equal": "ne", "power": "pow",
    "right_shift": "bitwise_right_shift", "rint": "round", "subtract": "sub",
}  # fmt: skip
"""numpy's names of ufuncs where ours differ; any other ufunc of numpy is the method of its name, if there is one."""


def _array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """``ndarray * Tensor`` and ``np.exp(tensor)`` record; what has no counterpart of ours raises, it never detaches."""
    name = ufunc.__name__
    function = getattr(Tensor, _RENAMED.get(name, name), None) if ufunc is getattr(np, name, None) else None
    if function is None or method != "__call__" or kwargs:
        how = f"np.{name}" + (f".{method}" if method != "__call__" else "") + (f" with {', '.join(kwargs)}" if kwargs else "")
        way = (
            "an array cannot take a result with its gradient: write x = x + t instead of x += t"
            if "out" in kwargs
            else "use the method of this name, or t.detach().numpy()"
        )
        raise TypeError(f"{how} does not record gradients of a Tensor; {way}")
    return function(*(_operand(x) for x in inputs))


def _operand(x: Any) -> Any:
    return as_tensor(x) if isinstance(x, np.ndarray) else x


# ---- functions (NEP 18) ----


def _parts(arrays: Iterable[Any]) -> list[Tensor]:
    return [as_tensor(x) for x in arrays]


def _flat(a: Tensor, axis: Any) -> tuple[Tensor, int]:
    """numpy's ``axis=None``: of all elements in a row."""
    return (T.reshape(a, -1), 0) if axis is None else (a, axis)


def _concatenate(arrays: Sequence[Any], axis: int | None = 0) -> Tensor:
    parts = _parts(arrays)
    return cat([T.reshape(x, -1) for x in parts]) if axis is None else cat(parts, axis)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    a, b = as_tensor(a), as_tensor(b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return a @ b if b.ndim <= 2 else tensordot(a, b, ([-1], [-2]))


def _shaped_like(function: Callable[..., Array], a: Tensor, *args: Any) -> Tensor:
    """``a`` in the shape that numpy's own function gives, which also checks the arguments."""
    result: Tensor = T.reshape(a, function(np.broadcast_to(0, a.shape), *args).shape)
    return result


def _take(a: Tensor, indices: Any, axis: int | None = None) -> Tensor:
    a, axis = _flat(a, axis)
    return a[(*(slice(None),) * (axis % max(a.ndim, 1)), indices)]


FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    # reductions
    np.all: lambda a, axis=None, *, keepdims=False: T.all(a, axis, keepdims),
    np.any: lambda a, axis=None, *, keepdims=False: T.any(a, axis, keepdims),
    np.argmax: lambda a, axis=None, *, keepdims=False: T.argmax(a, axis, keepdims),
    np.argmin: lambda a, axis=None, *, keepdims=False: T.argmin(a, axis, keepdims),
    np.count_nonzero: lambda a, axis=None: T.count_nonzero(a, axis),
    np.cumprod: lambda a, axis=None: T.cumprod(*_flat(a, axis)),
    np.cumsum: lambda a, axis=None: T.cumsum(*_flat(a, axis)),
    np.max: lambda a, axis=None, *, keepdims=False: T.amax(a, axis, keepdims),
    np.mean: lambda a, axis=None, *, keepdims=False: T.mean(a, axis, keepdims),
    np.min: lambda a, axis=None, *, keepdims=False: T.amin(a, axis, keepdims),
    np.prod: lambda a, axis=None: T.prod(a) if axis is None else T.prod(a, axis),
    np.std: lambda a, axis=None, *, ddof=0, keepdims=False: T.std(a, axis, correction=ddof, keepdim=keepdims),
    np.sum: lambda a, axis=None, *, keepdims=False: T.sum(a, axis, keepdims),
    np.var: lambda a, axis=None, *, ddof=0, keepdims=False: T.var(a, axis, correction=ddof, keepdim=keepdims),
    # shapes
    np.broadcast_to: lambda array, shape: T.broadcast_to(array, shape if isinstance(shape, tuple | list) else (shape,)),
    np.concatenate: _concatenate,
    np.diagonal: lambda a, offset=0, axis1=0, axis2=1: T.diagonal(a, offset, axis1, axis2),
    np.expand_dims: lambda a, axis: _shaped_like(np.expand_dims, a, axis),
    np.flip: lambda m, axis=None: T.flip(m, tuple(range(m.ndim)) if axis is None else axis),
    np.moveaxis: lambda a, source, destination: T.movedim(a, source, destination),
    np.hstack: lambda tup: hstack(_parts(tup)),
    np.ravel: lambda a: T.reshape(a, -1),
    np.repeat: lambda a, repeats, axis=None: T.repeat_interleave(a, repeats, axis),
    np.reshape: lambda a, shape: T.reshape(a, shape),
    np.roll: lambda a, shift, axis=None: T.roll(a, shift, axis),
    np.squeeze: lambda a, axis=None: _shaped_like(np.squeeze, a, axis),
    np.stack: lambda arrays, axis=0: stack(_parts(arrays), axis),
    np.swapaxes: lambda a, axis1, axis2: T.swapaxes(a, axis1, axis2),
    np.tile: lambda A, reps: T.tile(A, reps),
    np.transpose: lambda a, axes=None: T.permute(a, tuple(range(a.ndim))[::-1] if axes is None else axes),
    np.vstack: lambda tup: vstack(_parts(tup)),
    np.tril: lambda m, k=0: T.tril(m, k),
    np.triu: lambda m, k=0: T.triu(m, k),
    # products
    np.dot: _dot,
    np.einsum: lambda subscripts, *operands: einsum(subscripts, *(as_tensor(x) for x in operands)),
    np.kron: lambda a, b: T.kron(as_tensor(a), as_tensor(b)),
    np.linalg.norm: lambda x, *, axis=None, keepdims=False: vector_norm(x, 2, axis, keepdims),
    np.outer: lambda a, b: T.outer(T.reshape(as_tensor(a), -1), T.reshape(as_tensor(b), -1)),
    np.tensordot: lambda a, b, axes=2: tensordot(as_tensor(a), as_tensor(b), axes),
    np.trace: lambda a: T.trace(a),
    # elementwise, choosing, sorting
    np.allclose: lambda a, b, rtol=1e-5, atol=1e-8, equal_nan=False: T.allclose(
        as_tensor(a), as_tensor(b), rtol, atol, equal_nan
    ),
    np.argsort: lambda a, axis=-1: T.argsort(*_flat(a, axis)),
    np.array_equal: lambda a1, a2: T.equal(as_tensor(a1), as_tensor(a2)),
    np.clip: lambda a, a_min=None, a_max=None: T.clamp(a, a_min, a_max),
    np.diff: lambda a, n=1, axis=-1: T.diff(a, n, axis),
    np.isclose: lambda a, b, rtol=1e-5, atol=1e-8, equal_nan=False: T.isclose(
        as_tensor(a), as_tensor(b), rtol, atol, equal_nan
    ),
    np.nan_to_num: lambda x, *, nan=0.0, posinf=None, neginf=None: T.nan_to_num(x, nan, posinf, neginf),
    np.nonzero: lambda a: T.nonzero(a, as_tuple=True),
    np.round: lambda a, decimals=0: T.round(a, decimals=decimals),
    np.sort: lambda a, axis=-1: T.sort(*_flat(a, axis))[0],
    np.take: _take,
    np.take_along_axis: lambda arr, indices, axis=-1: T.take_along_dim(arr, indices, axis),
    np.where: lambda condition, x, y: where(T.bool(as_tensor(condition)), x, y),
    # likenesses and questions
    np.copy: lambda a: T.clone(a),
    np.empty_like: lambda prototype, dtype=None: empty_like(prototype, dtype=dtype),
    np.full_like: lambda a, fill_value, dtype=None: full_like(a, fill_value, dtype=dtype),
    np.ndim: lambda a: a.ndim,
    np.ones_like: lambda a, dtype=None: ones_like(a, dtype=dtype),
    np.shape: lambda a: a.shape,
    np.size: lambda a, axis=None: a.numel() if axis is None else a.shape[axis],
    np.zeros_like: lambda a, dtype=None: zeros_like(a, dtype=dtype),
}
for _name, _alias in ((np.max, np.amax), (np.min, np.amin), (np.round, np.around)):
    FUNCTIONS[_alias] = FUNCTIONS[_name]
"""What a numpy function means here, by its name and numpy's argument names. Arguments that are not named (``out``, ``where``,
``dtype``) raise."""


def _array_function(
    self: Tensor, function: Callable[..., Any], types: Iterable[type], args: Sequence[Any], kwargs: dict[str, Any]
) -> Any:
    """``np.concatenate([t, u])`` and its like record. A numpy function without a counterpart of ours runs on the arrays where
    nothing can be lost by it, and raises where an argument requires grad or was computed under a Tape."""
    if not all(issubclass(kind, Tensor | np.ndarray) for kind in types):
        return NotImplemented
    name = f"{function.__module__}.{function.__name__}".replace("numpy", "np", 1)
    ours = FUNCTIONS.get(function)
    if ours is None:
        try:
            given = _read_only((args, kwargs))
        except GraphError:
            raise TypeError(
                f"{name} has no counterpart that records gradients; use a function of tinygrad_notes, or t.detach().numpy()"
            ) from None
        return function(*given[0], **given[1])
    try:
        inspect.signature(ours).bind(*args, **kwargs)
    except TypeError as error:
        known = ", ".join(inspect.signature(ours).parameters)
        raise TypeError(f"{name}: {error}; with Tensors it takes {known}") from None
    return ours(*(_operand(x) for x in args), **{key: _operand(x) for key, x in kwargs.items()})


def _read_only(value: Any) -> Any:
    """``value`` with arrays for its Tensors, which numpy cannot write to: a write would go unseen by backward."""
    if isinstance(value, Tensor):
        array = np.asarray(value).view()
        array.flags.writeable = False
        return array
    if isinstance(value, dict):
        return {key: _read_only(x) for key, x in value.items()}
    return type(value)(map(_read_only, value)) if type(value) in (list, tuple) else value


# ---- arrays ----


def _array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
    """What ``np.asarray(t)`` asks for. Raises GraphError where a gradient or a Tape would lose sight of the values."""
    if _traced(self):
        raise GraphError(
            f"np.asarray: {self._type()} was computed under a Tape, and a replay could not follow what numpy makes of it; compute "
            "with Tensors, or take t.numpy() to read the values of this run"
        )
    return np.array(self.numpy(), dtype=dtype, copy=copy)


def _traced(tensor: Tensor) -> bool:
    """Whether an active Tape recorded how it was computed."""
    node, tape = tensor._current_node(), local.mode.tape
    while tape is not None:
        if node in tape._known and node not in tape.leaves:
            return True
        tape = tape._outer
    return False


# ---- DLPack ----


def _dlpack(
    self: Tensor,
    *,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """The capsule that ``torch.from_dlpack(t)`` and ``np.from_dlpack(t)`` ask for: the same memory, unless ``copy``.

    Raises BufferError for what requires grad or is computed under a Tape, and for memory that runs backward.
    """
    why = "requires grad; export t.detach()" if self.requires_grad else "was computed under a Tape" if _traced(self) else ""
    if not why and not copy and any(stride < 0 for stride in self._array.strides):
        why = "runs backward in memory (flipped), which consumers of DLPack do not expect; export a clone()"
    if why:
        raise BufferError(f"__dlpack__: {self._type()} {why}")
    return self._array.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)


def _dlpack_device(self: Tensor) -> tuple[int, int]:
    """``(1, 0)``: the CPU."""
    kind, number = self._array.__dlpack_device__()
    return int(kind), int(number)


def from_dlpack(ext_tensor: Any, *, copy: bool | None = None) -> Tensor:
    """A Tensor on the memory of an array or tensor of another library (anything with ``__dlpack__``), shared unless ``copy``.

    Raises BufferError for what the other side does not give (it requires grad, lives on another device), DtypeError for a dtype
    that the engine does not have, TypeError for what does not speak DLPack. https://dmlc.github.io/dlpack/latest/
    """
    if not hasattr(ext_tensor, "__dlpack__"):
        raise TypeError(f"from_dlpack: a {type(ext_tensor).__name__} does not speak DLPack; tn.tensor copies numbers and lists")
    try:
        array = np.from_dlpack(ext_tensor, copy=copy)
    except RuntimeError as error:  # numpy's: a dtype (bfloat16) or device that it does not have
        raise DtypeError(f"from_dlpack: {str(error).strip(' .')}; convert it first on the other side") from None
    canonical_dtype(array.dtype)
    return from_array(array)


def methods() -> dict[str, Callable[..., Any]]:
    """The methods that speak the protocols."""
    return {
        "__array__": _array, "__array_function__": _array_function, "__array_ufunc__": _array_ufunc, "__dlpack__": _dlpack,
        "__dlpack_device__": _dlpack_device,
    }  # fmt: skip
