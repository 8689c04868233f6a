"""Elementwise functions: at the edges as in torch, completeness of the samples, and what bad input raises."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from functioncheck import SAMPLES

import tinygrad_notes as tn
from tinygrad_notes.functions import (
    bounds,
    counting,
    einsum,
    linalg,
    logic,
    moments,
    pointwise,
    reduce,
    rounding,
    scan,
    sort,
    trigonometry,
)  # fmt: skip
from tinygrad_notes.tensor import from_array

ROOMS = (pointwise, trigonometry, rounding, logic, bounds, reduce, moments, scan, sort, counting, linalg, einsum)
inf, nan = float("inf"), float("nan")
EDGES = (0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1e-20, 1e30, -1e30, inf, -inf, nan)


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__.rpartition(".")[2])
def test_every_function_has_samples(room: ModuleType) -> None:
    sampled = {sample.name.removeprefix("Tensor.") for sample in SAMPLES}
    named = {*room.__all__, *getattr(room, "METHODS", "").split()}
    named |= {name + "_" for name in getattr(room, "INPLACE", "").split()}
    assert named - {"logsigmoid"} <= sampled
    for name in room.__all__:
        assert getattr(tn, name) is getattr(room, name)


# ---- at the edges ----

UNARY = [
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos", "cosh", "erf", "erfc", "exp", "exp2", "expm1", "floor",
    "frac", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "log", "log10", "log1p", "log2", "logit", "nan_to_num", "neg",
    "reciprocal", "round", "rsqrt", "sigmoid", "sign", "signbit", "sin", "sinh", "sqrt", "square", "tan", "tanh", "trunc",
    "logical_not",
]  # fmt: skip
PAIRS = [
    "add", "atan2", "copysign", "div", "eq", "floor_divide", "fmax", "fmin", "fmod", "heaviside", "hypot", "isclose", "logaddexp",
    "logical_and", "lt", "maximum", "minimum", "mul", "pow", "remainder", "sub",
]  # fmt: skip
SAMPLED_PAIRS = np.array(list(itertools.product(EDGES, EDGES))).T


def values(name: str, dtype: Any, *arrays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    torch = pytest.importorskip("torch")
    given = [a.astype(dtype) for a in arrays]
    ours = getattr(tn, name)(*(from_array(a) for a in given)).numpy()
    theirs = [getattr(torch, name)(*(torch.tensor(v) for v in row)).numpy() for row in zip(*given, strict=True)]
    return ours, np.stack(theirs)  # one by one: its vector code gives NaN for some remainders


@pytest.mark.torch
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [*UNARY, *PAIRS])
def test_values_at_the_edges_as_torch(name: str, dtype: Any) -> None:
    with np.errstate(over="ignore"):
        ours, theirs = values(name, dtype, *((np.array(EDGES),) if name in UNARY else SAMPLED_PAIRS))
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-5 if dtype is np.float32 else 1e-12, atol=0)
    if ours.dtype.kind == "f" and name not in SIGNS_OF_ZERO:
        np.testing.assert_array_equal(np.signbit(ours[~np.isnan(ours)]), np.signbit(theirs[~np.isnan(theirs)]))


SIGNS_OF_ZERO = {
    "maximum": "of 0 and -0, which are equal, either",
    "minimum": "of 0 and -0, which are equal, either",
    "remainder": "a remainder of 0 has the sign of the divisor, as any other; in torch that of the dividend",
}


def slopes(m: Any, function: Callable[..., Any], *inputs: float) -> list[float]:
    xs = [m.tensor(x, dtype=m.float64, requires_grad=True) for x in inputs]
    out = function(m, *xs)
    found = m.autograd.grad(out, xs, allow_unused=True) if out.requires_grad else [None] * len(xs)
    return [0.0 if g is None else g.item() for g in found]


FINITE = (0.0, 1.0, -1.0, 0.5, -2.5, 1e10)
HERE = {
    ("copysign", inf): "torch divides inf by inf",
    ("copysign", -inf): "torch divides inf by inf",
    ("hypot", 0.0, 0.0): "the slope at the origin is 0",
    ("floor_divide",): "torch has no derivative",
    ("heaviside",): "torch has no derivative",
    ("logaddexp", inf, inf): "equal infinities share the gradient",
    ("logaddexp", -inf, -inf): "equal infinities share the gradient",
}


@pytest.mark.torch
@pytest.mark.parametrize("name", UNARY)
def test_slopes_at_the_edges_as_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    for x in (*FINITE, inf, -inf):
        if np.isnan(getattr(tn, name)(tn.tensor(x)).item()):
            continue  # outside the domain
        ours, theirs = (slopes(m, lambda m, x: getattr(m, name)(x), x) for m in (tn, torch))
        np.testing.assert_allclose(ours, theirs, rtol=1e-7, err_msg=f"{name}({x})")


@pytest.mark.torch
@pytest.mark.parametrize("name", PAIRS)
def test_slopes_of_pairs_as_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    for x, y in itertools.product((*FINITE, inf, -inf), repeat=2):
        if {(name,), (name, x), (name, x, y)} & set(HERE):
            continue
        ours, theirs = (slopes(m, lambda m, x, y: getattr(m, name)(x, y), x, y) for m in (tn, torch))
        np.testing.assert_allclose(ours, theirs, rtol=1e-7, err_msg=f"{name}({x}, {y})")


# ---- second derivatives at special points ----

CURVATURES: dict[str, tuple[Callable[..., Any], tuple[float, ...], list[list[float]]]] = {
    "erf at inf": (tn.erf, (inf,), [[0.0]]),
    "erfc at -inf": (tn.erfc, (-inf,), [[0.0]]),
    "expm1 at 0": (tn.expm1, (0.0,), [[1.0]]),
    "log1p at 0": (tn.log1p, (0.0,), [[-1.0]]),
    "asinh at 0": (tn.asinh, (0.0,), [[0.0]]),
    "square at 0": (tn.square, (0.0,), [[2.0]]),
    "logit at 0.5": (tn.logit, (0.5,), [[0.0]]),
    "clamp at the bound": (lambda x: tn.clamp(x, 0.0, 1.0) ** 2, (1.0,), [[2.0]]),
    "clamp outside": (lambda x: tn.clamp(x, 0.0, 1.0) ** 2, (1.5,), [[0.0]]),
    "floor": (tn.floor, (1.0,), [[0.0]]),
    "frac": (lambda x: tn.frac(x) ** 2, (1.25,), [[2.0]]),
    "nan_to_num": (lambda x: tn.nan_to_num(x) ** 2, (inf,), [[0.0]]),
    "logaddexp of equals": (tn.logaddexp, (1.0, 1.0), [[0.25, -0.25], [-0.25, 0.25]]),
    "logaddexp far apart": (tn.logaddexp, (1e3, -1e3), [[0.0, 0.0], [0.0, 0.0]]),
    "logaddexp of infinities": (tn.logaddexp, (-inf, -inf), [[0.0, 0.0], [0.0, 0.0]]),
    "hypot at the origin": (tn.hypot, (0.0, 0.0), [[0.0, 0.0], [0.0, 0.0]]),
    "hypot on an axis": (tn.hypot, (2.0, 0.0), [[0.0, 0.0], [0.0, 0.5]]),
    "atan2 at the origin": (tn.atan2, (0.0, 0.0), [[0.0, 0.0], [0.0, 0.0]]),
    "atan2 on an axis": (tn.atan2, (0.0, 2.0), [[0.0, -0.25], [-0.25, 0.0]]),
    "maximum of equals": (lambda x, y: tn.maximum(x, y) ** 2, (1.0, 1.0), [[0.5, 0.5], [0.5, 0.5]]),
    "remainder": (lambda x, y: tn.remainder(x, y) ** 2, (5.0, 3.0), [[2.0, -2.0], [-2.0, 2.0]]),
    "fmod": (lambda x, y: tn.fmod(x, y) ** 2, (-5.0, 3.0), [[2.0, 2.0], [2.0, 2.0]]),
    "copysign": (lambda x, y: tn.copysign(x, y) ** 2, (3.0, -0.0), [[2.0, 0.0], [0.0, 0.0]]),
    "lerp of the weight": (lambda x, w: tn.lerp(x, x + 2, w) ** 2, (1.0, 0.5), [[2.0, 4.0], [4.0, 8.0]]),
}


@pytest.mark.parametrize("name", CURVATURES)
def test_curvature(name: str) -> None:
    function, at, expected = CURVATURES[name]
    xs = [tn.tensor(x, dtype=tn.float64, requires_grad=True) for x in at]
    first = tn.autograd.grad(function(*xs), xs, create_graph=True)
    for g, row in zip(first, expected, strict=True):
        found = tn.autograd.grad(g, xs, allow_unused=True, retain_graph=True) if g.requires_grad else [None] * len(xs)
        np.testing.assert_allclose([0.0 if h is None else h.item() for h in found], row, atol=1e-15)


@pytest.mark.torch
@pytest.mark.parametrize("limits", [(-1.0, 0.5), (0.5, -1.0), (None, 0.5), (-1.0, None), (nan, 1.0), (0.0, inf)])
def test_clamp_at_the_edges_as_torch(limits: tuple[Any, Any]) -> None:
    torch = pytest.importorskip("torch")
    for x in EDGES if limits != (0.5, -1.0) else EDGES[:-1]:  # there a NaN has the slope 1, and stays NaN
        values = [m.clamp(m.tensor(x, dtype=m.float64), *limits).item() for m in (tn, torch)]
        np.testing.assert_array_equal(*values)
        np.testing.assert_array_equal(*(slopes(m, lambda m, x: m.clamp(x, *limits), x) for m in (tn, torch)), err_msg=str(x))


def test_rounding_gives_zeros_and_not_none() -> None:
    for function in (
        tn.floor,
        tn.ceil,
        tn.trunc,
        tn.round,
        tn.sign,
        lambda x: x // 0.3,
        lambda x: tn.div(x, 0.0, rounding_mode="trunc"),
    ):
        for dtype in (tn.float32, tn.float64):
            x = tn.tensor([1.5, -2.0, inf], dtype=dtype, requires_grad=True)
            out = function(x)
            assert out.requires_grad
            (g,) = tn.autograd.grad(out, [x], tn.full_like(x, inf))
            assert (g.dtype, g.tolist()) == (dtype, [0, 0, 0])


# ---- operators and writing in place ----


@pytest.mark.parametrize("sign", ["+", "-", "*", "//", "%", "**", "&", "|", "^", "<<", ">>"])
def test_integer_operators_as_python(sign: str) -> None:
    """The tensor on either side, both sides, in place, and among numpy's arrays."""
    numbers, others = [5, 0, -7, 12], [2, 1, 3, 4]
    operator = eval(f"lambda a, b: a {sign} b")
    expected = [operator(a, b) for a, b in zip(numbers, others, strict=True)]
    x, y = tn.tensor(numbers), tn.tensor(others)
    assert operator(x, y).tolist() == operator(x, y.numpy()).tolist() == operator(x.numpy(), y).tolist() == expected
    assert isinstance(operator(x.numpy(), y), tn.Tensor)
    assert operator(x, 3).tolist() == [operator(a, 3) for a in numbers]
    assert operator(13, y).tolist() == [operator(13, b) for b in others]
    names = {"x": x.clone(), "y": y}
    same = names["x"]
    exec(f"x {sign}= y", names)
    assert names["x"] is same
    assert same.tolist() == expected


def test_operators_in_place_are_recorded() -> None:
    x = tn.tensor([2.5, -1.5], dtype=tn.float64, requires_grad=True)
    y = x * 1
    y %= 0.7
    y *= 3
    z = x * 1
    z //= 0.4
    assert tn.autograd.grad((y + z).sum(), [x])[0].tolist() == [3, 3]
    np.testing.assert_allclose(y.tolist(), [3 * (2.5 % 0.7), 3 * (-1.5 % 0.7)])
    assert z.tolist() == [2.5 // 0.4, -1.5 // 0.4]
    assert (~tn.tensor([True, False])).tolist() == [False, True]
    assert (~tn.tensor([0, 5, -1])).tolist() == [-1, -6, 0]
    assert [v.tolist() for v in divmod(tn.tensor([7, -7]), 2)] == [[3, -4], [1, 1]]


# ---- errors ----

a, whole, flags = [1.0, 2.0], [4, 5], [True, False]
Bad = tuple[Callable[[Any, Any, Any, Any], Any], str]
BAD: dict[str, Bad] = {
    "// 0": (lambda m, a, i, b: i // 0, r"floor_divide\(i64\[2\], 0\): integers cannot be divided by 0.*\.float\(\)"),
    "% 0": (lambda m, a, i, b: i % (i - 4), r"remainder\(i64\[2\], i64\[2\]\): integers cannot be divided by 0"),
    "fmod 0": (lambda m, a, i, b: m.fmod(i, 0), r"fmod\(i64\[2\], 0\): integers cannot be divided by 0"),
    "div trunc 0": (lambda m, a, i, b: m.div(i, 0, rounding_mode="trunc"), r"trunc_divide\(i64\[2\], 0\): integers cannot"),
    "//= 0": (lambda m, a, i, b: i.floor_divide_(0), r"floor_divide\(i64\[2\], 0\): integers cannot be divided by 0"),
    "bool // bool": (lambda m, a, i, b: b // b, r"floor_divide\(bool\[2\], bool\[2\]\): truth values cannot be divided"),
    "bool ** bool": (lambda m, a, i, b: b**b, r"pow\(bool\[2\], bool\[2\]\): truth values have no powers"),
    "bool << bool": (lambda m, a, i, b: m.bitwise_left_shift(b, b), r"bitwise_left_shift\(bool\[2\], bool\[2\]\): truth values"),
    "float & 1": (lambda m, a, i, b: a & 1, r"bitwise_and\(f32\[2\], 1\.0\): floats are no bits.*Cast an operand"),
    "rounding mode": (lambda m, a, i, b: m.div(a, a, rounding_mode="up"), r"div: rounding_mode must be None, 'trunc' or 'floor', got 'up'"),
    "clamp": (lambda m, a, i, b: m.clamp(a), r"clamp: at least one of min and max must be given"),
    "heaviside": (lambda m, a, i, b: m.heaviside(a, i), r"heaviside\(f32\[2\], i64\[2\]\): all need one dtype.*\.to\(dtype\)"),
    "lerp": (lambda m, a, i, b: m.lerp(a, a.double(), 0.5), r"lerp\(f32\[2\], f64\[2\]\): all need one dtype"),
    "lerp of integers": (lambda m, a, i, b: m.lerp(i, i, 0.5), r"lerp: Tensor i64\[2\] is not floating-point"),
    "isclose": (lambda m, a, i, b: m.isclose(a, i), r"isclose\(f32\[2\], i64\[2\]\): all need one dtype"),
    "isclose tolerance": (lambda m, a, i, b: m.isclose(a, a, rtol=-1.0), r"isclose: tolerances cannot be negative, got rtol=-1\.0"),
    "hypot": (lambda m, a, i, b: m.hypot(i, i), r"hypot\(i64\[2\], i64\[2\]\): none of them is floating-point"),
    "logaddexp": (lambda m, a, i, b: m.logaddexp(i, b), r"logaddexp\(i64\[2\], bool\[2\]\): none of them is floating-point"),
    "addcdiv": (lambda m, a, i, b: m.addcdiv(a, i, i), r"addcdiv\(i64\[2\], i64\[2\]\): none of them is floating-point"),
    "frac": (lambda m, a, i, b: m.frac(i), r"frac: Tensor i64\[2\] is not floating-point"),
    "round": (lambda m, a, i, b: m.round(i, decimals=1), r"round: Tensor i64\[2\] is not floating-point"),
    "+bool": (lambda m, a, i, b: +b, r"positive: Tensor bool\[2\] holds truth values"),
    "bool += int": (lambda m, a, i, b: b.add_(1), r"add_: the result is Tensor i64\[2\], which Tensor bool\[2\] cannot hold"),
    "int *= float": (lambda m, a, i, b: i.mul_(1.5), r"mul_: the result is Tensor f32\[2\], which Tensor i64\[2\] cannot hold"),
    "sqrt_": (lambda m, a, i, b: i.sqrt_(), r"sqrt_: the result is Tensor f32\[2\], which Tensor i64\[2\] cannot hold"),
    "shapes": (lambda m, a, i, b: m.maximum(a, m.zeros(3)), r"maximum\(f32\[2\], f32\[3\]\).*reshape, unsqueeze or expand"),
    "float_power": (lambda m, a, i, b: m.float_power(2, 3), r"float_power: needs a Tensor, got int and int"),
    "clamp a number": (lambda m, a, i, b: m.clamp(1.0, 0.0), r"clamp: needs a Tensor, got float"),
    "heaviside of a number": (lambda m, a, i, b: m.heaviside(a, 1.0), r"heaviside: needs a Tensor, got float"),
    "float_power of text": (lambda m, a, i, b: m.float_power(a, "b"), r"pow: a str is no operand"),
    "add text": (lambda m, a, i, b: m.maximum(a, "b"), r"maximum: a str is no operand"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str) -> None:
    act, message = BAD[name]
    with pytest.raises((RuntimeError, TypeError), match=r"(?s)" + message) as caught:
        act(tn, tn.tensor(a), tn.tensor(whole), tn.tensor(flags))
    assert ".. " not in str(caught.value)


@pytest.mark.torch
@pytest.mark.parametrize("name", BAD)
def test_bad_input_raises_the_class_of_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    found = []
    for m in (tn, torch):
        with pytest.raises((RuntimeError, TypeError)) as caught:
            BAD[name][0](m, m.tensor(a), m.tensor(whole), m.tensor(flags))
        found.append(TypeError if isinstance(caught.value, TypeError) else RuntimeError)
    assert found[0] is found[1]


@pytest.mark.parametrize("dtype", [tn.uint8, tn.int8])
def test_numbers_that_the_dtype_cannot_hold(dtype: np.dtype) -> None:
    """Comparisons know what is larger; what would have to be stored raises."""
    x = tn.tensor([0, 1, 100], dtype=dtype)
    assert (x < 300).all()
    assert (x > -300).all()
    for act in (
        lambda: tn.clamp(x, max=-300),
        lambda: tn.where(x > 0, 300, x),
        lambda: x.masked_fill(x > 0, 300),
        lambda: x + 300,
        lambda: tn.maximum(x, 300),
        lambda: x & 300,
    ):
        with pytest.raises(RuntimeError, match=rf"Python integer -?300 out of bounds for {dtype}.*Cast an operand"):
            act()


def test_empty_integers_can_be_divided() -> None:
    assert (tn.zeros(0, dtype=tn.int64) // 0).shape == (0,)
    assert (tn.tensor([5.0]) // 0).item() == inf


@pytest.mark.parametrize("dtype", [tn.int8, tn.uint8, tn.int64, tn.uint64])
def test_whole_quotients_are_exact(dtype: np.dtype) -> None:
    """No float in between: all bits of the largest numbers are there."""
    top = int(np.iinfo(dtype).max)
    x, y = tn.tensor(np.array([top, top - 1, top // 2], dtype)), tn.tensor(np.array([3, 7, 5], dtype))
    for mode in ("floor", "trunc"):
        assert tn.div(x, y, rounding_mode=mode).tolist() == [top // 3, (top - 1) // 7, top // 2 // 5]
    assert tn.fmod(x, y).tolist() == tn.remainder(x, y).tolist() == [top % 3, (top - 1) % 7, top // 2 % 5]
