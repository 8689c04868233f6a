"""The arguments that functions share: numpy's names for PyTorch's, in every function that takes them."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.functions.names import numpy_names
from tinygrad_notes.stubs import stub

NAMES = {"dim": "axis", "dims": "axis", "keepdim": "keepdims"}


def public() -> dict[str, Callable[..., Any]]:
    """Every public function and method that can be called by keyword."""
    homes: list[tuple[Any, list[str]]] = [(tn, dir(tn)), (tn.Tensor, dir(tn.Tensor))]
    homes += [(room, room.__all__) for room in (tn.nn.functional, tn.linalg)]
    found = {f"{home.__name__}.{n}": getattr(home, n) for home, names in homes for n in names if not n.startswith("_")}
    return {name: f for name, f in found.items() if inspect.isfunction(f)}


@pytest.mark.parametrize("name", public())
def test_every_function_with_dim_takes_axis(name: str) -> None:
    function = public()[name]
    parameters = inspect.signature(function).parameters
    if name.endswith((".permute", ".tensordot", "Tensor.size")):  # numpy says ``axes``; ``size`` is a method of its own
        return
    for ours, numpys in NAMES.items():
        if ours in parameters:
            assert getattr(function, "numpy_names", {}).get(ours) == numpys, (
                f"{name} takes {ours}: decorate it with numpy_names"
            )


def test_both_names_give_the_same() -> None:
    x = tn.tensor([[1.0, 5.0, 3.0], [4.0, 2.0, 6.0]])
    index = tn.tensor([[0], [1]])
    pairs: list[tuple[tn.Tensor, tn.Tensor]] = [
        (x.sum(dim=1), x.sum(axis=1)),
        (tn.sum(x, dim=(0, 1), keepdim=True), tn.sum(x, axis=(0, 1), keepdims=True)),
        (x.sum(1, True), x.sum(1, keepdims=True)),
        (x.sum(dim=None), x.sum(axis=None)),
        (tn.mean(x, 0), tn.mean(x, axis=0)),
        (x.max(1).indices, x.max(axis=1).indices),
        (tn.gather(x, 1, index), tn.gather(x, axis=1, index=index)),
        (x.gather(1, index), x.gather(index=index, axis=1)),
        (tn.cat([x, x], 1), tn.cat([x, x], axis=1)),
        (tn.nn.functional.softmax(x, 0), tn.nn.functional.softmax(x, axis=0)),
    ]
    for a, b in pairs:
        np.testing.assert_array_equal(a.numpy(), b.numpy(), strict=True)


def test_one_argument_under_both_names_raises() -> None:
    x = tn.ones(2, 3)
    calls: list[Callable[[], Any]] = [
        lambda: x.sum(1, axis=1),
        lambda: tn.sum(x, dim=(0, 1), axis=0),
        lambda: tn.cat([x, x], 0, axis=0),
        lambda: tn.cat([x, x], dim=0, axis=1),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=r"(sum|cat)\(\) got both dim and axis, numpy's name for it; give one of them"):
            call()
    with pytest.raises(TypeError, match=r"mean\(\) got both keepdim and keepdims"):
        x.mean(0, True, keepdims=False)


def test_a_missing_argument_is_named() -> None:
    x = tn.ones(2, 3)
    with pytest.raises(TypeError, match=r"gather\(\) missing 1 required positional argument: 'dim'"):
        x.gather(index=tn.tensor([[0]]))
    for call in (lambda: x.gather(axis=0), lambda: x.gather(0)):
        with pytest.raises(TypeError, match=r"gather\(\) missing 1 required positional argument: 'index'"):
            call()
    for call in (lambda: x.sum(axes=0), lambda: x.amax(axes=0)):
        with pytest.raises(TypeError, match=r"(sum|amax)\(\) got an unexpected keyword argument 'axes'"):
            call()


def test_starred_dims_take_axis() -> None:
    @numpy_names
    def flip(input: str, *dims: int) -> tuple[str, Any]:
        return input, dims

    assert flip("x", 0, 1) == ("x", (0, 1))
    assert flip("x", axis=(0, 1)) == ("x", ((0, 1),))  # type: ignore[call-arg]  # the decorator adds the name
    assert flip("x", dims=(0, 1)) == ("x", ((0, 1),))  # type: ignore[call-arg]  # the decorator adds the name
    with pytest.raises(TypeError, match="both dims and axis"):
        flip("x", 0, axis=1)  # type: ignore[call-arg]  # the decorator adds the name


def test_help_shows_pytorchs_signature_and_the_stub_numpys_names_too() -> None:
    assert str(inspect.signature(tn.sum)) == (
        "(input: 'Tensor', dim: 'Dim' = None, keepdim: 'bool' = False, *, dtype: 'Any' = None) -> 'Tensor'"
    )
    assert "def sum(self, dim: Dim = None, keepdim: builtins.bool = False, *, dtype: Any = None, axis: Dim = ..., " in stub()
    assert "def gather(self, dim: builtins.int = ..., index: Tensor = ..., *, " in stub()
    assert (tn.sum.__name__, tn.sum.__module__) == ("sum", "tinygrad_notes.functions.reduce")
    assert tn.sum.__doc__ is not None
    assert tn.sum.__doc__.startswith("The sum over")
    assert pickle.loads(pickle.dumps(tn.sum)) is tn.sum


def test_numpy_names_refuses_a_function_without_them() -> None:
    def add(x: int, y: int) -> int:
        return x + y

    with pytest.raises(ValueError, match="add has none of the arguments dim, dims, keepdim"):
        numpy_names(add)


def test_rows_take_pytorchs_names_of_operands_and_say_what_they_compute() -> None:
    x = tn.tensor([3.0, 4.0], requires_grad=True)
    out = tn.div(other=tn.mul(input=x, other=x), input=1)
    np.testing.assert_allclose(out.detach().numpy(), [1 / 9, 1 / 16], rtol=1e-6)
    out.sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), [-2 / 27, -2 / 64], rtol=1e-6)
    assert (tn.exp.__doc__, tn.atan2.__doc__) == ("``exp(input)``", "``atan2(input, other)``")
    assert str(inspect.signature(tn.maximum)) == "(input, other)"
