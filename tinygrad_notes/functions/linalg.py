"""Products under PyTorch's names."""

from __future__ import annotations

from math import prod
from typing import Any

from ..errors import DtypeError, ShapeError, typename
from ..optable import TABLE
from ..tensor import Tensor
from .arguments import axis, tensor
from .moving import roll
from .names import numpy_names
from .pointwise import mul
from .reduce import sum
from .shape import broadcast_tensors, diagonal, permute, reshape, squeeze, unsqueeze

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "cross", "dot", "ger", "inner", "kron", "matmul", "mm", "mv", "outer",
    "tensordot", "trace", "vdot",
]  # fmt: skip

METHODS = "addbmm addmm addmv addr baddbmm bmm cross dot ger inner kron matmul mm mv outer trace vdot"
INPLACE = "addbmm addmm addmv addr baddbmm"

# ---- of any rank ----


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product of any rank: ``(*, N, M) @ (*, M, K) -> (*, N, K)``; a vector counts as one row or column.

    A stack times one matrix is computed as one product of ``(* N, M)``, which is what makes it fast.
    Raises ShapeError where the inner lengths differ, DtypeError where the dtypes do (as PyTorch).
    """
    if isinstance(input, Tensor) and isinstance(other, Tensor):
        a, b = input._array, other._array
        if a.ndim == 2 == b.ndim and a.dtype is b.dtype and a.shape[1] == b.shape[0]:  # nearly every call
            result: Tensor = TABLE["matmul"].bind(input, other)
            return result
    else:
        wrong = other if isinstance(input, Tensor) else input
        raise TypeError(f"matmul: needs two Tensors, one is a {type(wrong).__name__}; make one with tn.tensor(...)")
    if input.ndim == 0 or other.ndim == 0:
        raise ShapeError(f"matmul: a 0-d Tensor has no axis to multiply along ({input._type()} @ {other._type()}); use *")
    if input.dtype != other.dtype:
        raise DtypeError(f"matmul: {input._type()} @ {other._type()}: both need one dtype; cast one with .to(dtype)")
    inner = other.shape[-2 if other.ndim > 1 else 0]
    if input.shape[-1] != inner:
        raise ShapeError(
            f"matmul: {typename(input.shape, input.dtype)} @ {typename(other.shape, other.dtype)}: the inner lengths "
            f"{input.shape[-1]} and {inner} differ; transpose one with .mT, or reshape it"
        )
    left = unsqueeze(input, 0) if input.ndim == 1 else input
    right = unsqueeze(other, 1) if other.ndim == 1 else other
    if left.ndim > 2 and right.ndim == 2:
        rows = left.reshape(prod(left.shape[:-1]), left.shape[-1])
        out = TABLE["matmul"].bind(rows, right).reshape(*left.shape[:-1], right.shape[-1])
    else:
        out = TABLE["matmul"].bind(left, right)
    if other.ndim == 1:
        out = squeeze(out, -1)
    return squeeze(out, -2 if other.ndim > 1 else -1) if input.ndim == 1 else out


# ---- products of a fixed rank ----


def _ranks(name: str, *expected: tuple[Tensor, int]) -> None:
    for x, rank in expected:
        tensor(name, x)
        if x.ndim != rank:
            others = ", ".join(f"{n} axes" if n != 1 else "1 axis" for _, n in expected)
            given = ", ".join(typename(t.shape, t.dtype) for t, _ in expected if isinstance(t, Tensor))
            raise ShapeError(f"{name}: needs Tensors with {others}, got {given}; matmul multiplies any")


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices, ``(N, M) @ (M, K) -> (N, K)``."""
    _ranks("mm", (input, 2), (mat2, 2))
    return matmul(input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The products of two stacks of matrices, ``(B, N, M) @ (B, M, K) -> (B, N, K)``."""
    _ranks("bmm", (input, 3), (mat2, 3))
    if input.shape[0] != mat2.shape[0]:
        raise ShapeError(f"bmm: {input._type()} and {mat2._type()} need one batch length; matmul broadcasts")
    return matmul(input, mat2)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """A matrix times a vector, ``(N, M) @ (M,) -> (N,)``."""
    _ranks("mv", (input, 2), (vec, 1))
    return matmul(input, vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The sum of the products of two vectors of one length."""
    _ranks("dot", (input, 1), (tensor, 1))
    return matmul(input, tensor)


def vdot(input: Tensor, other: Tensor) -> Tensor:
    """``dot``: real numbers are their own conjugates."""
    return dot(input, other)


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """All products of two vectors, ``(N,), (M,) -> (N, M)``."""
    _ranks("outer", (input, 1), (vec2, 1))
    return mul(unsqueeze(input, 1), vec2)


ger = outer


def inner(input: Tensor, other: Tensor) -> Tensor:
    """The sums of products along the last axes, ``(*A, M), (*B, M) -> (*A, *B)``; with a 0-d Tensor, the product."""
    tensor("inner", input)
    tensor("inner", other)
    if input.ndim == 0 or other.ndim == 0:
        return mul(input, other)
    return tensordot(input, other, ([-1], [-1]))


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """The sums of products over ``dims``: the last n axes of ``a`` with the first n of ``b``, or two lists of axes.

    The result has the other axes of ``a``, then those of ``b``. Raises ShapeError where the lengths differ.
    """
    tensor("tensordot", a)
    tensor("tensordot", b)
    if isinstance(dims, int):
        if not 0 <= dims <= min(a.ndim, b.ndim):
            raise ShapeError(f"tensordot: dims={dims}, but {a._type()} and {b._type()} have {a.ndim} and {b.ndim} axes")
        dims = range(a.ndim - dims, a.ndim), range(dims)
    of_a, of_b = ([axis("tensordot", x, d) for d in given] for x, given in zip((a, b), dims, strict=True))
    if len(of_a) != len(of_b) or [a.shape[d] for d in of_a] != [b.shape[d] for d in of_b]:
        raise ShapeError(f"tensordot: the axes {of_a} of {a._type()} and {of_b} of {b._type()} do not pair with equal lengths")
    left, right = ([d for d in range(x.ndim) if d not in used] for x, used in ((a, of_a), (b, of_b)))
    inner = prod(a.shape[d] for d in of_a)
    rows, columns = [a.shape[d] for d in left], [b.shape[d] for d in right]
    product = matmul(
        reshape(permute(a, *left, *of_a), prod(rows), inner), reshape(permute(b, *of_b, *right), inner, prod(columns))
    )
    return reshape(product, *rows, *columns)


# ---- sums with products ----


def _added(name: str, input: Tensor, product: Tensor, beta: float, alpha: float) -> Tensor:
    tensor(name, input)
    scaled = product if alpha == 1 else product * alpha
    if beta == 0:  # then the input may hold anything, NaN too
        return scaled
    total = (input if beta == 1 else input * beta) + scaled
    if total.shape != product.shape:
        raise ShapeError(f"{name}: {input._type()} does not stretch to the product {product._type()}")
    return total


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)`` of matrices; beta 0 leaves the input out."""
    return _added("addmm", input, mm(mat1, mat2), beta, alpha)


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input + alpha * (mat @ vec)`` of a matrix and a vector; beta 0 leaves the input out."""
    return _added("addmv", input, mv(mat, vec), beta, alpha)


def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input + alpha * outer(vec1, vec2)``; beta 0 leaves the input out."""
    return _added("addr", input, outer(vec1, vec2), beta, alpha)


def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input + alpha * sum(batch1 @ batch2)``, the products added up; beta 0 leaves the input out."""
    return _added("addbmm", input, sum(bmm(batch1, batch2), 0), beta, alpha)


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input + alpha * (batch1 @ batch2)`` of stacks of matrices; beta 0 leaves the input out."""
    return _added("baddbmm", input, bmm(batch1, batch2), beta, alpha)


# ---- others ----


def kron(input: Tensor, other: Tensor) -> Tensor:
    """Every element of ``input`` times all of ``other``, side by side: lengths multiply, axis by axis from the right."""
    tensor("kron", input)
    tensor("kron", other)
    rank = max(input.ndim, other.ndim)
    a, b = ((1,) * (rank - x.ndim) + x.shape for x in (input, other))
    left = reshape(input, *(n for pair in zip(a, (1,) * rank, strict=True) for n in pair))
    right = reshape(other, *(n for pair in zip((1,) * rank, b, strict=True) for n in pair))
    return reshape(mul(left, right), *(n * m for n, m in zip(a, b, strict=True)))


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix; integers and bools add up as int64."""
    _ranks("trace", (input, 2))
    return sum(diagonal(input))


@numpy_names
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The vector product ``a x b`` along an axis of length 3: ``dim``, or the first of that length."""
    tensor("cross", input)
    tensor("cross", other)
    x, y = broadcast_tensors(input, other)
    found = [d for d, n in enumerate(x.shape) if n == 3] if dim is None else [axis("cross", x, dim)]
    if not found or x.ndim == 0 or x.shape[found[0]] != 3:
        raise ShapeError(
            f"cross: {input._type()} and {other._type()} have no axis of length 3" + (f" at {dim}" if found else "")
        )
    along = found[0]
    return roll(x, -1, along) * roll(y, -2, along) - roll(x, -2, along) * roll(y, -1, along)
