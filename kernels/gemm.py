"""Matrix products of float32 and float64: own kernels where they win, numpy's BLAS elsewhere.

    matmul(a, b, out, bias=..., activation="relu")      out = activation(a @ b + bias)
    packed = pack(w); matmul_packed(x, packed)          the same for a w that is used many times

numpy's ``matmul`` decides shapes and dtypes; operands of other kinds (integers, one dimension, mixed dtypes) are left to it. The kernels
give the same bits for any number of threads.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from . import gates, layout, native, pool, team, vector

__all__ = ["ACTIVATIONS", "PackedMatrix", "blas", "kernel_wins", "matmul", "matmul_packed", "pack"]

Array = np.ndarray[Any, Any]

_BITS = {np.dtype(np.float32): 32, np.dtype(np.float64): 64}
_WORDS = struct.Struct("12q").pack
_PANELS = struct.Struct("5q").pack
_local = threading.local()

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "none": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": vector.tanh,
    "sigmoid": vector.sigmoid,
}
"""What ``activation`` may name, for whole arrays; the kernels' own are in ``jit/finish.py``."""


class _Kernel:
    """The native code for one dtype and width; ``_kernel`` keeps it."""

    def __init__(self, bits: int, width: int) -> None:
        self.bits, self.width, self.lanes = bits, width, width // bits
        self.rate = 2 * self.lanes  # multiply-adds a cycle
        pool.use()
        self.team = team.memory()
        self.run = team.runner()
        self.tiles = native.address("gemm", f"tiles_f{bits}_{width}")
        self.product = native.address("gemm", f"product_f{bits}_{width}")
        self.panels = native.address("gemm", f"panels_f{bits}_{width}")


@cache
def _kernel(bits: int, width: int | None) -> _Kernel | None:
    there = native.widths()
    if not there:
        return None
    if width is not None and width not in there:
        raise ValueError(f"no tiles of {width} bits on this machine; there are {', '.join(map(str, there))}")
    return _Kernel(bits, width or there[0])


@cache
def _finish(activation: str, bits: int) -> int:
    return native.address("finish", f"{activation}_f{bits}")


class PackedMatrix:
    """A matrix ``(K, N)`` in the order in which the kernel reads it; made by ``pack``.

    Without kernels it keeps a copy of the matrix as it is.
    """

    __slots__ = ("_array", "_kernel", "dtype", "place", "shape", "width")

    def __init__(self, b: Array, width: int | None = None) -> None:
        bits = _BITS.get(b.dtype)
        if b.ndim != 2 or bits is None:
            raise TypeError(f"pack takes a matrix of float32 or float64, got {b.dtype} with shape {b.shape}")
        self.shape: tuple[int, int] = b.shape
        self.dtype = b.dtype
        self._kernel = kernel = _kernel(bits, width)
        self.width = 0 if kernel is None else kernel.width
        self.place = 0
        if kernel is None:
            self._array: Array = b.copy()
            return
        k, n = self.shape
        size = -(-n // kernel.lanes) * k * kernel.width // 8
        raw = np.empty(size + 64, np.uint8)
        self._array = raw
        self.place = raw.ctypes.data + -raw.ctypes.data % 64
        self.update(b)

    def update(self, b: Array) -> None:
        """Take the values of another matrix of the same shape and dtype."""
        if b.shape != self.shape or b.dtype != self.dtype:
            raise ValueError(f"this packed matrix is {self.dtype} {self.shape}, got {b.dtype} {b.shape}")
        kernel = self._kernel
        if kernel is None:
            np.copyto(self._array, b)
            return
        kernel.run(_PANELS(kernel.team, kernel.panels, b.size >> 1, id(b), self.place))

    def unpack(self) -> Array:
        """The matrix again, as a new array."""
        if not self.place:
            return self._array.copy()
        k, n = self.shape
        lanes = self.width // _BITS[self.dtype]
        start = self.place - self._array.ctypes.data
        vectors = -(-n // lanes)
        panels = self._array[start : start + vectors * k * self.width // 8].view(self.dtype).reshape(vectors, k, lanes)
        return np.ascontiguousarray(panels.swapaxes(0, 1).reshape(k, vectors * lanes)[:, :n])


def pack(b: Array, *, width: int | None = None) -> PackedMatrix:
    """Bring the matrix b ``(K, N)`` into the order in which the kernel reads it, once for many products."""
    return PackedMatrix(b, width)


@cache
def _judge() -> Callable[[Array, Array], bool]:
    if not (there := native.widths()):
        return lambda a, b: False
    terms = [term for kind in gates.GEMM.values() for side in kind for term in side]
    kinds = [id(thing) for thing in (np.ndarray, *_BITS, True, False)]
    return native.builtin(
        "gemm", "wins", struct.pack(f"9q{len(terms)}d", *kinds, gates.PRODUCT, gates.SMALL, gates.SHARED, there[0], *terms)
    )


def kernel_wins(a: Array, b: Array) -> bool:
    """Whether ``matmul(a, b)`` takes the kernel: it can, and its measured cost is lower than BLAS's (``gates.py``)."""
    return _judge()(a, b)


def matmul(
    a: Array,
    b: Array,
    out: Array | None = None,
    *,
    bias: Array | None = None,
    activation: str = "none",
    accumulate: bool = False,
    width: int | None = None,
) -> Array:
    """``activation(a @ b + bias)``, or with ``accumulate`` ``activation(out + a @ b + bias)``.

    a  ``(..., M, K)``, b  ``(..., K, N)``, out  ``(..., M, N)``, bias  ``(N,)``; the dimensions in front broadcast. Any strides; out may
    overlap a and b. width: bits of the registers (256 or 512); the kernel is then used whatever the sizes.
    """
    if width is None and not _judge()(a, b):
        if bias is None and activation == "none" and not accumulate:
            return blas(a, b, out)
        return _by_numpy(a, b, out, bias, activation, accumulate)
    bits = _BITS.get(a.dtype)
    kernel = None if bits is None else _kernel(bits, width)
    if kernel is None or b.dtype != a.dtype or a.ndim < 2 or b.ndim < 2:
        return _by_numpy(a, b, out, bias, activation, accumulate)
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(f"matmul: {a.shape} and {b.shape} do not fit: {a.shape[-1]} columns meet {b.shape[-2]} rows")
    if a.ndim == b.ndim == 2:
        shape: tuple[int, ...] = (a.shape[0], b.shape[1])
    else:
        shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])
    return _by_kernel(kernel, a, b, 0, shape, out, bias, activation, accumulate)


def blas(a: Array, b: Array, out: Array | None = None) -> Array:
    """The product as numpy computes it."""
    if a.ndim == 2 == b.ndim:
        try:
            return a.dot(b, out)  # the same call of BLAS, half of numpy.matmul's cost around it
        except ValueError:
            pass  # an out of another layout, or shapes that do not fit: matmul has the better words
    product: Array = np.matmul(a, b, out=out)
    return product


def matmul_packed(
    a: Array,
    b: PackedMatrix,
    out: Array | None = None,
    *,
    bias: Array | None = None,
    activation: str = "none",
    accumulate: bool = False,
) -> Array:
    """``matmul`` with a packed b."""
    kernel = b._kernel
    size = a.shape
    k, n = b.shape
    if len(size) < 2 or size[-1] != k or a.dtype != b.dtype:
        raise ValueError(f"matmul_packed: {a.dtype} {a.shape} and packed {b.dtype} {b.shape} do not fit")
    if kernel is None:
        return _by_numpy(a, b._array, out, bias, activation, accumulate)
    shape = (size[0], n) if len(size) == 2 else (*size[:-1], n)
    return _by_kernel(kernel, a, None, b.place, shape, out, bias, activation, accumulate)


def _by_kernel(
    kernel: _Kernel,
    a: Array,
    b: Array | None,
    place: int,
    shape: tuple[int, ...],
    out: Array | None,
    bias: Array | None,
    activation: str,
    accumulate: bool,
) -> Array:
    """The product with the array b, or with the panels at ``place``."""
    if out is None:
        if accumulate:
            raise ValueError("matmul: accumulate adds to out, which is missing")
        c = np.empty(shape, a.dtype)
    elif out.shape != shape or out.dtype != a.dtype:
        raise ValueError(f"matmul: out must be {a.dtype} {shape}, got {out.dtype} {out.shape}")
    elif not (flags := out.flags).writeable:
        raise ValueError("matmul: out is read-only")
    elif (
        (not flags.c_contiguous and out.strides[-1] != out.itemsize) or _overlap(out, a) or (b is not None and _overlap(out, b))
    ):
        c = out.copy() if accumulate else np.empty(shape, a.dtype)
    else:
        c = out
    result, target = c, out
    finish = bias_at = 0
    if bias is not None or activation != "none":
        bias = _check_bias(bias, shape[-1], a.dtype)
        bias_at = 0 if bias is None else bias.ctypes.data
        _check_activation(activation)
        finish = _finish(activation, kernel.bits)
    if len(shape) > 2 and (b is None or b.ndim == 2) and a.flags.c_contiguous and c.flags.c_contiguous:
        a, c = a.reshape(-1, a.shape[-1]), c.reshape(-1, shape[-1])  # one tall product instead of many low ones
    try:
        room = _local.place
    except AttributeError:
        room = _make_room()
    packed = b is None
    b_at = place if packed else id(b)
    work = c.size * a.shape[-1] // kernel.rate
    kernel.run(
        _WORDS(
            kernel.team, kernel.product, work,
            id(a), b_at, id(c), packed, accumulate, bias_at, finish, room, kernel.tiles,
        )
    )  # fmt: skip
    if target is None or result is target:
        return result
    np.copyto(target, result)
    return target


def _overlap(x: Array, y: Array) -> bool:
    """Whether two arrays may share memory. Two that own theirs cannot, unless they are one."""
    return x is y or (not (x.base is None is y.base) and np.may_share_memory(x, y))


def _make_room() -> int:
    """This Python thread's memory for all threads of the team: what is not used is never touched and costs nothing."""
    raw = np.empty(layout.MOST * layout.PLACE + 64, np.uint8)
    _local.raw = raw
    _local.place = place = raw.ctypes.data + -raw.ctypes.data % 64
    return place


def _by_numpy(a: Array, b: Array, out: Array | None, bias: Array | None, activation: str, accumulate: bool) -> Array:
    if not accumulate:
        result: Array = blas(a, b, out)
    elif out is None:
        raise ValueError("matmul: accumulate adds to out, which is missing")
    else:
        result = out
        result += np.matmul(a, b)
    if bias is not None or activation != "none":
        checked = _check_bias(bias, result.shape[-1], result.dtype)
        if checked is not None:
            result += checked
        _check_activation(activation)
        result[...] = ACTIVATIONS[activation](result)
    return result


def _check_bias(bias: Array | None, n: int, dtype: np.dtype[Any]) -> Array | None:
    if bias is None:
        return None
    if bias.shape != (n,) or bias.dtype != dtype:
        raise ValueError(f"matmul: bias must be {dtype} ({n},), got {bias.dtype} {bias.shape}")
    return np.ascontiguousarray(bias)


def _check_activation(activation: str) -> None:
    if activation not in ACTIVATIONS:
        raise ValueError(f"matmul: activation must be one of {', '.join(ACTIVATIONS)}; got {activation!r}")
