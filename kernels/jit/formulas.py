"""exp, log and their kin, branch-free, written once for float32 and float64 (``constants.py`` holds what differs).

Each formula takes ``(c, x)``: the constants of the dtype and the argument. Reductions of the argument follow W. J. Cody and
W. Waite, Software Manual for the Elementary Functions (1980), with fused multiply-adds in place of their short constants;
Largest errors:
``bench/accuracy.py`` prints them.
"""

from __future__ import annotations

from typing import Any

from .lanes import Lanes, absolute, bits, converted, copysign, fma, largest, number, polynomial, rarely, smallest, where

__all__ = [
    "cos", "erf", "erfc", "exp", "expm1", "gelu", "gelu_tanh", "log", "log1p", "logsigmoid", "quadrant", "sigmoid", "sin", "tanh",
]  # fmt: skip

Constants = dict[str, Any]
INF, NAN = float("inf"), float("nan")

# ---- exponentials ----


def _reduced(c: Constants, x: Lanes, bias: int) -> tuple[Lanes, Lanes]:
    """``n + bias`` in the low bits of an integer, and r, for ``x = n ln 2 + r`` with ``|r| <= ln(2) / 2``.

    Adding 1.5 * 2**mantissa rounds to an integer, which then stands in the low bits of the sum.
    """
    shift = c["round"] + bias
    t = fma(x, c["log2_e"], shift)
    n = t - shift
    r = fma(n, -c["ln2"][0], x)
    return bits(t), fma(n, -c["ln2"][1], r)


def _expm1(c: Constants, r: Lanes) -> Lanes:
    """``exp(r) - 1`` for ``|r| <= ln(2) / 2``."""
    return fma(polynomial(r, c["expm1"]), r * r, r)


def _power(c: Constants, i: Lanes) -> Lanes:
    """``2**n`` of an integer whose low bits are ``n + bias``."""
    return number(i << c["mantissa"])


def _exp_parts(c: Constants, x: Lanes, low: Lanes | None = None) -> tuple[Lanes, Lanes, Lanes]:
    """exp(x + low) as ``(1 + u) * first * second``: u, and two powers of 2 whose product alone may be out of range."""
    x = largest(smallest(x, c["exp_high"]), c["exp_low"])
    i, r = _reduced(c, x, 2 * c["bias"])
    half = i >> 1
    return _expm1(c, r if low is None else r + low), _power(c, half), _power(c, i - half)


def _exp_normal(c: Constants, x: Lanes, low: Lanes | None = None) -> tuple[Lanes, Lanes]:
    """exp(x + low) as ``(1 + u) * power``, where that is a normal number: ``|x| <= exp_normal``."""
    i, r = _reduced(c, x, c["bias"])
    return _expm1(c, r if low is None else r + low), _power(c, i)


def exp(c: Constants, x: Lanes) -> Lanes:
    """``e**x``."""

    def normal() -> Lanes:
        u, power = _exp_normal(c, x)
        return (u + 1.0) * power

    def full() -> Lanes:
        u, first, second = _exp_parts(c, x)
        return (u + 1.0) * first * second

    return rarely(absolute(x) > c["exp_normal"], normal, full)


def expm1(c: Constants, x: Lanes) -> Lanes:
    """``2**n expm1(r) + (2**n - 1)``, at half size, so that 2**128 does not overflow before its time."""
    i, r = _reduced(c, largest(smallest(x, c["exp_high"]), c["expm1_low"]), c["bias"] - 1)
    half = _power(c, i)
    y = fma(half, _expm1(c, r), half - 0.5)
    return where(absolute(x) < c["tiny"], x, y + y)


def tanh(c: Constants, x: Lanes) -> Lanes:
    """``u / (u + 2)`` with ``u = expm1(2 |x|)``, which keeps its digits near 0."""
    a = smallest(absolute(x), c["tanh_high"])
    i, r = _reduced(c, a + a, c["bias"])
    scale = _power(c, i)
    u = fma(scale, _expm1(c, r), scale - 1.0)
    return copysign(u / (u + 2.0), x)


def sigmoid(c: Constants, x: Lanes) -> Lanes:
    """``1 / (1 + e)`` from 0 on, ``e / (1 + e)`` below, with ``e = exp(-|x|)``."""
    e = exp(c, -absolute(x))
    return where(x < 0.0, e, 1.0) / (e + 1.0)


def logsigmoid(c: Constants, x: Lanes) -> Lanes:
    """``min(x, 0) - log1p(e)`` with ``e = exp(-|x|)``: both parts have one sign, nothing cancels."""
    e = exp(c, -absolute(x))
    return smallest(x, 0.0) - fma(polynomial(e, c["log1p"]), e * e, e)


# ---- logarithms ----


def _split(c: Constants, x: Lanes) -> tuple[Lanes, Lanes]:
    """The exponent k and the bits of m, for ``x = 2**k m`` with m in [sqrt(1/2), sqrt(2))."""
    root = c["root_half_bits"]
    i = bits(x) - root
    return i >> c["mantissa"], (i & ((1 << c["mantissa"]) - 1)) + root


def _log_sum(c: Constants, k: Lanes, m: Lanes) -> Lanes:
    """``k ln 2 + log1p(m)``, the small parts first."""
    z = m * m
    small = fma(polynomial(m, c["log"]) * m, z, k * c["ln2_short"][1])
    return fma(k, c["ln2_short"][0], fma(z, -0.5, small) + m)


def _log_edges(x: Lanes, y: Lanes, zero: float) -> Lanes:
    """y; x where that is inf or NaN; -inf where the logarithm's argument is 0, which is at ``x == zero``; NaN below."""
    y = where(x < INF, y, x)
    return where(x > zero, y, where(x < zero, NAN, where(x.equals(zero), -INF, x)))


def log(c: Constants, x: Lanes) -> Lanes:
    """The natural logarithm; denormal numbers are scaled up first."""

    def normal() -> Lanes:
        k, m = _split(c, x)
        return _log_sum(c, converted(k), number(m) - 1.0)

    def full() -> Lanes:
        denormal = x < c["normal"]
        k, m = _split(c, where(denormal, x * 2.0 ** c["mantissa"], x))
        k = where(denormal, k - c["mantissa"], k)
        return _log_edges(x, _log_sum(c, converted(k), number(m) - 1.0), 0.0)

    lowest, infinity = c["normal_bits"], c["infinity_bits"]
    return rarely((bits(x) - lowest).beyond(infinity - lowest - 1), normal, full)


def log1p(c: Constants, x: Lanes) -> Lanes:
    """As log of ``1 + x = 2**k (1 + m)``, but m from x itself: ``x 2**-k + (2**-k - 1)`` has lost nothing."""
    k, _ = _split(c, x + 1.0)
    quarters = number(((c["bias"] + 2) - k) << c["mantissa"])  # 4 * 2**-k, which is a normal number for every k
    m = fma(x * 0.25, quarters, fma(quarters, 0.25, -1.0))
    y = _log_edges(x, _log_sum(c, converted(k), m), -1.0)
    return where(absolute(x) < c["tiny"], x, y)


# ---- the error function ----


def _quotient(c: Constants, x: Lanes, name: str) -> Lanes:
    """``exp(x**2) erfc(x)`` ("erfcx") or ``exp(x**2 / 2) Phi(-x)`` ("tail") for x >= 0.

    1 over it is nearly a multiple of x, plus a quotient of polynomials p / q with positive coefficients: ``q / (slope x q + p)``,
    where q's own error cancels.
    """
    q = polynomial(x, c[f"{name}_lower"])
    return q / fma(q, x * c[f"{name}_slope"], polynomial(x, c[f"{name}_upper"]))


def _square(x: Lanes, minus: float) -> tuple[Lanes, Lanes]:
    """``minus * x**2`` and its rounding error, for a power of 2."""
    y = x * minus
    square = x * y
    return square, fma(x, y, -square)


def erfc(c: Constants, x: Lanes) -> Lanes:
    """``1 - erf(x)``."""
    a = smallest(absolute(x), c["erfc_high"])
    u, first, second = _exp_parts(c, *_square(a, -1.0))
    f = _quotient(c, a, "erfcx")
    y = fma(f, u, f) * first * second
    return where(x < 0.0, 2.0 - y, y)


def erf(c: Constants, x: Lanes) -> Lanes:
    """Up to 1 a polynomial of x**2, beyond ``1 - erfc(x)``, where the square's rounding error does not matter."""
    a = smallest(absolute(x), c["erf_high"])
    z = a * a
    u, power = _exp_normal(c, -z)
    f = _quotient(c, a, "erfcx")
    small = fma(polynomial(z, c["erf"]), a, a)
    return copysign(where(a < 1.0, small, 1.0 - fma(f, u, f) * power), x)


def gelu(c: Constants, x: Lanes) -> Lanes:
    """``x Phi(x)`` as ``max(x, 0) - |x| Phi(-|x|)``, which keeps its digits on the left."""

    def normal() -> Lanes:
        a = absolute(x)
        u, power = _exp_normal(c, *_square(a, -0.5))
        f = _quotient(c, a, "tail") * a
        y = fma(f, u, f) * power
        return where(x < 0.0, -y, x - y)

    def full() -> Lanes:
        a = smallest(absolute(x), c["gelu_high"])
        u, first, second = _exp_parts(c, *_square(a, -0.5))
        f = _quotient(c, a, "tail") * a
        y = fma(f, u, f) * first * second
        return where(x < 0.0, -y, x - y)

    return rarely(absolute(x) > c["gelu_normal"], normal, full)


def gelu_tanh(c: Constants, x: Lanes) -> Lanes:
    """``x (1 + tanh(v / 2)) / 2 = x sigmoid(v)`` with ``v = sqrt(8 / pi) (x + 0.044715 x**3)``.

    v is computed to twice the digits, since exp(v) multiplies its error by v.
    """
    a = smallest(absolute(x), c["gelu_tanh_high"])
    (g, g_low), (k, k_low) = c["gelu_tanh"], c["gelu_cube"]
    square = a * a
    square_low = fma(a, a, -square)
    p = square * k
    p_low = fma(square, k, -p) + fma(square_low, k, square * k_low)
    s = p + 1.0
    s_low = (p - (s - 1.0)) + (1.0 - (s - (s - 1.0))) + p_low
    b = a * g
    b_low = fma(a, g, -b) + a * g_low
    v = b * s
    v_low = fma(b, s, -v) + fma(b, s_low, b_low * s)
    u, first, second = _exp_parts(c, -v, -v_low)
    near = u + 1.0
    negative = x < 0.0
    upper = where(negative, -(near * a * first), x) / (near * first * second + 1.0)
    return upper * where(negative, second, 1.0)


# ---- circular functions ----


def quadrant(c: Constants, n: Lanes, r: Lanes) -> Lanes:
    """``sin(n pi/2 + r)`` for ``|r| <= pi/4``: by n, an integer, the sine or the cosine of r, or one of the negatives."""
    z = r * r
    sine = fma(polynomial(z, c["sin"]) * z, r, r)
    cosine = fma(polynomial(z, c["cos"]), z * z, fma(z, -0.5, 1.0))
    y = where((n & 1) > 0, cosine, sine)
    return number(bits(y) ^ ((n & 2) << (c["width"] - 2)))


def _circular(c: Constants, x: Lanes, quarter: int) -> Lanes:
    """``sin(x + quarter pi/2)`` for ``|x| <= huge``."""
    t = fma(x, c["two_over_pi"], c["round"])
    n, r = t - c["round"], x
    for part in c["half_pi"]:
        r = fma(n, -part, r)
    return quadrant(c, bits(t) + quarter, r)


def sin(c: Constants, x: Lanes) -> Lanes:
    """The sine, for ``|x| <= huge``."""
    return where(x.equals(0.0), x, _circular(c, x, 0))


def cos(c: Constants, x: Lanes) -> Lanes:
    """The cosine, for ``|x| <= huge``."""
    return _circular(c, x, 1)
