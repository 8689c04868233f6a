"""Expressions in one pass: numpy's bits, any strides and dtypes, the rows of the table that take them, and from which size on."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from tinygrad_notes.kernels import fused as room
from tinygrad_notes.kernels import gates, native
from tinygrad_notes.kernels.fused import fused, kernel

import tinygrad_notes as tn
from tinygrad_notes.optable import TABLE, expression_of, rule_reads

here = pytest.mark.skipif(not native.available(), reason="no kernels on this machine, or switched off")

EXPRESSIONS = {
    "x * y": lambda x, y: x * y,
    "-x": lambda x: -x,
    "x - x * y * y": lambda x, y: x - x * y * y,
    "-(x * y) / z * 0.3": lambda x, y, z: -(x * y) / z * x.dtype.type(0.3),
    "p.where(p.gt(x, y), x, 0.0)": lambda x, y: np.where(x > y, x, x.dtype.type(0)),
    "p.where(p.eq(x, y), x * 0.5, p.where(p.lt(y, x), 0.0, z))": lambda x, y, z: np.where(
        x == y, (x * 0.5).astype(x.dtype), np.where(y < x, x.dtype.type(0), z)
    ),
    "w * x + y * z + 1": lambda w, x, y, z: w * x + y * z + 1,
}


def operands(count: int, shape: tuple[int, ...], dtype: str, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    found = [(rng.standard_normal(shape) * 9 + 20).astype(dtype) for _ in range(count)]
    for array in found:
        if array.size > 8 and array.dtype.kind == "f":
            array.reshape(-1)[:4] = [np.inf, -np.inf, np.nan, -0.0]
    return found


LAYOUTS: dict[str, Any] = {
    "as they are": lambda arrays: arrays,
    "transposed": lambda arrays: [a.T for a in arrays],
    "every third, backwards": lambda arrays: [a[..., ::-3] for a in arrays],
    "a column": lambda arrays: [arrays[0], *(a[..., :1] for a in arrays[1:])],
    "a row": lambda arrays: [arrays[0], *(a[:1] for a in arrays[1:])],
    "one value": lambda arrays: [arrays[0], *(a[0, 0] for a in arrays[1:])],
    "read-only": lambda arrays: [np.broadcast_to(a, (2, *a.shape)) for a in arrays],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8"])
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_has_numpys_bits(expression: str, dtype: str, layout: str) -> None:
    want = EXPRESSIONS[expression]
    names = want.__code__.co_varnames
    made = fused(expression, names, want)
    assert made is not None
    for shape in ((3, 5), (1, 1), (0, 3), (130, 517), (2, 40_000)):
        arrays = operands(len(names), shape, dtype)
        if layout == "one value" and 0 in shape:
            continue
        given = LAYOUTS[layout](arrays)
        before = [np.array(a) for a in given]
        with np.errstate(all="ignore"):
            got, expected = made.run(*given), want(*given)
        assert got.dtype == expected.dtype
        np.testing.assert_array_equal(got, expected)
        numbers = ~np.isnan(expected)  # a NaN's sign says nothing
        np.testing.assert_array_equal(np.signbit(got)[numbers], np.signbit(expected)[numbers])
        for now, then in zip(given, before, strict=True):
            np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize("length", range(0, 70, 3))
def test_short_ends_have_the_same_bits(length: int) -> None:
    made = fused("x - x * y * y", ("x", "y"), lambda x, y: x - x * y * y)
    x, y = operands(2, (length,), "f4")
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(made.run(x, y), x - x * y * y)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_choice_keeps_all_bits(dtype: str) -> None:
    rng = np.random.default_rng(0)
    edges = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-42, -3.5, 2.0, 2.0], dtype)
    x, y = rng.choice(edges, (6, 70)), rng.choice(edges, (70, 6)).T
    condition = rng.random((6, 70)) < 0.5
    choose = kernel("p.where(condition, x, y)", ("condition", "x", "y"), np.where).run
    for c, a, b in (
        (condition, x, y), (condition[:1], x, y[:, :1]), (condition, 0, y), (condition.T, x.T, -0.0),
        (condition[::2, ::-1], x[::2], y[::2]), (condition, np.array(2, dtype), y), (condition, x, 1), (condition, 0.5, y.copy()),
        (condition, 0.5, 2), (condition, np.arange(420).reshape(6, 70), 2), (condition, x, y.astype("f2")),
    ):  # fmt: skip
        got, want = choose(c, a, b), np.where(c, a, b)
        assert (got.dtype, got.shape) == (want.dtype, want.shape)
        assert np.ascontiguousarray(got).tobytes() == np.ascontiguousarray(want).tobytes()


@here
@pytest.mark.parametrize("number", [1, 2, 3])
def test_any_number_of_threads_gives_the_same_bits(number: int) -> None:
    made = fused("x / y - x * y", ("x", "y"), lambda x, y: x / y - x * y)
    x, y = operands(2, (300_001,), "f4")
    before = tn.get_num_threads()
    try:
        tn.set_num_threads(number)
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(made.run(x, y), x / y - x * y)
    finally:
        tn.set_num_threads(before)


@pytest.mark.parametrize(
    "expression",
    [
        "x",
        "p.exp(x)",
        "p.where(x, dim=1)",
        "x.T * x",
        "exp(x)",
        "x ** 2",
        "x if x else y",
        "x < y",
        "g * p.cos(x)",
        "x > y ? x : y",
    ],
)
def test_what_is_no_arithmetic_is_left_to_others(expression: str) -> None:
    assert fused(expression, ("x",), lambda x: x) is None


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "neg"])
def test_large_arrays_take_the_kernel(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the gate on, and only from there, forward runs the kernel; the result and the gradients are the same."""
    op = TABLE[name]
    ran: list[int] = []
    op.bind(*[tn.ones(2)] * len(op.args))  # generates the function
    names = op.bind.__globals__
    plain = names["large"]
    rng = np.random.default_rng(0)
    small, large = (
        [tn.tensor(rng.standard_normal(size), requires_grad=True) for _ in op.args]
        for size in (gates.ARITHMETIC - 1, gates.ARITHMETIC)
    )
    monkeypatch.setitem(names, "large", lambda *arrays: ran.append(len(arrays)) or plain(*arrays))
    for values in (small, large, [large[0], 2.0][: len(op.args)], [large[0], tn.tensor(2.0)][: len(op.args)]):
        out = op.bind(*values)
        want = op.forward(*(v.detach().numpy() if isinstance(v, tn.Tensor) else v for v in values))
        np.testing.assert_array_equal(out.detach().numpy(), want)
    assert ran == [len(op.args)] * 3


RULES = [
    (op.name, position, expression)
    for op in TABLE.values()
    for position, rule in enumerate(op.vjp)
    if op.kind == "elementwise" and rule is not None and (expression := expression_of(rule)) is not None
]


@pytest.mark.parametrize(("name", "position", "expression"), RULES)
def test_every_rule_of_arithmetic_has_the_same_bits_fused(name: str, position: int, expression: str) -> None:
    rule = TABLE[name].vjp[position]
    reads = rule_reads(rule)
    made = fused(expression, reads, rule)
    if made is None:
        assert "p." in expression or expression == "g", "arithmetic that is not fused"
        return
    for dtype in ("f4", "f8"):
        arrays = [abs(a) + 1 for a in operands(len(reads), (gates.FUSED + 3,), dtype)]
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(made.run(*arrays), rule(*arrays))


def test_a_large_gradient_is_that_of_small_pieces() -> None:
    """tanh's rule is fused for large arrays: each element's gradient is what it is alone."""
    x = np.random.default_rng(0).standard_normal(3 * gates.ARITHMETIC).astype("f4")

    def gradient(part: np.ndarray) -> np.ndarray:
        leaf = tn.tensor(part, requires_grad=True)
        (leaf / 3 * leaf).tanh().sum().backward()
        return leaf.grad.numpy()

    np.testing.assert_array_equal(gradient(x), np.concatenate([gradient(x[i : i + 512]) for i in range(0, x.size, 512)]))


@here
def test_kernels_ran_and_the_pool_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    ufunc = room.ufunc
    monkeypatch.setattr(room, "ufunc", lambda *given: asked.append(given[1]) or ufunc(*given))
    made = fused("x * y - y", ("x", "y"), lambda x, y: x * y - y)
    x = np.ones(100, "f4")
    made.run(x, x)
    made.run(x, x)
    made.run(x.astype("f8"), 2.0)
    made.run(x, x.astype("i4"))
    assert asked == ["f32 x y: x * y - y", "f64 x y: x * y - y"]


def test_switched_off_numpy_does_it() -> None:
    code = """
import numpy as np, sys
from tinygrad_notes.kernels.fused import fused, kernel
k = fused("x * y - y", ("x", "y"), lambda x, y: x * y - y)
print(k.run(np.full(3, 2.0), np.full(3, 5.0)), "llvmlite" in sys.modules)
"""
    done = subprocess.check_output([sys.executable, "-c", code], env={**os.environ, "TINYGRAD_NOTES_KERNELS": "0"}, text=True)
    assert done.strip() == "[5. 5. 5.] False"
