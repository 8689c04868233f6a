"""Derives every constant of the vector math and prints the source of ``kernels/jit/constants.py``.

Polynomials are nearly minimax: least squares at Chebyshev's points, weighted anew by the error that is left, a dozen times
(C. L. Lawson, Contributions to the theory of linear least maximum approximations, 1961), in 50 digits. Coefficients are rounded
to the dtype one after the other, lowest first, and the rest is fitted anew each time, so that the rounding of those that matter
is made up for.

    python -m bench.constants > kernels/jit/constants.py
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np

mp.mp.dps = 50
GRID = 120
ROUNDS = 12
"""Rounds of weighting anew."""
REFITS = 4
"""Coefficients after whose rounding the rest is fitted anew; the rounding of the higher ones does not matter."""

Function = Callable[[Any], Any]
Weight = Callable[[Any], Any]
DTYPES: dict[str, type[np.floating]] = {"FLOAT32": np.float32, "FLOAT64": np.float64}

HEADER = '''"""The constants of ``formulas.py``, written by ``bench/constants.py`` (which see): edit that one.

Polynomials lowest coefficient first; a constant in parts (``ln2``, ``half_pi``) is the sum of its parts.
"""

from __future__ import annotations

from typing import Any

__all__ = ["FLOAT32", "FLOAT64", "TWO_OVER_PI"]
'''


def rounded(value: Any, dtype: type[np.floating]) -> Any:
    """To the nearest number of the dtype, as an mpf."""
    digits = 24 if dtype is np.float32 else 53
    with mp.workprec(digits):
        return +mp.mpf(value)


def parts(value: Any, dtype: type[np.floating], count: int) -> list[Any]:
    """The value as a sum of ``count`` numbers of the dtype, each the rest of those before."""
    found = []
    for _ in range(count):
        found.append(rounded(value, dtype))
        value -= found[-1]
    return found


def horner(coefficients: Sequence[Any], x: Any) -> Any:
    """The polynomial at x, lowest coefficient first."""
    total = mp.mpf(0)
    for c in reversed(coefficients):
        total = total * x + c
    return total


def lawson(grid: Sequence[Any], values: Sequence[Any], weights: Sequence[Any], fixed: Sequence[Any], count: int) -> list[Any]:
    """``count`` further coefficients after the fixed ones, so that the largest ``weight * |polynomial - value|`` is smallest."""
    start = len(fixed)
    rest = [v - horner(fixed, x) for x, v in zip(grid, values, strict=True)]
    powers = [[x**k for k in range(2 * (start + count) - 1)] for x in grid]
    shares = [mp.mpf(1)] * len(grid)
    best, found = mp.inf, [mp.mpf(0)] * count
    for _ in range(ROUNDS):
        squares = [s * w * w for s, w in zip(shares, weights, strict=True)]
        moments = [mp.fdot(squares, [p[k] for p in powers]) for k in range(2 * start, 2 * (start + count) - 1)]
        right = [mp.fdot(squares, [p[start + k] * r for p, r in zip(powers, rest, strict=True)]) for k in range(count)]
        solution = mp.lu_solve(mp.matrix([[moments[i + j] for j in range(count)] for i in range(count)]), mp.matrix(right))
        fresh = list(solution)
        errors = [w * abs(r - mp.fdot(fresh, p[start : start + count])) for w, r, p in zip(weights, rest, powers, strict=True)]
        if max(errors) < best:
            best, found = max(errors), fresh
        shares = [s * e for s, e in zip(shares, errors, strict=True)]
        total = mp.fsum(shares)
        shares = [s / total for s in shares]
    return found


def fit(
    function: Function, weight: Weight, low: Any, high: Any, terms: int, dtype: type[np.floating]
) -> tuple[list[Any], float]:
    """The polynomial with coefficients of the dtype that is nearly minimax, and the binary logarithm of the error that is left."""
    middle, half = (mp.mpf(high) + low) / 2, (mp.mpf(high) - low) / 2
    grid = [middle - half * mp.cos(mp.pi * (2 * k + 1) / (2 * GRID)) for k in range(GRID)]
    values, weights = [function(x) for x in grid], [abs(weight(x)) for x in grid]
    fixed: list[Any] = []
    for _ in range(min(REFITS, terms - 1)):
        fixed.append(rounded(lawson(grid, values, weights, fixed, terms - len(fixed))[0], dtype))
    fixed += [rounded(c, dtype) for c in lawson(grid, values, weights, fixed, terms - len(fixed))]
    worst = max(w * abs(horner(fixed, x) - v) for x, v, w in zip(grid, values, weights, strict=True))
    return fixed, float(mp.log(worst, 2))


def quotient(
    function: Function, weight: Weight, high: Any, upper: int, lower: int, dtype: type[np.floating]
) -> tuple[list[Any], list[Any], float]:
    """Polynomials p and q, ``q(0) = SCALE``, with ``p / q`` near f on [0, high]; the logarithm of the largest ``weight * |p / q - f|``.

    Least squares of that with the q before in place of q, weighted as in ``lawson``; q is rounded to the dtype, p fitted again.
    """
    grid = [high * ((1 - mp.cos(mp.pi * (2 * k + 1) / (2 * GRID))) / 2) ** 2 for k in range(GRID)]  # denser near 0
    values, weights = [function(x) for x in grid], [weight(x) for x in grid]
    shares, q = [mp.mpf(1)] * GRID, [mp.mpf(1)] * GRID
    size = upper + lower - 1
    best, found = mp.inf, [mp.mpf(1)]
    for turn in range(ROUNDS + 4):
        rows = []
        for x, f, v, s, below in zip(grid, values, weights, shares, q, strict=True):
            w = mp.sqrt(s) * v / below
            rows.append([x**k * w for k in range(upper)] + [-f * x**k * w for k in range(1, lower)] + [f * w])
        columns = list(zip(*rows, strict=True))
        normal = mp.matrix(size, size)
        for i in range(size):
            for j in range(i, size):
                normal[i, j] = normal[j, i] = mp.fdot(columns[i], columns[j])
        solution = list(mp.lu_solve(normal, mp.matrix([mp.fdot(columns[i], columns[size]) for i in range(size)])))
        fresh = [mp.mpf(1), *solution[upper:]]
        q = [horner(fresh, x) for x in grid]
        above = [horner(solution[:upper], x) for x in grid]
        errors = [w * abs(a / b - f) for a, b, f, w in zip(above, q, values, weights, strict=True)]
        if max(errors) < best:
            best, found = max(errors), fresh
        if turn > 2:  # the weights of q have settled
            total = mp.fdot(shares, errors)
            shares = [s * e / total for s, e in zip(shares, errors, strict=True)]
    lowest = [rounded(c * SCALE, dtype) for c in found]
    fitted, left = fit(
        lambda x: function(x) * horner(lowest, x), lambda x: weight(x) / horner(lowest, x), mp.mpf(0), high, upper, dtype
    )
    return fitted, lowest, left


# ---- the functions that are fitted; each is divided by what the formula multiplies it with again ----


def expm1_tail(r: Any) -> Any:
    """``(expm1(r) - r) / r**2``."""
    return mp.fsum(r**k / mp.factorial(k + 2) for k in range(50))


def log1p_tail(m: Any) -> Any:
    """``(log1p(m) - m + m**2 / 2) / m**3``."""
    return mp.hyp2f1(1, 3, 4, -m) / 3


def log1p_over(e: Any) -> Any:
    """``(log1p(e) - e) / e**2``."""
    return -mp.hyp2f1(1, 2, 3, -e) / 2


def sin_tail(z: Any) -> Any:
    """``(sin(r) - r) / r**3`` of ``z = r**2``."""
    return mp.fsum((-1) ** (k + 1) * z**k / mp.factorial(2 * k + 3) for k in range(30))


def cos_tail(z: Any) -> Any:
    """``(cos(r) - 1 + r**2 / 2) / r**4`` of ``z = r**2``."""
    return mp.fsum((-1) ** k * z**k / mp.factorial(2 * k + 4) for k in range(30))


def erf_tail(z: Any) -> Any:
    """``erf(x) / x - 1`` of ``z = x**2``."""
    x = mp.sqrt(z)
    return mp.erf(x) / x - 1


def erfcx(x: Any) -> Any:
    """``exp(x**2) erfc(x)``."""
    return mp.exp(x * x) * mp.erfc(x)


def tail(x: Any) -> Any:
    """``exp(x**2 / 2) Phi(-x)``, with Phi the normal distribution."""
    return erfcx(x / mp.sqrt(2)) / 2


def _rest(function: Function, slope: Any) -> Function:
    """``1 / f(x) - slope x``, which goes to 0 like ``1 / x``."""
    return lambda x: 1 / function(x) - slope * x


LN2 = mp.log(2)
HALF_LN2 = LN2 / 2 * mp.mpf("1.0001")
LOG_LOW, LOG_HIGH = mp.sqrt(0.5) - 1 - mp.mpf(2) ** -20, mp.sqrt(2) - 1 + mp.mpf(2) ** -20
QUARTER = (mp.pi / 4 + mp.mpf("0.01")) ** 2

SHAPES: dict[str, dict[str, int]] = {  # terms of each polynomial
    "FLOAT32": {"expm1": 5, "log": 8, "log1p": 9, "sin": 3, "cos": 3, "erf": 7},
    "FLOAT64": {"expm1": 10, "log": 19, "log1p": 20, "sin": 6, "cos": 6, "erf": 12},
}
SCALE = mp.mpf("1.75")
"""Of the denominators at 0: the rounding of a number just below a power of 2 is relatively small."""
QUOTIENT = {"FLOAT32": (5, 6), "FLOAT64": (10, 11)}
END = {"FLOAT32": mp.mpf("10.25"), "FLOAT64": mp.mpf("27.5")}


def polynomials(name: str) -> dict[str, tuple[Any, ...]]:
    """The arguments of ``fit`` per polynomial."""
    return {
        "expm1": (expm1_tail, lambda r: r * r / mp.expm1(r), -HALF_LN2, HALF_LN2),
        "log": (log1p_tail, lambda m: m**3 / mp.log1p(m), LOG_LOW, LOG_HIGH),
        "log1p": (log1p_over, lambda e: e * e / mp.log1p(e), mp.mpf(0), mp.mpf(1)),
        "sin": (sin_tail, lambda z: z * mp.sqrt(z) / mp.sin(mp.sqrt(z)), mp.mpf(0), QUARTER),
        "cos": (cos_tail, lambda z: z * z / mp.cos(mp.sqrt(z)), mp.mpf(0), QUARTER),
        "erf": (erf_tail, lambda z: mp.sqrt(z) / mp.erf(mp.sqrt(z)), mp.mpf(0), mp.mpf(1)),
    }


class Fitted(NamedTuple):
    """Coefficients, lowest first, and the binary logarithm of the error that is left."""

    coefficients: list[Any]
    left: float


def constants(name: str) -> dict[str, Any]:
    """All constants of one dtype, in the order in which they are printed."""
    dtype = DTYPES[name]
    digits = 24 if name == "FLOAT32" else 53
    bias, top = (127, 128) if name == "FLOAT32" else (1023, 1024)
    found: dict[str, Any] = {
        "mantissa": digits - 1,
        "bias": bias,
        "width": digits + (8 if name == "FLOAT32" else 11),
        "normal": mp.mpf(2) ** (2 - top),
        "tiny": mp.mpf(2) ** -(digits + 1),
        "log2_e": rounded(1 / LN2, dtype),
        "ln2": tuple(parts(LN2, dtype, 2)),
        "ln2_short": _short(LN2, dtype),
        "round": mp.mpf(1.5) * 2 ** (digits - 1),
        "normal_bits": 1 << (digits - 1),
        "infinity_bits": (2 * bias + 1) << (digits - 1),
        "exp_normal": mp.floor((top - 2) * LN2),
        "gelu_normal": mp.floor(mp.sqrt(2 * (top - 2) * LN2)) - 1,
        "exp_low": mp.floor((2 - top - digits) * LN2) - 8,
        "exp_high": mp.ceil(top * LN2),
        "expm1_low": -mp.ceil((digits + 1) * LN2) - 1,
        "tanh_high": mp.ceil((digits + 2) * LN2 / 2),
        "two_over_pi": rounded(2 / mp.pi, dtype),
        "half_pi": tuple(parts(mp.pi / 2, dtype, 3)),
        "huge": mp.mpf(2) ** (15 if name == "FLOAT32" else 27),
        "erfc_high": END[name],
        "root_half_bits": int(np.array(float(mp.sqrt(0.5)), dtype).view(np.int32 if name == "FLOAT32" else np.int64)),
        "erf_high": mp.mpf(4 if name == "FLOAT32" else 6),
        "gelu_high": END[name] * mp.sqrt(2),
        "gelu_tanh_high": mp.mpf(11 if name == "FLOAT32" else 22),
        "gelu_tanh": tuple(parts(2 * mp.sqrt(2 / mp.pi), dtype, 2)),
        "gelu_cube": tuple(parts(mp.mpf("0.044715"), dtype, 2)),
    }
    for key, arguments in polynomials(name).items():
        found[key] = Fitted(*fit(*arguments, SHAPES[name][key], dtype))
    for key, function, slope, end in (
        ("erfcx", erfcx, mp.sqrt(mp.pi), END[name]),
        ("tail", tail, mp.sqrt(2 * mp.pi), END[name] * mp.sqrt(2)),
    ):
        found[f"{key}_slope"] = rounded(slope, dtype)
        upper, lower, left = quotient(_rest(function, slope), function, end, *QUOTIENT[name], dtype)
        found[f"{key}_upper"], found[f"{key}_lower"] = Fitted(upper, left), Fitted(lower, left)
    return found


def _short(value: Any, dtype: type[np.floating]) -> tuple[Any, Any]:
    """The value in two parts, the first so short that its product with any exponent is exact."""
    digits = 24 - 8 if dtype is np.float32 else 53 - 11
    with mp.workprec(digits):
        first = +value
    return first, rounded(value - first, dtype)


def written(value: Any, dtype: type[np.floating]) -> str:
    """The shortest decimal that gives the number of the dtype again."""
    return str(value) if isinstance(value, int) else repr(float(str(dtype(float(value)))))


def module() -> str:
    """The module's source."""
    lines = [HEADER]
    for name, dtype in DTYPES.items():
        lines.append(f"{name}: dict[str, Any] = {{")
        for key, value in constants(name).items():
            if isinstance(value, Fitted):
                lines.append(f'    "{key}": (  # largest relative error left: 2**{value.left:.1f}')
                lines += [f"        {written(c, dtype)}," for c in value.coefficients]
                lines.append("    ),")
            elif isinstance(value, tuple):
                lines.append(f'    "{key}": ({", ".join(written(v, dtype) for v in value)}),')
            else:
                lines.append(f'    "{key}": {written(value, dtype)},')
        lines.append("}\n")
    with mp.workprec(1400):
        digits = int(mp.floor(2 / mp.pi * mp.mpf(2) ** 1280))
    lines.append("TWO_OVER_PI: tuple[int, ...] = (  # 64 binary digits each, those behind the point first")
    lines += [f"    0x{digits >> (64 * k) & (2**64 - 1):016X}," for k in reversed(range(20))]
    return "\n".join([*lines, ")\n"])


if __name__ == "__main__":
    print(module(), end="")
