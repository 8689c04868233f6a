"""Dtype promotion: torch's ``result_type``, exactly; a small table by hand where torch is not installed."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tablecheck import ROWS as PRIMITIVES

import tinygrad_notes as tn
from tinygrad_notes.dtypes import DTYPES, promote_types, result_type

SCALARS = (True, 2, 1.5)
KINDS = ("tensor", "0-d")


def short(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


def make(dtype: np.dtype[Any], kind: str) -> tn.Tensor:
    return tn.tensor(np.ones((2,) if kind == "tensor" else (), dtype))


# ---- by hand ----

#  left             right            result
BY_HAND = """
float32[2]          float64[2]       float64
float32[2]          float64[]        float32
float32[]           float64[2]       float64
float32[]           float64[]        float64
int64[2]            float32[2]       float32
int64[2]            float32[]        float32
int64[2]            float64[]        float64
float32[2]          int64[2]         float32
int32[2]            int64[]          int32
int32[]             int64[2]         int64
uint8[2]            int8[2]          int16
uint8[2]            int8[]           uint8
bool[2]             uint8[]          uint8
bool[2]             bool[]           bool
float32[2]          True             float32
float32[2]          1.5              float32
float64[]           1.5              float64
int64[2]            1.5              float32
int8[2]             2                int8
int8[]              2                int8
bool[2]             2                int64
bool[]              1.5              float32
bool[2]             True             bool
uint64[2]           2                uint64
uint32[2]           float64[2]       float64
"""
ROWS = [line.split() for line in BY_HAND.strip().splitlines()]


def operand(text: str) -> Any:
    if "[" not in text:
        return {"True": True, "2": 2, "1.5": 1.5}[text]
    name, shape = text[:-1].split("[")
    return make(np.dtype(name), "tensor" if shape else "0-d")


@pytest.mark.parametrize(("left", "right", "expected"), ROWS)
def test_by_hand(left: str, right: str, expected: str) -> None:
    a, b = operand(left), operand(right)
    assert (a + b).dtype == expected
    assert (b + a).dtype == expected
    assert tn.where(tn.tensor([True, False]), a, b).dtype == expected
    assert (a * b).dtype == expected
    assert (a < b).dtype == tn.bool_
    assert (a / b).dtype == (expected if expected.startswith("float") else "float32")


def test_scalars_alone() -> None:
    assert tn.where(tn.tensor([True]), 1.0, 2).dtype == tn.float32
    assert tn.where(tn.tensor([True]), 1, 2).dtype == tn.int64
    assert tn.where(tn.tensor([True]), True, False).dtype == tn.bool_
    assert tn.exp(2).dtype == tn.float32
    with pytest.raises(TypeError, match="at least one operand"):
        result_type([])


def test_without_a_common_type() -> None:
    for a, b in (
        (tn.uint32, tn.int32),
        (tn.uint64, tn.int64),
        (tn.uint32, tn.uint64),
        (tn.uint64, tn.bool_),
        (tn.uint8, tn.uint32),
    ):
        for x, y in ((a, b), (b, a)):
            with pytest.raises(RuntimeError, match=rf"{x} and {y} have no common integer dtype.*\.to\(dtype\)"):
                promote_types(x, y)


def test_powers_of_two_are_not_special() -> None:
    """The square is computed as a product; its dtype must not tell."""
    for dtype in (tn.bool_, tn.uint8, tn.int64, tn.float32, tn.float64):
        x = tn.tensor(np.array([1, 0], dtype))
        for exponent in (2, 2.0, 3, 3.0):
            assert (x**exponent).dtype == result_type([x], [exponent]), (dtype, exponent)


def test_sums_and_reductions() -> None:
    for dtype in DTYPES:
        x = tn.tensor(np.ones((2, 3), dtype))
        assert x.sum().dtype == (dtype if dtype.kind == "f" else tn.int64)
        for wanted in (tn.int32, tn.float64, tn.bool_):
            assert x.sum(1, dtype=wanted).dtype == wanted
        assert x.amax(0).dtype == x.amin().dtype == x.max(1).values.dtype == dtype
        assert x.argmax().dtype == x.argmin(1).dtype == tn.int64
    assert tn.sum(tn.tensor([200, 100], dtype=tn.uint8)).item() == 300
    with pytest.raises(RuntimeError, match="float16 is not supported"):
        tn.ones(2).sum(dtype=np.float16)


# ---- by torch ----


@pytest.mark.torch
def test_result_type_as_torch() -> None:
    torch = pytest.importorskip("torch")
    refused = 0
    for a in DTYPES:
        for b in DTYPES:
            try:
                expected: Any = short(torch.promote_types(getattr(torch, a.name), getattr(torch, b.name)))
            except RuntimeError:
                expected = None
            if expected is None:
                refused += 1
                with pytest.raises(RuntimeError):
                    promote_types(a, b)
            else:
                assert promote_types(a, b) == expected, (a, b)
    assert refused > 10


def _theirs(torch: Any, dtype: np.dtype[Any], kind: str) -> Any:
    return torch.ones((2,) if kind == "tensor" else (), dtype=getattr(torch, dtype.name))


@pytest.mark.torch
@pytest.mark.parametrize("left", KINDS)
@pytest.mark.parametrize("right", [*KINDS, "scalar"])
def test_every_pair_as_torch(left: str, right: str) -> None:
    torch = pytest.importorskip("torch")
    for a in DTYPES:
        for b in SCALARS if right == "scalar" else DTYPES:
            x, tx = make(a, left), _theirs(torch, a, left)
            y, ty = (b, b) if right == "scalar" else (make(b, right), _theirs(torch, b, right))  # type: ignore[arg-type]
            try:
                expected = short(torch.result_type(tx, ty))
            except RuntimeError:
                with pytest.raises(RuntimeError):
                    x + y
                continue
            arrays, scalars = ([x], [y]) if right == "scalar" else ([x, y], [])
            assert result_type(arrays, scalars) == expected, (a, left, b, right)
            assert (x * y).dtype == (y * x).dtype == expected


BINARY = [
    "add", "sub", "mul", "div", "true_divide", "floor_divide", "remainder", "fmod", "pow", "float_power", "maximum",
    "minimum", "fmax", "fmin", "atan2", "hypot", "logaddexp", "copysign", "heaviside", "eq", "ne", "lt", "le", "gt", "ge",
    "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift", "logical_and", "logical_or",
    "logical_xor", "isclose",
]  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Any]] = {name: lambda m, x, y, name=name: getattr(m, name)(x, y) for name in BINARY} | {
    "div floor": lambda m, x, y: m.div(x, y, rounding_mode="floor"),
    "div trunc": lambda m, x, y: m.div(x, y, rounding_mode="trunc"),
    "clamp below": lambda m, x, y: m.clamp(x, min=y),
    "clamp above": lambda m, x, y: m.clamp(x, max=y),
    "lerp": lambda m, x, y: m.lerp(x, y, 0.3),
    "addcmul": lambda m, x, y: m.addcmul(x, x, y),
    "addcdiv": lambda m, x, y: m.addcdiv(x, y, x),
    **{f"operator {name}": lambda m, x, y, name=name: getattr(operator, name)(x, y) for name in (
        "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and_", "or_", "xor", "lshift", "rshift",
        "eq", "ne", "lt", "le", "gt", "ge")},
}  # fmt: skip
STRICTER = {
    "operator lshift": "torch multiplies floats and bools by a power of two under this sign",
    "operator rshift": "torch divides floats and bools by a power of two under this sign",
    "pow": "torch has one power of a bool: the number True",
    "operator pow": "torch has one power of a bool: the number True",
}
WIDER = {
    "sub": "a bool is 0 or 1 here as in a sum; torch has the mask inverted by ~",
    "operator sub": "as sub",
    "clamp below": "torch refuses a bool between numbers, and takes it between Tensors",
    "clamp above": "as below",
    "addcmul": "torch has no kernel for bools",
}
KERNELS_MISSING = (tn.uint32, tn.uint64)
"""Dtypes for which torch lacks most kernels: what it refuses, works here."""


def answer(function: Callable[..., Any], *operands: Any) -> Any:
    """The dtype of the result; "refused" where the call raises what is no TypeError about scalars."""
    try:
        return short(function(*operands).dtype)
    except TypeError:
        return "no such call"
    except RuntimeError:
        return "refused"


@pytest.mark.torch
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_binary_function_as_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    compared = refused = differ = 0
    for a in DTYPES:
        for b in (*DTYPES, *SCALARS):
            for left, right in ((x, y) for x in KINDS for y in KINDS):
                x, tx = make(a, left), _theirs(torch, a, left)
                y, ty = (make(b, right), _theirs(torch, b, right)) if isinstance(b, np.dtype) else (b, b)
                for ours, theirs in (((x, y), (tx, ty)), ((y, x), (ty, tx))):
                    expected = answer(FUNCTIONS[name], torch, *theirs)
                    if expected == "no such call" or (expected == "refused" and (a in KERNELS_MISSING or b in KERNELS_MISSING)):
                        continue
                    found = answer(FUNCTIONS[name], tn, *ours)
                    if (name in STRICTER and found == "refused") or (name in WIDER and expected == "refused"):
                        differ += 1
                        continue
                    assert found == expected, (ours, found, expected)
                    refused += expected == "refused"
                    compared += expected != "refused"
    assert compared > 100 or name in ("heaviside", "isclose", "lerp")
    assert compared
    assert compared + refused > 100
    assert bool(differ) == (name in STRICTER or name in WIDER)


@pytest.mark.torch
def test_the_binary_rows_are_among_the_functions() -> None:
    assert {op.name for op in PRIMITIVES if op.kind == "elementwise" and op.args == ("x", "y")} <= {*FUNCTIONS, "trunc_divide"}


IN_PLACE = [
    "add_", "sub_", "mul_", "div_", "floor_divide_", "remainder_", "fmod_", "pow_", "atan2_", "copysign_", "eq_", "lt_",
    "logical_and_", "bitwise_or_", "bitwise_left_shift_", "clamp_min_",
]  # fmt: skip


@pytest.mark.torch
@pytest.mark.parametrize("name", IN_PLACE)
def test_every_pair_in_place_as_torch(name: str) -> None:
    """What is written keeps its dtype; a result of a higher kind is refused."""
    torch = pytest.importorskip("torch")
    kept = refused = 0
    for a in DTYPES:
        for b in (*DTYPES, *SCALARS):
            if a in KERNELS_MISSING or b in KERNELS_MISSING or (a == tn.bool_ and name in ("sub_", "clamp_min_", "pow_")):
                continue
            x, tx = make(a, "tensor"), _theirs(torch, a, "tensor")
            y, ty = (make(b, "0-d"), _theirs(torch, b, "0-d")) if isinstance(b, np.dtype) else (b, b)
            expected, found = (
                answer(lambda m, x, y: getattr(x, name)(y), m, *xs) for m, xs in ((torch, (tx, ty)), (tn, (x, y)))
            )
            if expected == "no such call" or (name == "sub_" and (b is True or b == tn.bool_)):
                continue
            assert found == expected, (a, b)
            kept += found == a
            refused += found == "refused"
    assert kept > 10
    assert refused > 5 or name in ("eq_", "lt_", "logical_and_")
