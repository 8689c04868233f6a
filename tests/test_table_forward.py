"""Every row forward: against plain numpy written a second time, over dtypes, layouts and edges of shape."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tablecheck import BINARY, LAYOUTS, REFUSED, ROWS, arrays_for, caller, laid_out, pair_ids, pairs, promoted_dtypes

import tinygrad_notes as tn
from tinygrad_notes.errors import short_dtype
from tinygrad_notes.optable import TABLE, Case, Op, TextRule
from tinygrad_notes.storage import root_of
from tinygrad_notes.tensor import from_array

Array = np.ndarray[Any, Any]
DTYPES = ("float32", "float64", "int64", "int32", "uint8", "bool")


# ---- the second opinion ----


def _stable_sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def _loop_matmul(x: Array, y: Array) -> Array:
    return np.einsum("...ij,...jk->...ik", x, y)


def _loop_argmax(x: Array, dim: int, keepdim: bool) -> Array:
    out = np.empty(x.shape[:dim] + x.shape[dim + 1 :], np.int64)
    for at in np.ndindex(*out.shape):
        line = x[(*at[:dim], slice(None), *at[dim:])].tolist()
        out[at] = line.index(max(line))
    return np.expand_dims(out, dim) if keepdim else out


def _loop_amax(x: Array, dim: tuple[int, ...], keepdim: bool) -> Array:
    return x.copy() if dim == () else np.max(x, axis=dim, keepdims=keepdim)


def _lines(x: Array, dim: int, of_line: Callable[[list[Any]], Any]) -> Array:
    """What ``of_line`` makes of every line along an axis."""
    out = np.zeros(x.shape, np.float64)
    for at in np.ndindex(*x.shape[:dim], *x.shape[dim + 1 :]):
        where = (*at[:dim], slice(None), *at[dim:])
        out[where] = of_line(x[where].tolist())
    return out


def _argsort(x: Array, dim: int, descending: bool) -> Array:
    return _lines(x, dim, lambda line: sorted(range(len(line)), key=line.__getitem__, reverse=descending))


def _argtopk(x: Array, dim: int, k: int, descending: bool) -> Array:
    return np.moveaxis(np.moveaxis(_argsort(x, dim, descending), dim, 0)[:k], 0, dim)


def _cumargmax(x: Array, dim: int) -> Array:
    return _lines(x, dim, lambda line: [max(range(i + 1), key=lambda j: (line[j], j)) for i in range(len(line))])


def _loop_searchsorted(rising: Array, values: Array, right: bool) -> Array:
    line = rising[..., None, :] if rising.ndim > 1 else rising
    return np.sum((line <= values[..., None]) if right else (line < values[..., None]), axis=-1)


def _loop_put_add(x: Array, index: Array, dim: int, size: int) -> Array:
    out = np.zeros((*x.shape[:dim], size, *x.shape[dim + index.ndim :]), x.dtype)
    for at in np.ndindex(*index.shape):
        out[(slice(None),) * dim + (index[at],)] += x[(slice(None),) * dim + at]
    return out


def _loop_gather(x: Array, index: Array, dim: int) -> Array:
    out = np.empty(index.shape, x.dtype)
    for at in np.ndindex(*index.shape):
        out[at] = x[(*at[:dim], index[at], *at[dim + 1 :])]
    return out


def _loop_scatter_add(x: Array, index: Array, dim: int, shape: tuple[int, ...]) -> Array:
    out = np.zeros(shape, x.dtype)
    for at in np.ndindex(*index.shape):
        out[(*at[:dim], index[at], *at[dim + 1 :])] += x[at]
    return out


def _unslice(x: Array, index: Any, shape: tuple[int, ...]) -> Array:
    flat = np.arange(int(np.prod(shape))).reshape(shape)[(*index, ...)]
    out = np.zeros(int(np.prod(shape)), x.dtype)
    out[flat.reshape(-1)] = x.reshape(-1)
    return out.reshape(shape)


def _loop_diagonal(x: Array, offset: int, dim1: int, dim2: int) -> Array:
    planes = np.moveaxis(x, (dim1, dim2), (-2, -1))
    places = [(i, i + offset) for i in range(planes.shape[-2]) if 0 <= i + offset < planes.shape[-1]]
    return np.stack([planes[(..., *at)] for at in places], -1) if places else planes[..., 0, :0]


def _loop_windows(x: Array, dim: int, size: int, step: int) -> Array:
    starts = range(0, x.shape[dim] - size + 1, step)
    return np.stack([np.moveaxis(np.take(x, range(at, at + size), dim), dim, -1) for at in starts], dim)


def _loop_patches(x: Array, dim: int, size: Any, step: Any, dilation: Any) -> Array:
    counts = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[dim:], size, step, dilation, strict=True)]
    out = np.zeros((*x.shape[:dim], *size, *counts), x.dtype)
    for at in np.ndindex(*size):
        for n in np.ndindex(*counts):
            source = tuple(a * d + i * s for a, i, s, d in zip(at, n, step, dilation, strict=True))
            out[(..., *at, *n)] = x[(..., *source)]
    return out


def _adjoint(forward: Callable[..., Any]) -> Callable[..., Any]:
    """The transpose of a linear map on elements: each output adds to the places it was read from."""

    def transposed(x: Array, shape: tuple[int, ...], **params: Any) -> Array:
        source = forward(np.arange(int(np.prod(shape))).reshape(shape), **params)
        out = np.zeros(int(np.prod(shape)), x.dtype)
        np.add.at(out, source.reshape(-1), x.reshape(-1))
        return out.reshape(shape)

    return transposed


def _assign(base: Array, value: Array, path: Any, visible: bool) -> Array:
    flat = np.arange(base.size).reshape(base.shape)
    for op, params in path:
        flat = flat.transpose(params["dims"]) if op.name == "permute" else flat[(*params["index"], ...)]
    out = base.reshape(-1).copy()
    out[flat.reshape(-1)] = np.broadcast_to(value, flat.shape).reshape(-1)
    return out.reshape(base.shape)


def _each(function: Callable[..., Any]) -> Callable[..., Array]:
    """On Python's numbers, one by one."""
    return lambda *xs: np.vectorize(function, otypes=[object])(*xs).astype(xs[0].dtype)


def _erf_series(x: Array) -> Array:
    terms = [2 * (-1) ** n * x ** (2 * n + 1) / (math.factorial(n) * (2 * n + 1) * math.sqrt(math.pi)) for n in range(60)]
    return np.sum(terms, axis=0)


def _long_division(x: Array, y: Array, down: bool) -> Array:
    """The quotient in whole numbers, counted down from above; y > 0."""
    wide = np.broadcast_shapes(np.shape(x), np.shape(y))
    q = np.full(wide, 20, np.asarray(x).dtype)
    while (wrong := (q * y > x) if down else np.abs(q) * y > np.abs(x)).any():
        q = q - wrong.astype(q.dtype)
    return q if down else q * np.sign(x)


def _loop_assign_at(base: Array, value: Array, index: Array, path: Any, axes: int, visible: bool) -> Array:
    out = base.copy()
    region = out.transpose(path[0][1]["dims"]) if path else out
    places = list(np.ndindex(*region.shape[:axes]))
    wide = np.broadcast_to(value, (*index.shape, *region.shape[axes:]))
    for at in np.ndindex(*index.shape):
        region[places[index[at]]] = wide[at]
    return out


REFERENCE: dict[str, Callable[..., Any]] = {
    "exp2": lambda x: np.exp(x * np.log(2.0)), "expm1": lambda x: np.exp(x) - 1, "log2": lambda x: np.log(x) / np.log(2.0),
    "log10": lambda x: np.log(x) / np.log(10.0), "log1p": lambda x: np.log(1 + x),
    "logaddexp": lambda x, y: np.log(np.exp(x) + np.exp(y)), "tan": lambda x: np.sin(x) / np.cos(x),
    "asin": lambda x: np.arctan2(x, np.sqrt(1 - x * x)), "acos": lambda x: np.arctan2(np.sqrt(1 - x * x), x),
    "atan": lambda x: np.arctan2(x, np.ones_like(x)), "hypot": lambda x, y: np.sqrt(x * x + y * y),
    "atan2": lambda x, y: np.angle(y + 1j * x), "sinh": lambda x: (np.exp(x) - np.exp(-x)) / 2,
    "cosh": lambda x: (np.exp(x) + np.exp(-x)) / 2, "asinh": lambda x: np.log(x + np.sqrt(x * x + 1)),
    "acosh": lambda x: np.log(x + np.sqrt(x * x - 1)), "atanh": lambda x: np.log((1 + x) / (1 - x)) / 2,
    "erf": _erf_series, "erfc": lambda x: 1 - _erf_series(x),
    "relu": lambda x: np.where(x < 0, 0, x), "maximum": lambda x, y: np.where(x > y, x, y), "minimum": lambda x, y: np.where(x > y, y, x),
    "clamp": lambda x, min, max: np.sort([x, *(np.full_like(x, b) for b in (min, max) if b is not None)], axis=0)[
        1 if None not in (min, max) else -1 if max is None else 0],
    "bitwise_and": _each(operator.and_), "bitwise_or": _each(operator.or_), "bitwise_xor": _each(operator.xor),
    "bitwise_left_shift": lambda x, y: x * 2**y, "bitwise_right_shift": lambda x, y: np.floor(x / 2**y).astype(x.dtype),
    "floor": _each(math.floor), "ceil": _each(math.ceil), "trunc": _each(int), "round": _each(round),
    "sign": _each(lambda v: (v > 0) - (v < 0)),
    "copysign": lambda x, y: np.where(y < 0, -np.abs(x), np.abs(x)),
    "floor_divide": lambda x, y: _long_division(x, y, True), "trunc_divide": lambda x, y: _long_division(x, y, False),
    "remainder": lambda x, y: x - y * _long_division(x, y, True), "fmod": lambda x, y: x - y * _long_division(x, y, False),
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "pow": operator.pow,
    "neg": operator.neg, "abs": lambda x: np.where(x < 0, -x, x) if x.dtype.kind != "b" else x,
    "exp": lambda x: np.e**x, "log": lambda x: np.log2(x) / np.log2(np.e), "sqrt": lambda x: x**0.5,
    "tanh": lambda x: 1 - 2 / (np.exp(2 * x) + 1), "sigmoid": _stable_sigmoid, "logsigmoid": lambda x: -np.logaddexp(0, -x),
    "sin": lambda x: np.exp(1j * x).imag, "cos": lambda x: np.exp(1j * x).real,
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
    "where": lambda c, x, y: np.choose(c.astype(int), np.broadcast_arrays(y, x)), "cast": lambda x, dtype: np.array(x, dtype),
    "sum": lambda x, dim, keepdim: np.sum(x, axis=dim, keepdims=keepdim, dtype=x.dtype), "amax": _loop_amax,
    "argmax": _loop_argmax, "reshape": lambda x, shape: np.array(x.ravel().tolist(), x.dtype).reshape(shape),
    "permute": lambda x, dims: np.moveaxis(x, dims, range(len(dims))), "broadcast": lambda x, shape: x + np.zeros(shape, x.dtype),
    "slice": lambda x, index: x[index], "unslice": _unslice, "concatenate": lambda *xs, dim, offsets: np.concatenate(xs, dim),
    "clone": lambda x: x, "detach": lambda x: x, "take": lambda x, index, dim: np.take(x, index, dim),
    "put_add": _loop_put_add, "gather": _loop_gather, "scatter_add": _loop_scatter_add, "matmul": _loop_matmul, "assign": _assign,
    "argsort": _argsort, "argtopk": _argtopk, "cumargmax": _cumargmax, "searchsorted": _loop_searchsorted,
    "cumsum": lambda x, dim: _lines(x, dim, lambda line: [sum(line[: i + 1]) for i in range(len(line))]).astype(x.dtype),
    "assign_at": _loop_assign_at,
    "diagonal": _loop_diagonal, "undiagonal": _adjoint(_loop_diagonal), "windows": _loop_windows, "unwindows": _adjoint(_loop_windows),
    "patches": _loop_patches, "unpatches": _adjoint(_loop_patches),
}  # fmt: skip
STATISTICAL = {"random_bits"}  # tested by its distribution elsewhere; here by shape and dtype only

OUTSIDE = {("clamp", "bool"), ("put_add", "bool"), ("relu", "bool"), ("searchsorted", "bool")}
"""What the functions above the table never ask of a row: ``tn.clamp`` first makes integers of bools, ``put_add`` is for
gradients, ``tn.relu`` refuses bools, which are in no order to search either."""


def reference(op: Op, arrays: list[Array], params: dict[str, Any], dtypes: list[np.dtype[Any]]) -> Array:
    """In float64 where floats are concerned."""
    wide = [a.astype(np.float64) if d.kind == "f" else a.astype(d) for a, d in zip(arrays, dtypes, strict=True)]
    with np.errstate(all="ignore"):
        return np.asarray(REFERENCE[op.name](*wide, **params))


def test_every_row_has_a_second_opinion() -> None:
    assert set(REFERENCE) | STATISTICAL == {op.name for op in ROWS}


# ---- values, types, untouched inputs ----


def runs() -> list[Any]:
    named = zip(pairs(ROWS), pair_ids(ROWS), strict=True)
    return [
        pytest.param(op, case, dtype, id=f"{name}-{dtype}")
        for (op, case), name in named
        for dtype in (("float32",) if op.kind == "random" else DTYPES)
        if (op.name, dtype) not in OUTSIDE
    ]


@pytest.mark.parametrize(("op", "case", "dtype"), runs())
def test_forward(op: Op, case: Case, dtype: str) -> None:
    given = arrays_for(op, case, dtype)
    if (op.name, dtype) in REFUSED:
        with pytest.raises(RuntimeError, match=rf"{op.name}\({short_dtype(np.dtype(dtype))}.*Cast an operand"):
            op.bind(*[from_array(a) for a in given], **case.params)
        return
    if op.name == "pow" and dtype.startswith("int"):
        given[1] = np.abs(given[1])  # integers to negative powers are refused, see test_errors
    for layout in LAYOUTS:
        arrays = [laid_out(a, layout) for a in given]
        if op.writes:
            arrays[0] = laid_out(given[0], layout if layout in ("strided", "negative") else "contiguous")
        dtypes = promoted_dtypes(op, arrays)
        expected = None if op.name in STATISTICAL else reference(op, arrays, case.params, dtypes)
        memory = [root_of(a).tobytes() for a in arrays]

        out = op.bind(*[from_array(a) for a in arrays], **case.params)._array

        shape, wanted = op.result([a.shape for a in arrays], dtypes, case.params)
        assert type(out) is np.ndarray
        assert (out.shape, out.dtype) == (shape, wanted), layout
        for i, (a, before) in enumerate(zip(arrays, memory, strict=True)):
            assert (op.writes and i == 0) or root_of(a).tobytes() == before, f"{layout}: argument {i} was changed"
        if expected is not None:
            tolerance = {"float32": 2e-6, "float64": 1e-13}.get(wanted.name, 0) * (1 if op.name != "floor" else 0)
            np.testing.assert_allclose(out, expected, rtol=4 * tolerance, atol=tolerance, err_msg=layout)


@pytest.mark.parametrize("op", [op for op in ROWS if op.writes], ids=lambda op: op.name)
def test_rows_that_write_return_their_first_argument(op: Op) -> None:
    for case in op.cases:
        tensors = [from_array(a) for a in arrays_for(op, case)]
        out = op.bind(*tensors, **case.params)
        assert np.shares_memory(out._array, tensors[0]._array)


@pytest.mark.parametrize("op", [op for op in ROWS if op.kind == "move" or op.name in ("cast", "take")], ids=lambda op: op.name)
def test_rows_that_copy_share_nothing(op: Op) -> None:
    for case in op.cases:
        tensors = [from_array(a) for a in arrays_for(op, case)]
        out = caller(op, case.params)(*tensors)
        assert not any(np.shares_memory(out._array, t._array) for t in tensors)


@pytest.mark.parametrize("op", [op for op in ROWS if op.kind == "view"], ids=lambda op: op.name)
def test_views_of_contiguous_memory_share_it(op: Op) -> None:
    for case in op.cases:
        (x,) = [from_array(a) for a in arrays_for(op, case)]
        out = op.bind(x, **case.params)
        assert out.numel() == 0 or np.shares_memory(out._array, x._array)


# ---- foreign operands of binary rows ----


def _category(kind: str) -> int:
    return {"b": 0, "i": 1, "u": 1, "f": 2}[kind]


def weak(op: Op, tensor: np.dtype[Any], scalar: Any) -> np.dtype[Any]:
    """torch: a scalar never widens a Tensor within its category; a higher category brings its default dtype."""
    kind = np.asarray(scalar).dtype.kind
    if op.result.__name__ == "as_bool":
        return np.dtype(bool)
    found = tensor if _category(kind) <= _category(tensor.kind) else np.dtype(np.float32 if kind == "f" else np.int64)
    return np.dtype(np.float32) if op.floats and found.kind != "f" else found


SCALARS = (True, 1, 1.5, np.float32(1.5), np.float64(1.5), np.int32(1), np.bool_(True))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.name)
def test_scalars_on_either_side_are_weak(op: Op, dtype: str) -> None:
    x = tn.tensor(np.array([[1, 2, 3]], dtype))
    for scalar in SCALARS:
        wanted = weak(op, x.dtype, scalar)
        if (op.name, wanted.name) in REFUSED | OUTSIDE:
            continue
        for out, ref in (
            (op.bind(x, scalar), lambda a, s: REFERENCE[op.name](a, s)),
            (op.bind(scalar, x), lambda a, s: REFERENCE[op.name](s, a)),
        ):
            assert (out.dtype, out.shape) == (wanted, (1, 3)), (dtype, scalar)
            wide = np.float64 if wanted.kind == "f" or isinstance(scalar, float | np.floating) else np.int64
            expected = ref(x.numpy().astype(wide), np.asarray(scalar).astype(wide))
            np.testing.assert_allclose(out.numpy().astype(np.float64), np.asarray(expected).astype(wanted), rtol=1e-6)


OPERATORS = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "pow": operator.pow,
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATORS)
def test_numpy_arrays_on_either_side_promote_as_tensors(name: str) -> None:
    for left in (np.float32, np.float64, np.int64):
        for right in (np.float32, np.float64, np.int64):
            a, b = np.array([[1, 2, 3]], left), np.array([[2], [1]], right)
            expected = OPERATORS[name](tn.tensor(a), tn.tensor(b))
            for out in (OPERATORS[name](tn.tensor(a), b), OPERATORS[name](a, tn.tensor(b))):
                assert isinstance(out, tn.Tensor)
                assert out.dtype == expected.dtype
                np.testing.assert_array_equal(out.numpy(), expected.numpy())
                np.testing.assert_allclose(out.numpy(), OPERATORS[name](a.astype(np.float64), b), rtol=1e-6)
            row = np.asarray(3, right)
            assert OPERATORS[name](tn.tensor(a), row).dtype == OPERATORS[name](tn.tensor(a), tn.tensor(row)).dtype


def test_the_names_that_a_textual_rule_reads() -> None:
    """Found without parsing, which keeps importing cheap; here they are compared with what Python's parser finds."""
    texts = {rule for op in TABLE.values() for rule in op.vjp if isinstance(rule, TextRule)}
    assert len(texts) > 20
    for rule in texts:
        names = {node.id for node in ast.walk(ast.parse(rule.expression)) if isinstance(node, ast.Name)}
        assert set(rule.reads) == names - {"p"}, rule.expression
