"""The vector math: errors in units in the last place, special values, and that an element's bits depend on itself alone."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from tinygrad_notes.kernels import native, team, vector

sys.path.insert(0, str(Path(__file__).parent.parent))
pytest.importorskip("mpmath")
from bench import accuracy, constants

pytestmark = pytest.mark.skipif(not native.available(), reason="no kernels on this machine, or switched off")
NAMES = list(accuracy.EXACT)
inf, nan = np.inf, np.nan

SPECIAL: dict[str, list[tuple[float, float]]] = {  # argument and exact result
    "exp": [(0.0, 1.0), (-0.0, 1.0), (inf, inf), (-inf, 0.0), (1e30, inf), (-1e30, 0.0)],
    "expm1": [(0.0, 0.0), (-0.0, -0.0), (inf, inf), (-inf, -1.0), (1e30, inf), (-1e30, -1.0), (-60.0, -1.0)],
    "log": [(0.0, -inf), (-0.0, -inf), (1.0, 0.0), (inf, inf), (-inf, nan), (-1.0, nan), (-1e-40, nan)],
    "log1p": [(0.0, 0.0), (-0.0, -0.0), (-1.0, -inf), (inf, inf), (-inf, nan), (-1.5, nan), (-1e30, nan)],
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (inf, 1.0), (-inf, -1.0), (30.0, 1.0), (-1e30, -1.0)],
    "sigmoid": [(0.0, 0.5), (-0.0, 0.5), (inf, 1.0), (-inf, 0.0), (100.0, 1.0), (-1e30, 0.0)],
    "logsigmoid": [(inf, 0.0), (-inf, -inf), (1e30, 0.0), (-(2.0**100), -(2.0**100))],
    "erf": [(0.0, 0.0), (-0.0, -0.0), (inf, 1.0), (-inf, -1.0), (8.0, 1.0), (-1e30, -1.0)],
    "erfc": [(0.0, 1.0), (-0.0, 1.0), (inf, 0.0), (-inf, 2.0), (1e30, 0.0), (-8.0, 2.0)],
    "gelu": [(0.0, 0.0), (-0.0, -0.0), (inf, inf), (-inf, -0.0), (2.0**100, 2.0**100), (-1e30, -0.0)],
    "gelu_tanh": [(0.0, 0.0), (-0.0, -0.0), (inf, inf), (-inf, -0.0), (2.0**100, 2.0**100), (-1e30, -0.0)],
    "sin": [(0.0, 0.0), (-0.0, -0.0), (inf, nan), (-inf, nan)],
    "cos": [(0.0, 1.0), (-0.0, 1.0), (inf, nan), (-inf, nan)],
}
ODD = ("expm1", "log1p", "tanh", "sin")  # and of slope 1 at 0: a denormal number is its own image


def kernel(name: str, character: str) -> np.ufunc:
    found = vector.kernel(name, character)
    assert found is not None
    return found


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """The same bits."""
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def numbers(name: str, character: str, count: int) -> np.ndarray:
    """Ordinary numbers with all kinds of others among them."""
    x = np.random.default_rng(count).normal(0, 3, count)
    x[::7] = np.resize([0.0, -0.0, inf, -inf, nan, 1e-310, 1e-40, -1e-40, 1e5, -1e9, 1e30, -100.0, 90.0], x[::7].size)
    return x.astype(character)


@pytest.mark.parametrize("name", NAMES)
def test_at_most_4_units_in_the_last_place(name: str) -> None:
    for error, where, count in (accuracy.float64_error(name, 150), accuracy.float32_error(name, 20011, 7)):
        assert count > 500
        assert error <= 4, f"{error} at {where!r}"


@pytest.mark.parametrize("character", "fd")
@pytest.mark.parametrize("name", NAMES)
def test_special_values(name: str, character: str) -> None:
    assert set(SPECIAL) == set(NAMES)
    for x, expected in [*SPECIAL[name], (nan, nan)]:
        (found,) = kernel(name, character)(np.array([x], character))
        np.testing.assert_equal(found, np.dtype(character).type(expected), err_msg=f"{name}({x})")  # the sign of 0 counts
        assert np.signbit(found) == np.signbit(expected) or np.isnan(expected), f"{name}({x}) = {found}"
    smallest = np.finfo(character).smallest_subnormal
    if name in ODD:
        for x in np.array([smallest, -smallest, 1234 * smallest], character):
            assert kernel(name, character)(np.array([x]))[0] == x
    if name == "exp":
        last = -103.5 if character == "f" else -744.9  # a little above half of the smallest number
        assert kernel(name, character)(np.array([last], character))[0] == smallest


@pytest.mark.parametrize("character", "fd")
@pytest.mark.parametrize("name", NAMES)
def test_an_elements_bits_depend_on_itself_alone(name: str, character: str) -> None:
    function = kernel(name, character)
    x = numbers(name, character, 300)
    whole = function(x)
    for length in range(71):  # vectors and the masked rest, at every place
        assert same(function(x[:length]), whole[:length])
        assert same(function(x[5 : 5 + length]), whole[5 : 5 + length])
    assert same(function(x[::3]), whole[::3])
    assert same(function(x[::-1]), whole[::-1])
    assert same(function(x.reshape(20, 15).T), whole.reshape(20, 15).T)
    assert same(function(np.broadcast_to(x[1], (4, 30))), np.broadcast_to(whole[1], (4, 30)).copy())
    out = np.full((300, 2), 7, character)
    function(x, out=out[:, 1])
    assert same(out[:, 1].copy(), whole)
    assert (out[:, 0] == 7).all()
    within = x.copy()
    function(within, out=within)
    assert same(within, whole)
    backwards = x.copy()
    function(backwards[::-1], out=backwards)
    assert same(backwards, whole[::-1].copy())
    masked = np.zeros_like(x)
    function(x, out=masked, where=np.arange(300) % 2 == 0)
    assert same(masked[::2].copy(), whole[::2].copy())
    assert not masked[1::2].any()


@pytest.mark.parametrize("character", "fd")
@pytest.mark.parametrize("name", ["exp", "sin", "gelu"])
def test_one_and_many_threads_give_the_same_bits(name: str, character: str) -> None:
    x = np.resize(numbers(name, character, 4099), 200_003)
    before, found = team.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            team.set_num_threads(threads)
            found.append(kernel(name, character)(x))
    finally:
        team.set_num_threads(before)
    assert same(found[0], found[1])
    assert same(found[0], found[2])


@pytest.mark.parametrize("name", NAMES)
def test_no_floating_point_warnings(name: str) -> None:
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        for character in "fd":
            with np.errstate(all="ignore"):
                x = numbers(name, character, 500)
            kernel(name, character)(x)


@pytest.mark.parametrize("name", sorted(vector.VECTOR))
def test_the_face_calls_the_kernel_from_its_size_on(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[int] = []
    function = vector.kernel

    def watched(*names: str) -> object:
        return lambda x: called.append(x.size) or function(*names)(x)

    monkeypatch.setattr(vector, "kernel", watched)
    for character in "fdg":
        gate = vector.VECTOR[name].get(character)
        for size in (5, 1 << 14):
            called.clear()
            x = np.linspace(0.5, 2, size).astype(character)
            found = getattr(vector, name)(x)
            assert found.dtype == x.dtype
            assert called == ([size] if gate is not None and size >= gate else [])
            if character != "g":
                np.testing.assert_allclose(found, function(name, character)(x), rtol=8 * np.finfo(character).eps)


def test_the_constants_are_what_the_script_derives() -> None:
    """Those that take no time here; the longer test derives all."""
    from tinygrad_notes.kernels.jit.constants import FLOAT32

    found, _ = constants.fit(*constants.polynomials("FLOAT32")["sin"], constants.SHAPES["FLOAT32"]["sin"], np.float32)
    assert tuple(float(constants.written(c, np.float32)) for c in found) == FLOAT32["sin"]


@pytest.mark.long
def test_the_script_prints_the_constants() -> None:
    source = Path(native.__file__).parent / "jit" / "constants.py"
    assert constants.module() == source.read_text(encoding="utf-8")
